import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.clips.choice import FIXED, DrawnChoice, choose_frames
from seehear.clips.window import wanted
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import UsageError


def test_evaluation_takes_the_middle_or_spreads_evenly() -> None:
    times = np.arange(10) + 0.5
    assert choose_frames(times, 1, FIXED).tolist() == [5]
    assert choose_frames(times, 2, FIXED).tolist() == [2, 7]
    assert choose_frames(times, 10, FIXED).tolist() == list(range(10))
    assert choose_frames(times[:1], 3, FIXED).tolist() == [0, 0, 0]
    assert choose_frames(times[:3], 6, FIXED).tolist() == [0, 0, 1, 1, 2, 2]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_drawn_frames_are_distinct_and_in_order(offered: int, count: int, seed: int) -> None:
    draws = np.random.default_rng(seed).random(12)
    places = choose_frames(np.arange(offered) * 0.3, count, DrawnChoice(0.5, draws))
    assert len(places) == count
    assert np.all(np.diff(places) >= 0)
    assert places.min() >= 0
    assert places.max() < offered
    assert len(set(places.tolist())) == min(offered, count)


@given(st.floats(0, 0.999), st.floats(0.1, 9.0), st.integers(1, 6), st.integers(0, 1000))
def test_frames_come_from_the_window_of_the_sound(place: float, seconds: float, count: int, seed: int) -> None:
    times = np.arange(10) + 0.5
    choice = DrawnChoice(place, np.random.default_rng(seed).random(10))
    take = wanted(Needs(AudioNeed(seconds), FrameNeed(count, 8, 8)), choice, 10.0, times)
    assert take.places is not None
    assert 0 <= take.start_seconds <= 10 - seconds + 1e-9
    inside = [
        i for i, t in enumerate(times) if take.start_seconds <= t + 1e-6 and t + 1e-6 < take.start_seconds + seconds
    ]
    if inside:
        assert set(take.places.tolist()) <= set(inside)
        assert len(set(take.places.tolist())) == min(count, len(inside))
    else:
        assert set(take.places.tolist()) == {max(0, int(np.searchsorted(times, take.start_seconds)) - 1)}


def test_every_frame_is_drawn_alike() -> None:
    rng = np.random.default_rng(0)
    counts = np.zeros(10)
    for _ in range(4000):
        counts[choose_frames(np.arange(10.0), 3, DrawnChoice(0, rng.random(10)))] += 1
    assert np.abs(counts - 1200).max() < 5 * np.sqrt(4000 * 0.3 * 0.7)


def test_short_sound_is_taken_whole() -> None:
    take = wanted(Needs(AudioNeed(5.0)), DrawnChoice(0.9, np.empty(0)), 3.0, np.empty(0))
    assert take.start_seconds == 0
    assert take.places is None


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(UsageError, match="one draw for each frame"):
        choose_frames(np.arange(5.0), 2, DrawnChoice(0, np.zeros(3)))
