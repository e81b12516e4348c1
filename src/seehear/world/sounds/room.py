"""Room response: exponentially decaying noise (Moorer, Computer Music Journal 1979) after a direct path of gain 1.

The reverberation time belongs to the background instance, which also shows it: deep rooms and hard walls ring longer.
Off-screen sources lose their highs and get more of the room.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray
from scipy.signal import fftconvolve

from seehear.world.scenes import Background
from seehear.world.sounds.filters import filtered
from seehear.world.sounds.levels import SAMPLE_RATE
from seehear.world.streams import stream

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 0.9
OFF_SCREEN_POLE = 0.7  # one-pole low-pass, corner about 900 Hz
OFF_SCREEN_WET = 2.0


def reverberation_seconds(depth: float, hardness: float) -> float:
    """T60 of a room of depth 0 to 1 and wall hardness 0 to 1."""
    share = 0.65 * depth + 0.35 * hardness
    return SHORTEST_SECONDS * (LONGEST_SECONDS / SHORTEST_SECONDS) ** share


def respond(background: Background, sound: ndarray, off_screen: bool) -> ndarray:
    """A dry sound `[S]` as heard in the room, `[S]` float32; the direct path arrives at once."""
    if off_screen:
        sound = filtered([1 - OFF_SCREEN_POLE], [1.0, -OFF_SCREEN_POLE], sound).astype(np.float32)
    tail = _tail(background)
    wet = np.asarray(fftconvolve(sound, tail))[: len(sound)]
    return (sound + np.float32(OFF_SCREEN_WET if off_screen else 1.0) * wet).astype(np.float32)


def _tail(background: Background) -> ndarray:
    """The reverberant part; its energy relative to the direct path grows with the reverberation time."""
    rng = stream(background.seed, "room")
    length = round(background.reverberation_seconds * SAMPLE_RATE)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    tail = rng.standard_normal(length).astype(np.float32) * np.exp(-6.9 * time / background.reverberation_seconds)
    tail[: round(0.004 * SAMPLE_RATE)] = 0
    tail = filtered([0.5], [1.0, -0.5], tail)
    ratio_db = -12 + 14 * (background.reverberation_seconds - SHORTEST_SECONDS) / (LONGEST_SECONDS - SHORTEST_SECONDS)
    return (tail * (10 ** (ratio_db / 20) / np.sqrt(np.sum(tail**2) + 1e-12))).astype(np.float32)
