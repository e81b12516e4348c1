"""Names, numbers and tables of figures."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.contracts import Figure
from seehear.reports import as_markdown, as_text
from seehear.reports.table import format_number, format_times, format_value, is_share, parts_of, times_chance

RECALL = Figure("retrieval/audio-to-image/R@10", 0.262, 0.05, 0.048, 0.4, note="gallery of 200", lower_bound=0.236)
RANK = Figure("retrieval/audio-to-image/median rank", 31, 100.5, 98, 12.5, higher_is_better=False)
ERROR = Figure("reconstruction/image/masked MSE", 0.52, None, 1.24, 0.0, {"mean patch": 1.0}, False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("retrieval/audio-to-image/R@10", ("Retrieval", "sound → picture · R@10")),
        ("linear-probe/both/top-1", ("Linear probe", "both · top-1")),
        ("knn/image/mAP", ("kNN", "picture · mAP")),
        ("modality-confusion/drop without audio", ("Modality confusion", "drop without sound")),
        ("loss", ("", "loss")),
    ],
)
def test_names_in_words(name, expected):
    assert parts_of(name) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\u2013"), (math.nan, "not finite"), (-math.inf, "not finite"), (0, "0"), (0.0, "0"), (31, "31"),
        (100.5, "100"), (0.44, "0.440"), (1.24, "1.24"), (1234567.0, "1,234,567"), (12.345, "12.3"),
        (0.000123, "1.23e-04"), (-0.5, "-0.500"), (1e20, "1.00e+20"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert format_number(value) == text


@given(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_any_number_prints_to_three_digits(value):
    text = format_number(value)
    if math.isfinite(value):
        exact = value.is_integer() and abs(value) < 1e15
        assert float(text.replace(",", "")) == pytest.approx(value, rel=0 if exact else 5.01e-3, abs=1e-300)


def test_shares_are_printed_in_percent():
    assert is_share(RECALL)
    assert [format_value(RECALL, x) for x in (0.262, 0.005, 1.0, 0.0, 0.9996)] == [
        "26.2 %", "0.50 %", "100 %", "0 %", "100 %"
    ]  # fmt: skip
    assert not is_share(RANK)
    assert not is_share(ERROR)
    assert not is_share(Figure("loss", 0.5))  # nothing to read it against
    assert format_value(Figure("d-prime", 1.7, 0.0), 1.7) == "1.70"


def test_times_chance_by_hand():
    assert times_chance(RECALL) == pytest.approx(5.24)
    assert times_chance(RANK) == pytest.approx(100.5 / 31)
    assert times_chance(ERROR) is None
    assert times_chance(Figure("x", 1.0, 0.0)) is None
    assert times_chance(Figure("x", 0.0, 2.0, higher_is_better=False)) is None
    assert times_chance(Figure("x", math.nan, 2.0)) is None
    assert format_times(RECALL) == "5.2\u00d7"


def test_the_text_table_is_aligned_and_drops_empty_columns():
    lines = as_text([RECALL, RANK, ERROR]).splitlines()
    assert [line[:12].strip() for line in lines] == [
        "figure",
        "------------",
        "Retrieval: s",
        "Retrieval: s",
        "Reconstructi",
    ]
    header = lines[0]
    for line, value in zip(lines[2:], ("26.2 %", "31", "0.520"), strict=True):
        end = header.index("value") + len("value")
        assert line[:end].endswith(value)
    assert "baselines" in header
    assert "baselines" not in as_text([RECALL])
    assert as_text([]) == as_markdown([]) == ""


def test_the_markdown_table_has_equal_rows_and_escapes_bars():
    table = as_markdown([RECALL, Figure("a|b", 1.0, note="x | y\nz")]).splitlines()
    assert table[0].startswith("| figure | value | 95 % from | times chance |")
    assert {line.replace("\\|", "").count("|") for line in table} == {table[0].count("|")}
    assert len(table) == 4
    assert "a\\|b" in table[3]


def test_d_prime_is_no_share_whatever_its_value():
    assert not is_share(Figure("fine-tuned/both/d'", 0.3, chance=0.0, untrained=0.1))
