"""Searching: the ranks of the retrieval evaluation, own clips left out, filters, other weights, k."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seehear.contracts import Modality
from seehear.errors import StorageError, UsageError
from seehear.metrics import paired_ranks
from seehear.search import Filter, Query, Searcher, query_of_clip, searching
from seehear.weights import Encoder
from tests.search import made_tables


@pytest.fixture(scope="module")
def searcher(embedded_table: Path) -> Searcher:
    return Searcher(embedded_table, encoder=made_tables.encoder())


def queries(searcher: Searcher, clip: str) -> dict[Modality, Query]:
    return {query.modality: query for query in query_of_clip(searcher.table, clip)}


@pytest.mark.parametrize(("asking", "target"), [("audio", "image"), ("image", "audio")])
def test_ranks_are_those_of_the_retrieval_evaluation(asking: Modality, target: Modality, searcher: Searcher) -> None:
    """The gallery of the evaluation is the clips that have both; here a filter takes the others out."""
    table, columns = searcher.table, searcher.columns
    both = np.flatnonzero(table.has_audio & table.has_image)
    one, other = (table.vectors_at(columns[modality], both).values for modality in (asking, target))
    expected = paired_ranks(one, other)[0]
    where = Filter(where=f"id NOT IN ('{made_tables.ONLY_SOUND}', '{made_tables.ONLY_PICTURE}')")
    asked = [queries(searcher, table.names[row])[asking] for row in both]
    for row, rank, hits in zip(both, expected, searcher.search_many(asked, target, 24, where), strict=True):
        assert len(hits) == 22
        assert next(hit.rank for hit in hits if hit.row == row) == rank
        assert [hit.rank for hit in hits] == list(range(1, 23))


def test_a_hit_says_all_that_is_known_of_the_clip(searcher: Searcher) -> None:
    query = queries(searcher, "clip003")["audio"]
    table = searcher.table
    for hit in searcher.search(query, "image", 30):
        row = table.row(hit.id)
        assert hit.row == row
        assert (hit.source, hit.split, hit.caption) == (table.sources[row], table.splits[row], table.captions[row])
        assert hit.labels == tuple(table.labels[row])
        assert (hit.start_seconds, hit.duration_seconds) == (table.start_seconds[row], table.duration_seconds[row])
        vector = table.vectors(searcher.columns["image"]).of(row)
        assert vector is not None
        assert hit.score == pytest.approx(float(vector.astype(np.float64) @ query.vector), abs=1e-6)


def test_a_clip_is_left_out_of_its_own_hits_in_its_own_modality_only(searcher: Searcher) -> None:
    for asking, query in queries(searcher, "clip005").items():
        for target in searcher.modalities:
            hits = searcher.search(query, target, 24)
            assert ("clip005" in [hit.id for hit in hits]) == (asking != target)
            assert len(hits) == len(searcher.table.vectors(searcher.columns[target])) - (asking == target)
            assert len(searcher.search(query, target, 3)) == 3


def test_the_same_vector_from_a_file_does_find_the_clip(searcher: Searcher) -> None:
    query = replace(queries(searcher, "clip005")["audio"], clip=None)
    best = searcher.search(query, "audio", 1)[0]
    assert (best.id, best.score) == ("clip005", pytest.approx(1, abs=1e-6))


def test_filters_take_clips_out_before_the_best_are_counted(searcher: Searcher) -> None:
    query = queries(searcher, "clip001")["audio"]
    every = searcher.search(query, "image", 24)
    where = Filter(splits=("test",))
    assert [hit.id for hit in searcher.search(query, "image", 4, where)] == [h.id for h in every if h.split == "test"][
        :4
    ]
    assert searcher.search(query, "image", 4, Filter(where="duration_seconds > 99")) == []
    assert searcher.search(query, "image", 24, Filter()) == every


def test_filters_read_no_more_than_they_need(embedded_table: Path, searcher: Searcher) -> None:
    query, where = queries(searcher, "clip001")["audio"], Filter(splits=("test",))
    fresh = Searcher(embedded_table)
    expected = searcher.search(query, "image", 5, where)
    assert fresh.search(query, "image", 5, where) == expected
    assert not fresh.table._vectors


def test_ties_go_by_id(own_table: Path) -> None:
    made_tables.write(own_table, {"image": [np.eye(4)[0]] * 24}, "x" * 16, "flat")
    searcher = Searcher(own_table, "flat")
    hits = searcher.search(Query("audio", np.eye(4)[0].astype(np.float32)), "image", 24)
    assert [hit.id for hit in hits] == sorted(searcher.table.names)


# ------------------------------------------------------------------------------------------------------------- refusals
def test_the_model_is_loaded_by_the_name_in_the_columns(embedded_table: Path) -> None:
    searcher = Searcher(embedded_table)
    assert searcher.encoder.about.weights == searcher.about.weights
    assert searcher.encoder is searcher.encoder


def test_other_weights_than_the_columns_are_refused(embedded_table: Path) -> None:
    ours = made_tables.encoder()
    other = Encoder(ours.method, about=replace(ours.about, weights="0" * 16))
    with pytest.raises(
        StorageError, match=r"weights of avsiam-world are 0{16}.*seehear embed avsiam-world .* --overwrite"
    ):
        Searcher(embedded_table, encoder=other)


def test_weights_that_changed_since_are_refused_when_they_are_needed(own_table: Path) -> None:
    """Vectors of the table can still be searched with each other."""
    made_tables.write(own_table, {"audio": [np.eye(4)[0]] * 24}, "0" * 16, slug="earlier")
    searcher = Searcher(own_table, "earlier")
    with pytest.raises(StorageError, match=r"expected 0{16}, which made the vectors.*trained on or replaced"):
        _ = searcher.encoder
    assert len(searcher.search(query_of_clip(searcher.table, "clip001", "earlier")[0], "audio", 3)) == 3


def test_of_two_sets_of_vectors_by_one_model_the_column_is_named(own_table: Path) -> None:
    made_tables.write(own_table, {"audio": [np.eye(4)[0]] * 24}, "0" * 16, slug="earlier")
    assert Searcher(own_table, "avsiam_world").about.weights == made_tables.encoder().about.weights
    with pytest.raises(UsageError, match="2 models: avsiam_world, earlier"):
        Searcher(own_table, made_tables.MODEL)


@pytest.mark.parametrize(
    ("target", "k", "width", "says"),
    [("image", 0, 64, "k is 0"), ("image", 3, 5, "a query is .5,. wide"), ("video", 3, 64, "no video vectors")],
)
def test_what_cannot_be_searched_is_refused(target: str, k: int, width: int, says: str, searcher: Searcher) -> None:
    query = Query("audio", np.ones(width, np.float32))
    with pytest.raises(UsageError, match=says):
        searcher.search(query, target, k)  # type: ignore[arg-type]


def test_another_models_table_is_said(embedded_table: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown model 'cav_mae'.*expected one of avsiam_world"):
        Searcher(embedded_table, "cav_mae")


def test_a_limit_of_few_is_only_about_speed(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    query, where = queries(searcher, "clip001")["audio"], Filter(splits=("test",))
    expected = searcher.search(query, "image", 5, where)
    monkeypatch.setattr(searching, "EXACT_BELOW", 0)
    assert searcher.search(query, "image", 5, where) == expected
