import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.clips.cutting import Span, cut
from seehear.errors import UsageError

durations = st.floats(0.0, 500.0)
lengths = st.floats(0.1, 60.0)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (0.0, [(0, 0.0)]),
        (3.0, [(0, 3.0)]),
        (10.0, [(0, 10.0)]),
        (10.008, [(0, 10.008)]),
        (14.999, [(0, 14.999)]),
        (15.0, [(0, 10), (10, 5.0)]),
        (24.0, [(0, 10), (10, 14.0)]),
        (26.0, [(0, 10), (10, 10), (20, 6.0)]),
    ],
)
def test_the_rule_of_the_tail(duration: float, expected: list) -> None:
    assert cut(duration, 10, 10) == [Span(start, pytest.approx(length)) for start, length in expected]


def test_overlapping_clips_and_gaps() -> None:
    assert cut(22, 10, 5) == [Span(0, 10), Span(5, 10), Span(10, 10), Span(15, 7)]
    assert cut(21, 10, 4) == [Span(0, 10), Span(4, 10), Span(8, 10), Span(12, 9)]
    assert cut(20, 10, 5) == [Span(0, 10), Span(5, 10), Span(10, 10)]
    assert cut(43, 10, 30) == [Span(0, 10), Span(30, 10)]
    assert cut(64, 10, 30) == [Span(0, 10), Span(30, 10)]
    assert cut(66, 10, 30) == [Span(0, 10), Span(30, 10), Span(60, 6)]


def test_a_stretch_keeps_its_place() -> None:
    assert cut(20, 10, 10, start_seconds=5) == [Span(5, 10), Span(15, 10)]


def test_most_clips_are_spread_evenly() -> None:
    assert [span.start_seconds for span in cut(3600, 10, 10, most=4)] == [450, 1350, 2250, 3150]
    assert cut(35, 10, 10, most=10) == cut(35, 10, 10)


@given(durations, lengths)
def test_clips_without_overlap_tile_the_recording(duration: float, clip: float) -> None:
    spans = cut(duration, clip, clip)
    assert spans[0].start_seconds == 0
    for span, after in itertools.pairwise(spans):
        assert after.start_seconds == pytest.approx(span.start_seconds + span.duration_seconds)
    assert spans[-1].start_seconds + spans[-1].duration_seconds == pytest.approx(duration)
    for span in spans:
        whole = duration < clip
        assert whole or clip / 2 - 1e-5 <= span.duration_seconds <= 1.5 * clip + 1e-5


@given(durations, lengths, lengths, st.integers(1, 20))
def test_any_cut_lies_within_the_recording(duration: float, clip: float, hop: float, most: int) -> None:
    spans = cut(duration, clip, hop, most=most)
    assert 1 <= len(spans) <= most
    starts = [span.start_seconds for span in spans]
    assert starts == sorted(set(starts))
    for span in spans:
        assert span.start_seconds + span.duration_seconds <= duration + 1e-5
        assert span.duration_seconds >= min(duration, clip / 2) - 1e-5


@pytest.mark.parametrize(
    ("clip", "hop", "most"), [(0, 1, None), (1, 0, None), (1, -1, None), (1, 1, 0), (math.nan, 1, 1), (1, math.inf, 1)]
)
def test_bad_lengths_are_refused(clip: float, hop: float, most: int | None) -> None:
    with pytest.raises(UsageError, match="positive"):
        cut(10, clip, hop, most=most)
