"""`seehear index`: build an index on a table's vectors and say how well it finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from seehear.cli.console import Console
from seehear.cli.options import Positional, parse

if TYPE_CHECKING:
    from seehear.search import Outcome

EXAMPLES = (
    "seehear index clips.lance",
    "seehear index clips.lance --kind ivf_hnsw_sq --recall 0.99",
    "seehear index clips.lance --kind exact",
)


@dataclass(frozen=True)
class Options:
    """Make search quick where there are many clips, and measure what share of the true nearest it still finds.

    Up to 100,000 clips every vector is compared, exactly and in milliseconds: no index is built unless a kind is named.
    An index lies in the table. What was stopped begins anew; new clips are added to it by the same command.
    """

    table: Positional[str]
    """a table that a model has embedded (seehear embed)"""
    model: str | None = None
    """whose vectors, where the table holds several models'"""
    kind: Literal["auto", "ivf_pq", "ivf_hnsw_sq", "ivf_hnsw_pq", "exact"] = "auto"
    """auto: ivf_hnsw_sq from 100,000 clips on, else none; exact takes an index away"""
    cells: int | None = None
    """cells of vectors; by default the square root of their number, with graphs (hnsw) one per million"""
    sub_vectors: int | None = None
    """pq: bytes per vector; by default an eighth of its width"""
    recall: float = 0.95
    """share of the true 10 nearest to find: the index is asked more thoroughly until it does"""
    queries: int = 200
    """vectors of each modality to measure that with"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Build and measure the index of every modality."""
    options = parse(Options, arguments, "index", EXAMPLES)
    from seehear.search import EmbeddedTable, Wish, build_index

    wish = Wish(options.kind, options.cells, options.sub_vectors, options.recall, options.queries)
    table = EmbeddedTable(options.table)
    outcomes: list[Outcome] = []
    for column in table.columns_of(options.model).values():
        with console.progress(f"{column.column}", unit="steps") as bar:

            def show(stage: str, done: int, total: int | None) -> None:
                bar(done, total, stage)

            outcomes.append(build_index(table.newest(), column, wish, show))
    rows = [_row(outcome) for outcome in outcomes]
    console.table(
        f"indexes of {options.table}",
        ("vectors of", "count", "index", "recall@10", "asked with", "built in s", "what was done"),
        rows,
    )
    for outcome in outcomes:
        if not outcome.reaches and outcome.measured is not None:
            console.note(
                f"{outcome.column}: recall@10 is {outcome.measured.recall:.3f} at most, not {options.recall:g}; "
                "try --kind ivf_hnsw_sq, or more --sub-vectors"
            )
    return {"table": table.uri, "indexes": [_document(outcome) for outcome in outcomes]}


def _row(outcome: "Outcome") -> tuple[object, ...]:
    found = outcome.measured
    if found is None:
        return outcome.column, outcome.vectors, "all are compared", "1 (exact)", "", "", outcome.done
    index = f"{found.kind}, {found.cells} cells" + (f", {found.sub_vectors} bytes" if found.sub_vectors else "")
    effort = f"{found.effort.cells} cells, refine {found.effort.refine}"
    effort += f", beam {found.effort.beam}" if found.effort.beam else ""
    recalls = ", ".join(f"{recall:.3f} by {modality}" for modality, recall in found.recalls.items())
    return outcome.column, outcome.vectors, index, recalls, effort, found.build_seconds, outcome.done


def _document(outcome: "Outcome") -> dict[str, Any]:
    return {**vars(outcome), "exact": outcome.measured is None}
