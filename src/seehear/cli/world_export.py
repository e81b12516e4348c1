"""`seehear world export`: a built world's labels, boxes or pairs in the formats that existing loaders read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse

EXAMPLES = (
    "seehear world export data/base data/base-audioset --format audioset",
    "seehear world export data/places data/places-boxes --format vggss",
    "seehear world export data/mixtures data/mixtures-pairs --format music",
)


@dataclass(frozen=True)
class Options:
    """Write what a built world knows as text files that loaders of other data sets read. Clips stay where they are.

    audioset: segment lists and class indices as CSV. vggss: boxes of what sounds as JSON (a world of track L or A).
    music: solos and duets by class as JSON (a world of track P or A).
    """

    root: Annotated[Positional[Path], named("ROOT")]
    """the folder of a finished world"""
    out: Annotated[Positional[Path], named("OUT")]
    """the folder to write; files of the same names are replaced"""
    format: str
    """audioset, vggss or music"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Export and name the files."""
    options = parse(Options, arguments, "world export", EXAMPLES)
    from seehear.world.disk.exporters import export

    files = export(options.root, options.out, options.format)
    for path in files:
        console.line(str(path))
    return {"root": options.root, "format": options.format, "files": files}
