"""The search benchmark at a tiny size: every arm runs, exact ones find everything, faiss in a process of its own."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import search
from benchmarks.search_rival import recall


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors")
    search.make(path, 1_000, 16, 20)
    return path


def test_queries_lie_where_their_truth_says(folder: Path) -> None:
    vectors, queries, truth = (np.load(folder / f"{name}.npy") for name in ("vectors", "queries", "truth"))
    cosines = queries @ vectors.T
    assert (cosines.max(axis=1) == cosines[np.arange(20), truth[:, 0]]).all()
    assert recall(truth, truth) == 1.0
    assert recall(truth[:, ::-1] + 1_000, truth) == 0.0


@pytest.mark.parametrize("arm", [search.by_numpy, search.exactly])
def test_exact_arms_find_all(arm, folder: Path) -> None:
    found = arm(str(folder))()
    assert found["recall_at_10"] == 1.0
    assert min(found["single_per_second"], found["batched_per_second"]) > 0


def test_an_index_is_built_and_asked(folder: Path) -> None:
    built = search.build(folder, "ivf_hnsw_sq")
    assert built["build_seconds"] > 0
    assert search.by_index(str(folder), "ivf_hnsw_sq")()["recall_at_10"] > 0.8


@pytest.mark.parametrize("kind", search.RIVALS)
def test_faiss_runs_beside(kind: str, folder: Path) -> None:
    found = search.by_faiss(str(folder), kind, 1)()
    assert found["recall_at_10"] == pytest.approx(1.0) if kind == "flat" else found["recall_at_10"] > 0.9
    assert found["build_seconds"] > 0
