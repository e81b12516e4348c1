"""Indexes: what is found against exact search, tuning, staleness, interruption, other writers, LanceDB as oracle."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import lance
import numpy as np
import pytest

from seehear.errors import StorageError, UsageError
from seehear.search import EmbeddedTable, Filter, Outcome, Query, Searcher, Wish, build_index, building, searching
from seehear.search.alone import alone
from seehear.search.approximate import approximate
from seehear.search.exact import Exact
from seehear.search.index import Effort, index_of, key_of
from tests.search import made_tables

COUNT = 600


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A table with an index of its pictures; not to be written to."""
    path = made_tables.large(tmp_path_factory.mktemp("large") / "clips.lance", COUNT, without=[5])
    return path, build(path, "ivf_pq", cells=8)


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    return made_tables.large(tmp_path / "clips.lance", COUNT, without=[5])


@pytest.fixture
def small_counts_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "EXACT_BELOW", 10)


def build(path: Path, kind: str = "auto", **wish) -> Outcome:
    """Of the pictures, measured with few queries."""
    table = EmbeddedTable(path)
    return build_index(table, table.columns_of("toy")["image"], Wish(kind, **({"queries": 12} | wish)))


def query(searcher: Searcher, row: int, modality: str = "audio") -> Query:
    column = searcher.columns[modality]
    return Query(modality, searcher.table.vectors(column).values[row], searcher.table.names[row])


# ------------------------------------------------------------------------------------------------------------ building
def test_few_vectors_get_no_index_unless_a_kind_is_named(fresh: Path) -> None:
    outcome = build(fresh)
    assert (outcome.done, outcome.measured, outcome.reaches, outcome.vectors) == ("none needed", None, True, COUNT - 1)
    assert lance.dataset(str(fresh)).describe_indices() == []


def test_many_vectors_get_one_by_themselves(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "EXACT_BELOW", 100)
    outcome = build(fresh)
    assert outcome.measured is not None
    assert (outcome.done, outcome.measured.kind, outcome.measured.cells) == ("built", "ivf_hnsw_sq", 1)
    assert build(fresh).done == "there already"


@pytest.mark.parametrize("kind", ["ivf_pq", "ivf_hnsw_sq", "ivf_hnsw_pq"])
def test_what_was_measured_is_what_a_slow_count_gives(kind: str, fresh: Path) -> None:
    outcome = build(fresh, kind, recall=0.9, queries=40)
    measured, table = outcome.measured, EmbeddedTable(fresh)
    assert measured is not None
    assert outcome.reaches
    assert measured.recall == min(measured.recalls.values()) >= 0.9
    column, asking = table.columns_of()["image"], table.columns_of()["audio"]
    rows = np.argsort(table.ids)[:40]
    rows.sort()
    gallery, shares = table.vectors(column), []
    for row in rows.tolist():
        vector = table.vectors(asking).of(row)
        assert vector is not None
        every = Exact(gallery.values, table.name_order[gallery.rows]).search(vector, 11)[0].places
        true = [r for r in gallery.rows[every].tolist() if r != row][:10]
        found = approximate(table, column, measured.effort, vector[None], 11)[0].places.tolist()
        shares.append(np.mean([r in [f for f in found if f != row][:10] for r in true]))
    assert measured.recalls["audio"] == pytest.approx(np.mean(shares))


def test_an_index_is_asked_more_thoroughly_until_it_finds_enough(fresh: Path) -> None:
    lazy = build(fresh, "ivf_pq", cells=16, recall=0.01).measured
    eager = build(fresh, "ivf_pq", cells=16, recall=0.999).measured
    assert lazy is not None
    assert eager is not None
    assert lazy.effort == Effort(1, 1)
    assert eager.effort.refine > 1
    assert eager.recall >= 0.999
    assert index_of(EmbeddedTable(fresh), EmbeddedTable(fresh).columns_of()["image"]).measured == eager


