"""`seehear world gallery`: a page with playable clips of every class, track, level, style and intervention."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse

EXAMPLES = (
    "seehear world gallery world.html",
    "seehear world gallery other.html --seed 7",
    "seehear world gallery large.html --size 224",
)


@dataclass(frozen=True)
class Options:
    """Write one HTML file to look at and listen to: clips of every class, track, level, style and intervention.

    The page loads nothing from the network and works on a phone and with the keyboard.
    """

    out: Annotated[Positional[Path], named("OUT")]
    """the HTML file to write"""
    seed: int = 0
    """another seed is another world of the same kind"""
    size: int = 128
    """width and height of the pictures in pixels"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Write the page and say where it is."""
    options = parse(Options, arguments, "world gallery", EXAMPLES)
    from seehear.runs.world_gallery import world_gallery

    with console.progress("drawing") as bar:
        clips = world_gallery(options.out, seed=options.seed, size=options.size, progress=bar)
    size = options.out.stat().st_size
    console.line(f"{clips} clips in {options.out}, {size / 1e6:.1f} MB")
    return {"page": options.out, "clips": clips, "bytes": size}
