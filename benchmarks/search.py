"""Search in 100,000 vectors: building, recall, and queries per second, beside exact numpy and faiss.

    python -m benchmarks.search           # about {minutes} minutes on 2 cores, 3 GB of memory
    python -m benchmarks.search --quick   # does it run? under a minute, nothing recorded

Synthetic vectors: N = 100,000 of D = 256 around 1,000 centres (noise of 0.6 per axis relative to centres of unit
variance), L2-normalised; 500 further ones drawn alike are the queries. Every approximate arm is asked more thoroughly
until it finds 95 % of the true ten nearest, ours by `build_index` on the table's own vectors, faiss's on the queries
themselves (which favours it); the recall on the queries is recorded for all. Ours reads an index on disk through Lance
and scores what it finds again in float64. Arms live in processes of their own and take turns. Writes
benchmarks/results/search.jsonl.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from benchmarks.kit import arms, machine, record
from benchmarks.search_rival import RECALL, K, one_pass

MINUTES = 15
COUNT, QUICK_COUNT = 100_000, 3_000
WIDTH, CENTRES, NOISE, QUERIES = 256, 1_000, 0.6, 500
REPEATS = 5
KINDS = ("ivf_pq", "ivf_hnsw_sq")
RIVALS = ("flat", "ivf_pq", "hnsw")
Pass = Callable[[], Mapping[str, float]]


def main() -> None:
    """Make the vectors, build, measure, record."""
    about = (__doc__ or "").format(minutes=MINUTES)
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--quick", action="store_true", help="few vectors, one turn, nothing recorded")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.quick:
            cells = compare(Path(folder), QUICK_COUNT, 32, 50, chosen.threads, 1)
            for name, values in cells.items():
                print(f"{name:32}", ", ".join(f"{key} {value}" for key, value in values.items()))
        else:
            cells = compare(Path(folder), COUNT, WIDTH, QUERIES, chosen.threads, REPEATS)
            record.add("search", machine.describe(chosen.threads), cells)


def compare(
    folder: Path, count: int, width: int, queries: int, threads: int, repeats: int
) -> dict[str, dict[str, object]]:
    """Every arm: queries per second, recall, and the ratio to exact numpy in neighbouring turns."""
    make(folder, count, width, queries)
    built = {kind: build(folder, kind) for kind in KINDS}
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    limits |= {"LANCE_CPU_THREADS": str(threads)}
    made = {
        "numpy, exact": arms.Arm("benchmarks.search:by_numpy", {"folder": str(folder)}, threads, limits),
        "ours, exact": arms.Arm("benchmarks.search:exactly", {"folder": str(folder)}, threads, limits),
    }
    for kind in KINDS:
        given = {"folder": str(folder), "kind": kind}
        made[f"ours, {kind}"] = arms.Arm("benchmarks.search:by_index", given, threads, limits)
    for kind in RIVALS:
        given = {"folder": str(folder), "kind": kind, "threads": threads}
        made[f"faiss, {kind}"] = arms.Arm("benchmarks.search:by_faiss", given, threads, limits)
    taken = arms.take_turns(made, repeats)
    base = taken["numpy, exact"].values
    cells: dict[str, dict[str, object]] = {}
    for name, one in taken.items():
        cell: dict[str, object] = {key: _median(one.values, key) for key in one.values[0]}
        for key in ("single_per_second", "batched_per_second"):
            ratios = [own[key] / theirs[key] for own, theirs in zip(one.values, base, strict=True)]
            cell[f"ratio_{key.removesuffix('_per_second')}"] = float(np.median(ratios))
        if not name.startswith("faiss"):  # whose vectors lie in a process further away
            cell["peak_mebibytes"] = one.peak_mebibytes
        cells[f"N {count}, {name}"] = cell | built.get(name.removeprefix("ours, "), {})
    return cells


def _median(values: tuple[Mapping[str, float], ...], key: str) -> float:
    return float(np.median([each[key] for each in values]))


def make(folder: Path, count: int, width: int, queries: int) -> None:
    """Vectors, queries, and the true ten nearest of each."""
    rng = np.random.default_rng(count)
    centres = rng.normal(size=(min(CENTRES, count // 10), width)).astype(np.float32)
    every = centres[rng.integers(len(centres), size=count + queries)]
    every += NOISE * rng.normal(size=every.shape).astype(np.float32)
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    vectors, asked = every[:count], every[count:]
    truth = np.argsort(-(asked @ vectors.T), axis=1, kind="stable")[:, :K]
    for name, array in (("vectors", vectors), ("queries", asked), ("truth", truth)):
        np.save(folder / f"{name}.npy", array)


def build(folder: Path, kind: str) -> dict[str, object]:
    """A table with these vectors and an index of that kind; what building took."""
    import lance
    import pyarrow as pa

    from seehear.clips import schema
    from seehear.search import EmbeddedTable, Wish, build_index
    from seehear.search.columns import Embedded

    vectors = np.load(folder / "vectors.npy")
    rows = schema.to_table([schema.Row(f"{i:07}", "a.wav", 1.0 * i, 1.0) for i in range(len(vectors))], schema.schema())
    field = Embedded("made", "made", "0" * 16, "audio", vectors.shape[1], "fp32", 1.0).field
    values = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    path = folder / f"{kind}.lance"
    lance.write_dataset(rows.append_column(field, values.cast(field.type)), str(path))
    table, began = EmbeddedTable(path), time.perf_counter()
    outcome = build_index(table, table.columns_of()["audio"], Wish(kind, recall=RECALL))
    if outcome.measured is None:
        raise SystemExit(f"no index of kind {kind} was built")
    effort = outcome.measured.effort
    return {
        "build_seconds": outcome.measured.build_seconds,
        "build_and_measure_seconds": time.perf_counter() - began,
        "effort": f"cells {effort.cells} of {outcome.measured.cells}, refine {effort.refine}, beam {effort.beam}",
    }


def _given(folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, queries, truth = (np.load(Path(folder) / f"{name}.npy") for name in ("vectors", "queries", "truth"))
    return vectors, queries, truth


def by_numpy(folder: str) -> Pass:
    """The plain way: one product, the ten largest, sorted."""
    vectors, queries, truth = _given(folder)

    def search(asked: np.ndarray) -> np.ndarray:
        scores = asked @ vectors.T
        best = np.argpartition(-scores, K, axis=1)[:, :K]
        return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1), axis=1)

    return lambda: one_pass(search, queries, truth)


def exactly(folder: str) -> Pass:
    """Our exact search."""
    from seehear.search.exact import Exact

    vectors, queries, truth = _given(folder)
    gallery = Exact(vectors)
    return lambda: one_pass(lambda q: np.stack([one.places for one in gallery.search(q, K)]), queries, truth)


def by_index(folder: str, kind: str) -> Pass:
    """Our search through an index, as `Searcher` asks it."""
    from seehear.search import EmbeddedTable
    from seehear.search.approximate import approximate
    from seehear.search.index import index_of

    _, queries, truth = _given(folder)
    table = EmbeddedTable(Path(folder) / f"{kind}.lance")
    column = table.columns_of()["audio"]
    index = index_of(table, column)
    if index is None or index.measured is None:
        raise SystemExit(f"{kind}: no usable index")
    effort = index.measured.effort

    def search(asked: np.ndarray) -> np.ndarray:
        found = approximate(table, column, effort, asked, K)
        return np.stack([np.pad(one.places, (0, K - len(one.places)), constant_values=-1) for one in found])

    return lambda: one_pass(search, queries, truth)


def by_faiss(folder: str, kind: str, threads: int) -> Pass:
    """faiss, one process further away."""
    command = [sys.executable, "-m", "benchmarks.search_rival", folder, kind, str(threads)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    ready = json.loads(child.stdout.readline())

    def work() -> Mapping[str, float]:
        assert child.stdin is not None
        assert child.stdout is not None
        print("pass", file=child.stdin, flush=True)
        return json.loads(child.stdout.readline()) | {"build_seconds": ready["build_seconds"]}

    return work


if __name__ == "__main__":
    main()
