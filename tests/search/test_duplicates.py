"""Near-duplicates against a loop over all pairs, groups, modalities, overlapping windows."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.search import EmbeddedTable, Filter, duplicates, near_duplicates
from tests.search import made_tables

THRESHOLD = 0.97


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedTable:
    """40 clips in tight clusters; some have no picture."""
    return EmbeddedTable(made_tables.large(tmp_path_factory.mktemp("near") / "clips.lance", 40, 6, without=[3, 4, 11]))


def slowly(table: EmbeddedTable, modalities: list[str], threshold: float) -> dict[tuple[int, int], float]:
    """Pairs that are near in every modality, none of which only one of them has."""
    found = {}
    for one, other in combinations(range(len(table)), 2):
        scores, alike = [], True
        for modality in modalities:
            vectors = table.vectors(table.columns_of()[modality])
            a, b = vectors.of(one), vectors.of(other)
            if a is None or b is None:
                alike &= a is None and b is None
            else:
                scores.append(float(a.astype(np.float64) @ b) / float(np.linalg.norm(a) * np.linalg.norm(b)))
        if alike and scores and min(scores) >= threshold:
            found[one, other] = min(scores)
    return found


@pytest.mark.parametrize("modalities", [["audio"], ["image"], ["audio", "image"]])
@pytest.mark.parametrize("rows", [1024, 7])
def test_pairs_are_those_of_a_slow_loop(
    modalities: list, rows: int, table: EmbeddedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_duplicates, "_BLOCK_ROWS", rows)
    threshold = 0.7 if len(modalities) == 2 else 0.85
    expected = slowly(table, modalities, threshold)
    groups = duplicates(table, modalities, threshold)
    pairs = {(pair.one, pair.other): pair.score for group in groups for pair in group.pairs}
    assert len(expected) > 3
    assert pairs == pytest.approx(expected, abs=1e-6)


def test_groups_are_what_pairs_join(table: EmbeddedTable) -> None:
    groups = duplicates(table, ["audio"], 0.85)
    pairs = slowly(table, ["audio"], 0.85)
    joined = {frozenset(group.rows) for group in groups}
    reached: dict[int, set[int]] = {row: {row} for pair in pairs for row in pair}
    for _ in range(40):  # spread along pairs until nothing changes
        for one, other in pairs:
            reached[one] |= reached[other]
            reached[other] |= reached[one]
    assert joined == {frozenset(rows) for rows in reached.values()}
    assert [group.score for group in groups] == sorted((group.score for group in groups), reverse=True)
    assert all(group.score == max(pair.score for pair in group.pairs) for group in groups)


def test_sound_and_picture_are_what_is_compared_by_default(table: EmbeddedTable) -> None:
    assert duplicates(table, threshold=0.7) == duplicates(table, ["audio", "image"], 0.7)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedTable:
    """Windows of 2 s every second: neighbours of one file overlap, and all sound alike but for those of class 3."""
    import lance

    from seehear.clips import schema

    path = tmp_path_factory.mktemp("windows") / "clips.lance"
    rows = [schema.Row(f"w{i}", ("a.wav", "b.wav")[i >= 4], 1.0 * (i % 4), 2.0) for i in range(8)]
    lance.write_dataset(schema.to_table(rows, schema.schema()), str(path))
    vectors = [np.eye(4)[1 if i == 3 else 0] for i in range(8)]
    made_tables.write(path, {"audio": vectors}, "x" * 16, "toy")
    return EmbeddedTable(path)


def test_overlapping_windows_of_a_file_are_left_out_unless_asked_for(windows: EmbeddedTable) -> None:
    def pairs(**options) -> set[tuple[int, int]]:
        return {(pair.one, pair.other) for group in duplicates(windows, **options) for pair in group.pairs}

    alike = {(one, other) for one, other in combinations([0, 1, 2, 4, 5, 6, 7], 2)}
    neighbours = {(0, 1), (1, 2), (4, 5), (5, 6), (6, 7)}
    assert pairs(overlapping=True) == alike
    assert pairs() == alike - neighbours
    assert len(duplicates(windows)) == 1


def test_a_filter_and_progress(windows: EmbeddedTable) -> None:
    seen: list[tuple[int, int]] = []
    allowed = Filter(source="a*").rows(windows)
    groups = duplicates(windows, allowed=allowed, progress=lambda done, total: seen.append((done, total)))
    assert [group.rows for group in groups] == [(0, 2)]
    assert seen == [(4, 4)]


def test_what_cannot_be_compared_is_refused(windows: EmbeddedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for threshold in (0.0, 1.1, float("nan")):
        with pytest.raises(UsageError, match="a threshold of"):
            duplicates(windows, threshold=threshold)
    with pytest.raises(UsageError, match="no image vectors; expected one of audio"):
        duplicates(windows, ["image"])
    monkeypatch.setattr(near_duplicates, "MOST_PAIRS", 3)
    with pytest.raises(UsageError, match=r"more than 3 pairs above 0\.98"):
        duplicates(windows)


def test_nothing_alike_is_no_group(embedded_table: Path) -> None:
    assert duplicates(EmbeddedTable(embedded_table), threshold=1.0) == []
