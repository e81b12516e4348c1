"""`seehear label`: names for the clips of a table that have none, learnt from those that have."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import StorageError

if TYPE_CHECKING:
    from seehear.search.embedded_table import EmbeddedTable
    from seehear.search.labelling import Labelling

COLUMNS = ("file", "start_seconds", "end_seconds", "labels", "probability", "id")
EXAMPLES = (
    "seehear label sounds.lance --out labels.csv",
    "seehear label videos.lance --by audio --json",
)


@dataclass(frozen=True)
class Options:
    """Name the clips of an embedded table that have no label, from a few that have: some 20 of each class.

    Labels come from the manifest of the folder that was packed. How well it works is measured on the labelled clips
    themselves, some held out at a time, and printed with what always naming the commonest class would score.
    """

    table: Annotated[Positional[str], named("TABLE")]
    """a table that `seehear embed` has embedded"""
    out: Path | None = None
    """a CSV file to write, which `seehear pack --manifest` reads; with the probability of each label"""
    by: Literal["audio", "image", "both"] | None = None
    """what clips are named by: audio, image or both; by default what the labelled clips have"""
    model: str | None = None
    """whose vectors, where several models have embedded the table"""
    overwrite: bool = False
    """replace the CSV file where it exists"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Name the clips and say how far the names can be trusted."""
    options = parse(Options, arguments, "label", EXAMPLES)
    if options.out is not None and options.out.exists() and not options.overwrite:
        raise StorageError(f"{options.out} exists", expected="a new file", cure="another name, or --overwrite")
    from seehear.search.embedded_table import EmbeddedTable
    from seehear.search.labelling import label

    table = EmbeddedTable(options.table)
    found = label(table, options.model, options.by)
    rows = _rows(table, found)
    if options.out is not None:
        _write(options.out, rows)
    _show(table, found, options.out, console)
    return {
        "table": table.uri,
        "by": found.by,
        "classes": found.classes,
        "examples": found.examples,
        "left_out": found.left_out,
        "quality": found.quality,
        "clips": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
    }


def _rows(table: "EmbeddedTable", found: "Labelling") -> list[tuple[Any, ...]]:
    """A row of `COLUMNS` for each clip that was named."""
    return [
        (
            table.sources[row],
            float(table.start_seconds[row]),
            float(table.start_seconds[row] + table.duration_seconds[row]),
            ";".join(one.labels),
            ";".join(f"{probability:.3f}" for probability in one.probabilities),
            table.names[row],
        )
        for row, one in zip(found.rows, found.named, strict=True)
    ]


def _write(path: Path, rows: Sequence[Sequence[Any]]) -> None:
    from seehear.media.atomic import atomic_file

    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
        text.detach()


def _show(table: "EmbeddedTable", found: "Labelling", out: Path | None, console: Console) -> None:
    counts = Counter(name for one in found.named for name in one.labels)
    console.table(
        f"{len(found.named)} clips named by {found.by} from {found.examples} examples of {len(found.classes)} classes",
        ("class", "clips"),
        [(name, counts[name]) for name in found.classes],
    )
    without = sum(not one.labels for one in found.named)
    if without:
        console.line(f"{without} clips seem to be of no class")
    if found.left_out:
        console.line(f"{found.left_out} clips have no vectors to be named by")
    if found.quality is None:
        console.line("how well it works is unknown: all examples come from one file")
    else:
        console.figures("on examples held out", [found.quality])
    console.line(f"written to {out}" if out else "--out labels.csv writes them to a file")
    for sentence in {column.knows for column in table.embedded if column.knows}:
        console.note(sentence)
