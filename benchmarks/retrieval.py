"""Retrieval evaluation: exact ranks in both directions from one product, against a loop over all pairs.

    python -m benchmarks.retrieval           # about {minutes} minutes on 2 cores, 3 GB of memory
    python -m benchmarks.retrieval --quick   # does it run? some seconds, nothing recorded

`pairs` re-expresses the published pattern, once per direction: for every pair the dot product over both lengths, in a
double Python loop, then each row's order and the rank in it. `pairs, normalised` is the same with the lengths taken
out of the loop, one dot product per pair: the least that such a loop can cost. Both are measured on a share of the
rows and scaled to all of them; the product is measured whole, from embeddings to ranks. Its ranks must equal those of
a product in float64 (and at N = 1,545 also the loop's own on the rows it ran). All arms live in processes of their own
and take turns. Writes benchmarks/results/retrieval.jsonl.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.kit import arms, machine, record
from seehear.metrics import paired_ranks, score_ranks
from seehear.metrics.arrays import TIE_TOLERANCE
from seehear.metrics.similarity import cosine_blocks

MINUTES = 3
SIZES, QUICK_SIZES = (1_545, 17_000), (300,)
WIDTH, NOISE = 768, 6.0
PAIRS_PER_PASS = 250_000
REPEATS = 5
LOOPS = ("pairs", "pairs, normalised")
Pass = Callable[[], Mapping[str, float]]


def main() -> None:
    """Both sizes, table, record."""
    about = (__doc__ or "").format(minutes=MINUTES)
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--threads", type=int, default=2, help="of the product")
    options.add_argument("--quick", action="store_true", help="one small size, one turn, nothing recorded")
    chosen = options.parse_args()
    cells: dict[str, dict[str, object]] = {}
    for count in QUICK_SIZES if chosen.quick else SIZES:
        cells |= compare(count, chosen.threads, 1 if chosen.quick else REPEATS)
    if chosen.quick:
        for name, values in cells.items():
            print(f"{name:32}", ", ".join(f"{key} {value}" for key, value in values.items()))
    else:
        record.add("retrieval", machine.describe(chosen.threads), cells)


def compare(count: int, threads: int, repeats: int) -> dict[str, dict[str, object]]:
    """One size: seconds of every arm for both directions, and the ratios of the product to both loops."""
    environment = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    made = {name: arms.Arm("benchmarks.retrieval:loop", {"count": count, "name": name}, 1) for name in LOOPS}
    made["product"] = arms.Arm("benchmarks.retrieval:product", {"count": count}, threads, environment)
    taken = arms.take_turns(made, repeats)
    found: dict[str, dict[str, object]] = {}
    for name in LOOPS:
        scaled = [v["seconds"] for v in taken[name].values]
        ratios = [slow / quick for slow, quick in zip(scaled, taken["product"].seconds, strict=True)]
        lower = statistics.quantiles(ratios, n=4, method="inclusive")[0] if len(ratios) > 1 else ratios[0]
        found[f"N {count}, {name}"] = {
            "seconds": statistics.median(scaled),
            "microseconds_per_pair": 1e6 * statistics.median(scaled) / (2 * count**2),
            "share_of_rows_measured": taken[name].values[0]["share"],
            "ratio": statistics.median(ratios),
            "ratio_lower_quartile": lower,
        }
    seconds, flop = taken["product"].median, 2.0 * count**2 * WIDTH
    found[f"N {count}, product"] = {
        "seconds": seconds,
        "gigaflop": flop / 1e9,
        "gflops": flop / 1e9 / seconds,
        "peak_mebibytes": taken["product"].peak_mebibytes,
        "whole_matrix_mebibytes": 4 * count**2 / 2**20,
    }
    return found


def embeddings(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that are hard to tell, float32 `[N, D]`."""
    rng = np.random.default_rng(count)
    one = rng.normal(size=(count, WIDTH)).astype(np.float32)
    other = (one + NOISE * rng.normal(size=one.shape)).astype(np.float32)
    return _unit(one), _unit(other)


def product(count: int) -> Pass:
    """Ours; checked in float64 before anything is timed."""
    one, other = embeddings(count)
    forward, backward = paired_ranks(one, other)
    for ranks, queries, gallery in ((forward, one, other), (backward, other, one)):
        for rows, scores in cosine_blocks(queries[:2000], gallery):
            if not np.array_equal(ranks[rows], score_ranks(scores, np.arange(count)[rows], TIE_TOLERANCE)):
                raise SystemExit(f"ranks of N = {count} differ from those in float64")

    def work() -> Mapping[str, float]:
        ranks = paired_ranks(one, other)
        return {"median_rank": float(np.median(ranks[0]))}

    return work


def loop(count: int, name: str) -> Pass:
    """Some rows by all columns in the first direction, scaled to all rows and both directions."""
    one, other = embeddings(count)
    rows = max(1, min(count, PAIRS_PER_PASS // count))
    similarity = _cosine if name == "pairs" else np.dot
    expected = paired_ranks(one, other)[0][:rows]

    def work() -> Mapping[str, float]:
        start = time.perf_counter()
        scores = np.empty((rows, count))
        for i in range(rows):
            for j in range(count):
                scores[i, j] = similarity(one[i], other[j])
        order = np.sort(-scores, axis=1)
        ranks = [1 + int(np.searchsorted(order[i], -scores[i, i])) for i in range(rows)]
        seconds = (time.perf_counter() - start) * 2 * count / rows
        if np.mean(np.array(ranks) != expected) > 0.01:  # float32 sums may swap neighbours
            raise SystemExit(f"the loop's ranks of N = {count} are not the product's")
        return {"seconds": seconds, "share": rows / count}

    return work


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other))


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
