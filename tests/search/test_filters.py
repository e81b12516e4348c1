"""Filters: each condition against a plain loop over the clips, and what cannot be understood."""

from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pytest

from seehear.errors import UsageError
from seehear.search import EmbeddedTable, Filter


@pytest.fixture(scope="module")
def table(embedded_table: Path) -> EmbeddedTable:
    return EmbeddedTable(embedded_table)


def rows(table: EmbeddedTable, asked: Filter) -> list[int]:
    return np.flatnonzero(asked.rows(table)).tolist()


def test_no_condition_lets_all_through(table: EmbeddedTable) -> None:
    assert not Filter()
    assert Filter().rows(table).all()


def test_any_of_several_labels(table: EmbeddedTable) -> None:
    wanted = table.label_names[:2]
    expected = [i for i, names in enumerate(table.labels) if set(names) & set(wanted)]
    assert 0 < len(expected) < 24
    assert rows(table, Filter(labels=wanted)) == expected


def test_splits(table: EmbeddedTable) -> None:
    assert rows(table, Filter(splits=("test",))) == [i for i, split in enumerate(table.splits) if split == "test"]
    assert Filter(splits=("test", "train")).rows(table).all()


@pytest.mark.parametrize("pattern", ["videos/file00?.mp4", "*3.mp4", "videos/file%", "videos/file_03.mp4", "*", "'"])
def test_patterns_of_files(pattern: str, table: EmbeddedTable) -> None:
    """A percent sign and an underscore are letters like others here."""
    assert rows(table, Filter(source=pattern)) == [i for i, s in enumerate(table.sources) if fnmatchcase(s, pattern)]


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.7, None), (None, 1.6), (1.5, 1.7), (9.0, None)])
def test_a_stretch_of_time_takes_what_overlaps_it(start: float | None, end: float | None, table: EmbeddedTable) -> None:
    begins, ends = table.start_seconds, table.start_seconds + table.duration_seconds
    expected = (ends > (start or 0.0)) & (begins < (np.inf if end is None else end))
    assert rows(table, Filter(from_seconds=start, to_seconds=end)) == np.flatnonzero(expected).tolist()


def test_conditions_on_columns(table: EmbeddedTable) -> None:
    asked = Filter(where="start_seconds > 1 OR caption LIKE '%bell%'", splits=("train",))
    expected = [
        i
        for i in range(24)
        if (table.start_seconds[i] > 1 or "bell" in table.captions[i]) and table.splits[i] == "train"
    ]
    assert 0 < len(expected) < 12
    assert rows(table, asked) == expected


def test_brackets_within_quotes_are_text(table: EmbeddedTable) -> None:
    assert rows(table, Filter(where="caption = ')' OR caption = 'it''s ('")) == []


def test_a_name_with_a_quote_is_a_name(table: EmbeddedTable) -> None:
    with pytest.raises(UsageError, match="no label"):
        Filter(labels=("x'] OR true OR ['",)).rows(table)
    assert rows(table, Filter(source="' OR true --")) == []


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Filter(labels=("bel",)), "no label 'bel'.*one of its 8 labels, such as bell.*try: bell"),
        (Filter(splits=("tset",)), "no split 'tset'.*try: test"),
        (Filter(where="length > 2"), "No field named length.*duration_seconds .double.*caption"),
        (Filter(where="start_seconds >"), "cannot be understood"),
        (Filter(where="true) OR (true"), "a bracket or quote is not closed"),
        (Filter(where="caption = 'bell"), "a bracket or quote is not closed"),
        (Filter(where="true and nonsense here"), "cannot be understood"),
        (Filter(where="true --"), "cannot be understood"),
        (Filter(where="caption = bell"), "No field named bell.*single quotes"),
        (Filter(from_seconds=float("nan")), "from_seconds is nan"),
    ],
)
def test_what_the_table_has_not_is_named(asked: Filter, says: str, table: EmbeddedTable) -> None:
    with pytest.raises(UsageError, match=says):
        asked.rows(table)
