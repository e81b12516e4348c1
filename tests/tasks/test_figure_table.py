"""Figures as JSON and text, and held against chance."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.contracts import Figure
from seehear.errors import DataError, StorageError, UsageError
from seehear.tasks import below_chance_factor, from_json, read_figures, table, times_chance, to_json, write_figures

R10 = Figure("retrieval/a/R@10", 0.2, 0.05, untrained=0.06, ceiling=0.4, note="200 clips", lower_bound=0.18)
R1 = Figure("retrieval/a/R@1", 0.02, 0.005, ceiling=0.04, note="200 clips", lower_bound=0.01)
ERROR = Figure("reconstruction/image", 0.4, 1.0, baselines={"mean patch": 0.9}, higher_is_better=False)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
FIGURES = st.builds(
    Figure,
    name=st.text(),
    value=NUMBERS,
    chance=st.none() | NUMBERS,
    untrained=st.none() | NUMBERS,
    ceiling=st.none() | NUMBERS,
    baselines=st.dictionaries(st.text(), NUMBERS),
    higher_is_better=st.booleans(),
    note=st.text(),
    lower_bound=st.none() | NUMBERS,
)


@settings(deadline=None, max_examples=30)
@given(st.lists(FIGURES, max_size=5))
def test_json_round_trip(figures):
    assert from_json(to_json(figures)) == figures
    assert table(figures).count("\n") >= len(figures)


def test_files_round_trip(tmp_path):
    write_figures([R10, ERROR], tmp_path / "figures.json")
    assert read_figures(tmp_path / "figures.json") == [R10, ERROR]
    with pytest.raises(StorageError, match="cannot read"):
        read_figures(tmp_path / "none.json")
    with pytest.raises(StorageError, match="cannot write"):
        write_figures([R10], tmp_path / "no" / "figures.json")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "figures": [{"nmae": "x"}]}'])
def test_damaged_json_is_named(text):
    with pytest.raises(StorageError, match=r"damaged|another format"):
        from_json(text)


def test_numbers_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="'b' holds NaN"):
        to_json([R1, Figure("b", float("nan"))])
    with pytest.raises(DataError, match="'c' holds NaN"):
        to_json([Figure("c", 0.0, baselines={"x": float("inf")})])


def test_times_chance():
    assert times_chance(R10) == pytest.approx(4.0)
    assert times_chance(R10, lower_bound=True) == pytest.approx(3.6)
    assert times_chance(ERROR) is None
    assert times_chance(Figure("x", 0.5)) is None
    assert times_chance(Figure("x", 0.5, 0.1), lower_bound=True) is None


def test_figures_short_of_a_factor_are_found():
    assert below_chance_factor([R10, R1, ERROR], 3.9, "retrieval/*") == []
    assert below_chance_factor([R10, R1], 2.5, "*", lower_bound=True) == [R1]
    assert below_chance_factor([R10, R1], 4.1) == [R10, R1]
    with pytest.raises(UsageError, match="no figure is named"):
        below_chance_factor([R10], 2.0, "retreival/*")
    with pytest.raises(UsageError, match="cannot be held against chance"):
        below_chance_factor([R10, ERROR], 2.0)


def test_table_shows_floors_and_ceilings():
    text = table([R10, R1, ERROR]).splitlines()
    assert " ".join(text[0].split()) == "figure value 95 % from chance x chance untrained floors ceiling"
    assert " ".join(text[2].split()) == "retrieval/a/R@10 0.200 0.180 0.050 4.0 0.060 - 0.400"
    assert "reconstruction/image (lower is better)" in text[4]
    assert "mean patch 0.900" in text[4]
    assert text[-1] == "retrieval/a/R@10, retrieval/a/R@1: 200 clips"
    assert "200 clips" not in table([R10], notes=False)
