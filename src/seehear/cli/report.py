"""`seehear report`: the self-contained page of an evaluated run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, parse

EXAMPLES = ("seehear report runs/first",)


@dataclass(frozen=True)
class Options:
    """Write report.html: figures, curves, drawings, the map of embeddings and a gallery that can be heard."""

    folder: Positional[Path]
    """folder of an evaluated run"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Write the page and say where."""
    from seehear.runs.reporting import report

    options = parse(Options, arguments, "report", EXAMPLES)
    path = report(options.folder)
    console.line(f"report: {path}")
    return {"report": path}
