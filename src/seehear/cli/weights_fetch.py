"""`seehear weights fetch`: one released file, checked, into a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse

EXAMPLES = ("seehear weights fetch avsiam-base weights", "seehear weights fetch mae-base")


@dataclass(frozen=True)
class Options:
    """Fetch one released file. It appears under its name only when it is whole; nothing is overwritten.

    Mind its licence, which `seehear weights list` names: the weights are their authors', not this project's.
    """

    name: Annotated[Positional[str], named("NAME")]
    """of the source, as `seehear weights list` has it"""
    folder: Annotated[Positional[Path], named("FOLDER")] = Path(".")
    """where to put it"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Fetch it and say where it is."""
    options = parse(Options, arguments, "weights fetch", EXAMPLES)
    from seehear.weights.released.fetching import fetch
    from seehear.weights.released.sources import source

    declared = source(options.name)
    console.note(f"{declared.name}: {declared.what}; licence {declared.licence}; {declared.page}")
    with console.progress("fetching", unit="bytes") as bar:
        path = fetch(declared, options.folder, bar)
    console.line(f"{path} ({path.stat().st_size} bytes)")
    if declared.note:
        console.line(f"note: {declared.note}")
    words = [f"--option {name}={value}" for name, value in declared.options.items()]
    console.line(" ".join(["next: seehear weights inspect", str(path), "--layout", declared.layout, *words]))
    return {"file": path, "source": declared}
