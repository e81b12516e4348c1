"""Fire, shaker, dog, frog, ball and walker against the laws that name them."""

import dataclasses

import numpy as np
import pytest

from seehear.world.classes import kind
from seehear.world.classes.walker import stride_phase
from seehear.world.painting.motion import strokes
from seehear.world.scenes import Event, Instance, Source
from seehear.world.sounds.barks import LONGEST_SECONDS, SHORTEST_SECONDS
from seehear.world.sounds.bounces import contacts
from seehear.world.sounds.crackle import cracks_per_second

RATE, SAMPLES = 16_000, 51_200
HIT = (Event(0, "impact", 0.5, 0.7, 1.0, 0),)
RUN = (Event(0, "runs", 0.1, 3.2, 1.0, 0),)
CALL = (Event(0, "stroke", 0.5, 1.5, 1.0, 0),)


def sound(name: str, hertz: float, events: tuple[Event, ...], **code: float) -> np.ndarray:
    """Dry sound of a middling individual; `code` names the places of its shape code that differ ("c0", ...)."""
    values = [code.get(f"c{k}", 0.5) for k in range(8)]
    who = Instance(name, 0, tuple(values), 0.5, 7)
    return kind(name).voice(Source(who, 0, hertz, 0.0, 11), events, SAMPLES).astype(float)


def test_a_ball_bounces_by_its_restitution():
    e, interval = 0.8, 0.6
    touches = contacts((Event(0, "runs", 0.3, 3.2, 0.9, 0),), e, interval)
    starts = np.array([touch.start_seconds for touch in touches])
    strengths = np.array([touch.strength for touch in touches])
    assert starts[0] == 0.3
    assert starts[1] - starts[0] == pytest.approx(interval)
    np.testing.assert_allclose(np.diff(starts)[1:] / np.diff(starts)[:-1], e, rtol=1e-4)
    np.testing.assert_allclose(strengths[1:] ** 2 / strengths[:-1] ** 2, e**2, rtol=1e-4)
    assert starts[-1] < 3.2


def test_a_balls_contacts_are_heard():
    for code, e in ((0.0, 0.7), (1.0, 0.86)):
        touches = contacts(RUN, e, 0.625)
        heard = sound("ball", 200.0, touches, c0=code)
        for touch in touches[:3]:
            at = round(touch.start_seconds * RATE)
            assert np.abs(heard[at : at + 80]).max() > 5 * np.abs(heard[at - 80 : at - 1]).max() + 1e-4


def test_a_bark_is_short_and_its_formants_fall():
    bark = sound("dog", 300.0, HIT)[8_000:]
    length = np.flatnonzero(bark)[-1] / RATE
    assert SHORTEST_SECONDS - 0.005 < length < LONGEST_SECONDS + 0.005

    def centroid(part: np.ndarray) -> float:
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4_096)) ** 2
        hertz = np.fft.rfftfreq(4_096, 1 / RATE)
        voiced = hertz < 3_000
        return float((power * hertz)[voiced].sum() / power[voiced].sum())

    end = int(length * RATE)
    assert centroid(bark[int(0.15 * end) : int(0.35 * end)]) > 1.12 * centroid(bark[int(0.7 * end) : int(0.9 * end)])


@pytest.mark.parametrize(("place", "expected"), [(0.0, 20.0), (0.5, 34.6), (1.0, 60.0)])
def test_a_frog_pulses_at_its_rate(place, expected):
    croak = sound("frog", 800.0, CALL, c2=place)[8_000 : 8_000 + 3_200]  # its first fifth of a second
    envelope = np.abs(croak).reshape(-1, 16).mean(axis=1)
    spectrum = np.abs(np.fft.rfft((envelope - envelope.mean()) * np.hanning(len(envelope)), 2**14))
    low = int(14 / 1_000 * 2**14)
    high = int(75 / 1_000 * 2**14)
    assert (low + spectrum[low:high].argmax()) / 2**14 * 1_000 == pytest.approx(expected, rel=0.15)


def test_cracks_of_a_fire_are_heavy_tailed_and_as_many_as_its_rate_says():
    assert cracks_per_second(0.0) == pytest.approx(8)
    assert cracks_per_second(1.0) == pytest.approx(60)

    def unevenness(heard: np.ndarray) -> float:
        bright = np.diff(heard, n=2)[4_000:50_000]
        return float((bright**4).mean() / (bright**2).mean() ** 2)

    sparse, dense = (unevenness(sound("fire", 2_000.0, RUN, c0=c)) for c in (0.0, 1.0))
    assert sparse > dense > 10  # noise alone has 3


def test_a_shaker_is_loudest_where_its_motion_turns_round():
    events = tuple(Event(0, "stroke", 0.4 + 0.6 * k, 1.0 + 0.6 * k, 1.0, k % 2) for k in range(4))
    heard = sound("shaker", 3_000.0, events)
    for event in events:
        at = round(event.start_seconds * RATE)
        assert (heard[at : at + 800] ** 2).mean() > 30 * (heard[at - 1_600 : at - 1] ** 2).mean()
    turns = strokes(np.array([event.start_seconds for event in events]), events)
    np.testing.assert_allclose(np.abs(turns), 1)


def test_heels_strike_at_whole_phases_by_turns():
    events = tuple(Event(0, "impact", s, s + 0.1, 1.0, (k + 1) % 2) for k, s in enumerate((0.5, 0.9, 2.0, 2.3)))
    starts = np.array([event.start_seconds for event in events])
    np.testing.assert_allclose(stride_phase(starts, events), [1, 2, 3, 4])
    times = np.linspace(0, 3.2, 400)
    phase = stride_phase(times, events)
    assert (np.diff(phase) >= 0).all()
    assert np.ptp(phase[(times > 0.9) & (times < 2.0 - 0.56)]) == 0  # the walker waits before a late step
    assert not stride_phase(times, ()).any()


def test_gravel_crunches_and_boards_do_not():
    def high_share(gravel: float) -> float:
        power = np.abs(np.fft.rfft(sound("walker", 150.0, HIT, c0=gravel))) ** 2
        hertz = np.fft.rfftfreq(SAMPLES, 1 / RATE)
        return float(power[hertz > 1_500].sum() / power.sum())

    assert high_share(1.0) > 5 * high_share(0.0)


@pytest.mark.parametrize("name", ["fire", "shaker", "dog", "frog", "ball", "walker"])
def test_the_ends_of_pitch_and_code_sound_up_to_the_clips_last_sample(name):
    for value, hertz in zip((0.0, 1.0), kind(name).pitch_range_hz, strict=True):
        late = dataclasses.replace(CALL[0], start_seconds=3.15, stop_seconds=3.2)
        heard = sound(name, hertz, (CALL[0], late), **{f"c{k}": value for k in range(8)})
        assert np.isfinite(heard).all()
        assert heard[-200:].any()
