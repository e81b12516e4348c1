"""`seehear weights list`: the released files that are known."""

from dataclasses import dataclass
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse

EXAMPLES = ("seehear weights list", "seehear weights list cav-mae", "seehear weights list --json")


@dataclass(frozen=True)
class Options:
    """List the released files that are known: what they are, their licence, and where they lie.

    Nothing is bundled. Files without a link of their own are fetched by hand from the page.
    """

    part: Annotated[Positional[str], named("PART")] = ""
    """only sources whose name or layout contains this"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """List them."""
    options = parse(Options, arguments, "weights list", EXAMPLES)
    from seehear.weights.released.sources import SOURCES

    found = [each for each in SOURCES.values() if options.part in each.name or options.part in each.layout]
    rows = [(s.name, s.layout, s.what, s.licence, "yes" if s.url else f"no, by hand from {s.page}") for s in found]
    console.table(f"{len(found)} released files", ("name", "layout", "what", "licence", "fetch can get it"), rows)
    console.line("next: seehear weights fetch NAME FOLDER")
    return {"sources": [{**vars(each), "filename": each.filename} for each in found]}