def test_what_cannot_be_reached_is_said(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_REFINES", (1,))
    outcome = build(fresh, "ivf_pq", sub_vectors=1, recall=1.0)
    assert not outcome.reaches
    assert outcome.measured is not None
    assert outcome.measured.tried_all
    assert outcome.measured.effort.cells == outcome.measured.cells
    assert build(fresh, "ivf_pq", sub_vectors=1, recall=1.0).done == "there already"


def test_exact_takes_an_index_away(fresh: Path) -> None:
    build(fresh, "ivf_pq")
    assert build(fresh, "exact").done == "taken away"
    assert build(fresh, "exact").done == "none needed"
    assert index_of(EmbeddedTable(fresh), EmbeddedTable(fresh).columns_of()["image"]) is None


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"kind": "ivf"}, "index of kind 'ivf'; expected auto, exact, ivf_pq"),
        ({"kind": "ivf_pq", "cells": 0}, "cells: 0"),
        ({"kind": "ivf_pq", "cells": 10_000}, "10000 cells for 599 vectors"),
        ({"kind": "ivf_pq", "sub_vectors": 5}, "5 sub-vectors of 32 numbers; expected a divisor of 32"),
        ({"recall": 1.5}, "recall 1.5"),
        ({"queries": 0}, "0 queries"),
    ],
)
def test_settings_that_do_not_fit_are_refused(wish: dict, says: str, finished: tuple[Path, Outcome]) -> None:
    with pytest.raises(UsageError, match=says):
        build(finished[0], **wish)


def test_too_few_vectors_for_codes_are_refused(own_table: Path) -> None:
    table = EmbeddedTable(own_table)
    with pytest.raises(UsageError, match=r"ivf_pq of 23 vectors; expected at least 256; try: --kind ivf_hnsw_sq"):
        build_index(table, table.columns_of()["image"], Wish("ivf_pq", queries=12))


def test_defaults_follow_n_and_d() -> None:
    assert [building.default_sub_vectors(width) for width in (768, 256, 64, 100, 7)] == [96, 32, 8, 10, 1]
    assert [building.default_cells("ivf_pq", n) for n in (100, 10_000, 1_000_000)] == [1, 39, 1000]
    assert [building.default_cells("ivf_hnsw_sq", n) for n in (100, 1_000_000, 5_000_000)] == [1, 1, 4]


# ----------------------------------------------------------------------------------------------------------- searching
def test_search_through_an_index_has_exact_scores(finished: tuple[Path, Outcome], small_counts_as_large: None) -> None:
    searcher = Searcher(finished[0])
    same = 0
    for row in range(0, COUNT, 60):
        quick = searcher.search(query(searcher, row), "image", 10)
        exact = searcher.search(query(searcher, row), "image", 10, exact=True)
        scores = {hit.id: hit.score for hit in searcher.search(query(searcher, row), "image", 599, exact=True)}
        assert [hit.score for hit in quick] == pytest.approx([scores[hit.id] for hit in quick], abs=1e-12)
        assert [hit.rank for hit in quick] == list(range(1, 11))
        same += len({hit.id for hit in quick} & {hit.id for hit in exact})
    assert same >= 0.9 * 100
    assert searcher.note("image") == ""
    assert searcher.index("audio") is None


def test_several_queries_at_once_find_the_same(finished: tuple[Path, Outcome]) -> None:
    searcher = Searcher(finished[0])
    asked = [query(searcher, row) for row in (1, 50, 300)]
    together = searcher.search_many(asked, "image", 5)
    assert together == [searcher.search(one, "image", 5) for one in asked]


def test_filters_hold_in_an_index(finished: tuple[Path, Outcome], small_counts_as_large: None) -> None:
    searcher, where = Searcher(finished[0]), Filter(splits=("test",), where="start_seconds < 3")
    allowed = where.rows(searcher.table)
    for row in (3, 77):
        hits = searcher.search(query(searcher, row), "image", 10, where)
        assert len(hits) == 10
        assert all(allowed[hit.row] for hit in hits)
        exact = searcher.search(query(searcher, row), "image", 10, where, exact=True)
        assert len({hit.id for hit in hits} & {hit.id for hit in exact}) >= 9


