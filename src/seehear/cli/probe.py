"""`seehear probe`: what a few labels make of a run's features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, parse

EXAMPLES = (
    "seehear probe runs/first",
    "seehear probe runs/first --table labelled.lance --json",
)


@dataclass(frozen=True)
class Options:
    """Linear probes, nearest neighbours and the missing modality on frozen features."""

    folder: Positional[Path]
    """folder of the run"""
    table: str | None = None
    """labelled clips with a training and a held-out split; by default the run's own"""
    split: str | None = None
    """split to test on; by default the held-out one"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Probe and print the table of figures."""
    from seehear.runs.evaluation import probe

    options = parse(Options, arguments, "probe", EXAMPLES)
    figures = probe(options.folder, table=options.table, split=options.split, tell=console.note)
    console.figures(f"probes of {options.folder}", figures)
    return {"folder": options.folder, "figures": figures}
