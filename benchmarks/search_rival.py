"""faiss beside our search, in a process of its own without torch: two OpenMP runtimes in one do not get on.

    python -m benchmarks.search_rival FOLDER KIND THREADS   # started by benchmarks.search

Reads `vectors.npy`, `queries.npy` and `truth.npy` of the folder, builds, says so in one line of JSON, and then makes
one pass for every line it reads. Kinds: "flat" (exact), "ivf_pq" (with exact re-ranking) and "hnsw". The approximate
ones are asked more thoroughly until they find 95 % of the true ten, as ours are.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

K = 10
RECALL = 0.95


def main() -> None:
    """Build, then a pass per line."""
    import faiss

    folder, kind, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    faiss.omp_set_num_threads(threads)
    vectors, queries, truth = (np.load(folder / f"{name}.npy") for name in ("vectors", "queries", "truth"))
    began = time.perf_counter()
    index, parts = built(vectors, kind)
    seconds = time.perf_counter() - began
    effort = tuned(index, efforts(index, parts, kind), queries, truth)
    print(json.dumps({"build_seconds": seconds, "effort": effort}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(one_pass(lambda q: index.search(q, K)[1], queries, truth)), flush=True)


def built(vectors: np.ndarray, kind: str) -> tuple[Any, tuple[Any, ...]]:
    """The index of these vectors by inner product (they have length one), and parts that must live as long."""
    import faiss

    width, parts = vectors.shape[1], ()
    if kind == "flat":
        index = faiss.IndexFlatIP(width)
    elif kind == "hnsw":
        index = faiss.IndexHNSWFlat(width, 20, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = 150
    elif kind == "ivf_pq":
        cells = max(1, min(round(len(vectors) ** 0.5), len(vectors) // 256))
        coarse = faiss.IndexFlatIP(width)
        codes = faiss.IndexIVFPQ(coarse, width, cells, max(1, width // 8), 8, faiss.METRIC_INNER_PRODUCT)
        codes.train(vectors)
        index, parts = faiss.IndexRefineFlat(codes), (codes, coarse)
    else:
        raise SystemExit(f"no kind {kind}")
    index.add(vectors)
    return index, parts


def tuned(index: Any, settings: Iterator[str], queries: np.ndarray, truth: np.ndarray) -> str:
    """Set the least effort that finds enough, and name it."""
    effort = ""
    for effort in settings:
        if recall(index.search(queries, K)[1], truth) >= RECALL:
            return effort
    return f"{effort} (too little)"


def efforts(index: Any, parts: tuple[Any, ...], kind: str) -> Iterator[str]:
    """Settings, from the quickest on; each is set when its name comes out."""
    if kind == "flat":
        yield "exact"
    elif kind == "hnsw":
        for beam in (16, 32, 64, 128, 256, 512):
            index.hnsw.efSearch = beam
            yield f"efSearch {beam}"
    else:
        codes = parts[0]
        for refine in (1, 4, 16, 64):
            for probes in (1, 2, 4, 8, 16, 32, 64, 128):
                codes.nprobe, index.k_factor = min(probes, codes.nlist), refine
                yield f"nprobe {codes.nprobe}, refine {refine}"


def one_pass(search: Callable[[np.ndarray], np.ndarray], queries: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Queries one at a time, then all at once: their number per second, and the recall."""
    began = time.perf_counter()
    for query in queries:
        search(query[None])
    single = time.perf_counter() - began
    began = time.perf_counter()
    found = search(queries)
    together = time.perf_counter() - began
    return {
        "single_per_second": len(queries) / single,
        "batched_per_second": len(queries) / together,
        "recall_at_10": recall(found, truth),
    }


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true ten that were found."""
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)]))


if __name__ == "__main__":
    main()
