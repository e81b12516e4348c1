"""`seehear evaluate`: every figure of a run, with floors and ceilings beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, parse

EXAMPLES = (
    "seehear evaluate runs/first",
    "seehear evaluate runs/first --table other.lance --split val --json",
)


@dataclass(frozen=True)
class Options:
    """Retrieval, neighbours, probes, missing modality and reconstruction of a finished run."""

    folder: Positional[Path]
    """folder of the run"""
    table: str | None = None
    """clips to evaluate on; by default the run's own"""
    split: str | None = None
    """split of the table; by default the held-out one"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Evaluate and print the table of figures."""
    from seehear.runs.evaluation import evaluate

    options = parse(Options, arguments, "evaluate", EXAMPLES)
    found = evaluate(options.folder, table=options.table, split=options.split, tell=console.note)
    console.figures(f"{options.folder} on {len(found.embeddings)} clips of split {found.split!r}", found.figures)
    console.line(f"next: seehear report {options.folder}")
    return {"folder": options.folder, "split": found.split, "figures": found.figures}