def test_the_fewer_may_be_found_the_wider_an_index_is_asked() -> None:
    assert Effort(3, 4).among(0.5, 100) == Effort(6, 4)
    assert Effort(3, 4).among(0.001, 100) == Effort(100, 4)
    assert Effort(1, 1, 32).among(0.25, 1) == Effort(1, 1, 128)
    assert Effort(2, 1).among(0.0, 1) == Effort(1, 1)


def test_where_an_index_gives_too_few_all_are_compared(
    finished: tuple[Path, Outcome], small_counts_as_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    searcher = Searcher(finished[0])
    index = searcher.index("image")
    assert index is not None
    assert index.measured is not None
    one_cell = replace(index, measured=replace(index.measured, effort=Effort(1)))
    monkeypatch.setitem(searcher._index, "image", one_cell)
    vector = query(searcher, 9)
    assert (
        len(approximate(searcher.table, searcher.columns["image"], Effort(1), vector.vector[None], 590)[0].places) < 590
    )
    assert searcher.search(vector, "image", 590) == searcher.search(vector, "image", 590, exact=True)


def test_lancedb_reads_the_same_index(finished: tuple[Path, Outcome]) -> None:
    import lancedb

    path, outcome = finished
    searcher = Searcher(path)
    table = lancedb.connect(str(path.parent)).open_table("clips")
    vector = query(searcher, 40)
    found = (
        table.search(vector.vector, vector_column_name="image_toy")
        .distance_type("cosine")
        .nprobes(outcome.measured.cells)
        .refine_factor(64)
        .limit(10)
        .to_list()
    )
    ours = searcher.search(vector, "image", 10, exact=True)
    assert [row["id"] for row in found] == [hit.id for hit in ours]
    assert [1 - row["_distance"] for row in found] == pytest.approx([hit.score for hit in ours], abs=1e-5)
    assert [index.name for index in table.list_indices()] == ["image_toy_index"]


# -------------------------------------------------------------------------------------------- staleness, interruptions
def test_new_clips_are_found_although_the_index_misses_them(fresh: Path, small_counts_as_large: None) -> None:
    build(fresh, "ivf_pq")
    made_tables.append(fresh, 30)
    searcher = Searcher(fresh)
    assert "does not cover 30 of 630 clips" in searcher.note("image")
    own = Query("image", searcher.table.vectors(searcher.columns["image"]).of(615))
    assert searcher.search(own, "image", 1)[0].row == 615
    outcome = build(fresh)
    assert outcome.done == "extended"
    assert outcome.measured is not None
    assert outcome.measured.vectors == 629
    searcher = Searcher(fresh)
    assert searcher.note("image") == ""
    assert searcher.search(own, "image", 1)[0].row == 615


def test_an_index_goes_with_its_vectors(fresh: Path) -> None:
    """Other vectors under the same name: Lance drops the index with the column, and nothing is remembered of it."""
    build(fresh, "ivf_pq")
    lance.dataset(str(fresh)).drop_columns(["image_toy"])
    _, image = made_tables.clustered(COUNT, 32, seed=5)
    made_tables.write(fresh, {"image": list(image)}, "v" * 16, "toy")
    searcher = Searcher(fresh)
    assert searcher.index("image") is None
    hits = searcher.search(Query("image", image[7]), "image", 1)
    assert (hits[0].row, hits[0].score) == (7, pytest.approx(1.0))
    assert build(fresh, "ivf_pq").done == "built"


def test_an_index_of_other_weights_is_not_asked(fresh: Path) -> None:
    build(fresh, "ivf_pq")
    table = EmbeddedTable(fresh)
    other = replace(table.columns_of()["image"], weights="v" * 16)
    found = index_of(table, other)
    assert found is not None
    assert found.measured is None
    assert "other weights: all vectors are compared instead; try: seehear index" in found.note


def test_an_index_that_was_never_measured_is_not_asked(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between the two commits."""

    def stopped(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(building, "measure", stopped)
        with pytest.raises(KeyboardInterrupt):
            build(fresh, "ivf_pq")
    searcher = Searcher(fresh)
    assert "never measured (its building was interrupted): all vectors are compared" in searcher.note("image")
    vector = query(searcher, 3)
    assert searcher.search(vector, "image", 10) == searcher.search(vector, "image", 10, exact=True)
    assert build(fresh, "ivf_pq").done == "built"
    assert Searcher(fresh).note("image") == ""


_KILLED = """
import sys
from seehear.search import EmbeddedTable, Wish, build_index
table = EmbeddedTable(sys.argv[1])
print("go", flush=True)
build_index(table, table.columns_of()["image"], Wish("ivf_pq", cells=12, queries=12))
"""


@pytest.mark.parametrize("instants", [(0.03,), pytest.param(np.linspace(0, 0.5, 9), marks=pytest.mark.full)])
def test_a_kill_while_building_leaves_a_table_that_can_be_searched(instants: Sequence[float], tmp_path: Path) -> None:
    """Killed at some instants of building and measuring one after the other, then built to the end."""
    path, killed = made_tables.large(tmp_path / "clips.lance", 3000), 0
    for seconds in instants:
        child = subprocess.Popen([sys.executable, "-c", _KILLED, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        assert child.stdout.readline() == b"go\n"
        time.sleep(seconds)
        child.kill()
        child.wait()
        searcher = Searcher(path)
        index = searcher.index("image")
        if index is not None and index.measured is not None:  # it was quicker
            break
        killed += 1
        assert index is None or "interrupted" in index.note
        vector = query(searcher, 0)
        assert searcher.search(vector, "image", 10) == searcher.search(vector, "image", 10, exact=True)
    assert killed
    assert build(path, "ivf_pq", cells=12).measured is not None
    assert Searcher(path).note("image") == ""


def test_notes_of_another_version_are_refused(fresh: Path) -> None:
    build(fresh, "ivf_pq")
    column = EmbeddedTable(fresh).columns_of()["image"]
    lance.dataset(str(fresh)).update_config({key_of(column): '{"kind": "ivf_pq", "colour": "red"}'})
    with pytest.raises(StorageError, match=r"cannot be understood.*--kind exact"):
        Searcher(fresh).note("image")


# -------------------------------------------------------------------------------------------------------- other writers
def test_an_index_of_vectors_that_another_process_took_away_is_refused(fresh: Path) -> None:
    table = EmbeddedTable(fresh)
    lance.dataset(str(fresh)).drop_columns(["image_toy"])
    with pytest.raises(StorageError, match=r"written by another process meanwhile.*run this command again"):
        build_index(table, table.columns_of()["image"], Wish("ivf_pq", queries=12))
    assert lance.dataset(str(fresh)).describe_indices() == []


def test_vectors_taken_away_while_the_index_is_built_leave_a_sound_table(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lance alone would commit the index and then fail to open the table's indexes."""
    table = EmbeddedTable(fresh)
    build_it = type(table.dataset).create_index

    def meddled(dataset, *words, **options):
        lance.dataset(str(fresh)).drop_columns(["image_toy"])
        return build_it(dataset, *words, **options)

    monkeypatch.setattr(type(table.dataset), "create_index", meddled)
    with pytest.raises(StorageError, match="written by another process meanwhile"):
        build_index(table, table.columns_of()["image"], Wish("ivf_pq", queries=12))
    assert lance.dataset(str(fresh)).describe_indices() == []
    assert len(Searcher(fresh).search(query(Searcher(fresh), 0), "audio", 3)) == 3


def test_a_second_builder_is_refused(fresh: Path) -> None:
    with (
        alone(Path(f"{fresh}.index.lock"), "building an index"),
        pytest.raises(UsageError, match=r"another process is building an index.*wait for it"),
    ):
        build(fresh, "ivf_pq")
    assert build(fresh, "ivf_pq").done == "built"


def test_a_full_disk_is_one_error_and_the_table_stays(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = EmbeddedTable(fresh)

    def full(*_args, **_options):
        raise OSError("LanceError(IO): No space left on device (os error 28)")

    monkeypatch.setattr(type(table.dataset), "create_index", full)
    with pytest.raises(StorageError, match=r"disk is full.*run the same command again"):
        build_index(table, table.columns_of()["image"], Wish("ivf_pq", queries=12))
    assert Searcher(fresh).index("image") is None
