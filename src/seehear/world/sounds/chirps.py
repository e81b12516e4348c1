"""Bird song: syllables of 60 to 200 ms, each a tone swept and wobbled in frequency (FM), with a weak second harmonic.

Legend: S samples.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Event, Source
from seehear.world.sounds.levels import SAMPLE_RATE, TOP_HZ, edges, span, unit_peak
from seehear.world.streams import stream


def chirping(source: Source, events: tuple[Event, ...], samples: int, *, sweep: float) -> ndarray:
    """Sound of chirps, `[S]` float32; `sweep` is the individual's habitual glide in octaves."""
    rng = stream(source.seed, "chirps")
    own = stream(source.instance.seed, "song")
    wobble_hz, depth = own.uniform(15, 45), own.uniform(0.02, 0.12)
    result = np.zeros(samples)
    for event in events:
        clip = span(event.start_seconds, event.stop_seconds, samples)
        length = clip.stop - clip.start
        if length < 16:
            continue
        share = np.arange(length) / length
        seconds = np.arange(length) / SAMPLE_RATE
        octaves = sweep * (share - 0.5) + rng.normal(0, 0.08)
        octaves = octaves + depth * np.sin(2 * np.pi * (wobble_hz * seconds + rng.uniform()))
        hertz = np.minimum(source.pitch_hz * 2**octaves, TOP_HZ)
        phase = 2 * np.pi * np.cumsum(hertz) / SAMPLE_RATE
        tone = np.sin(phase) + 0.15 * np.where(hertz < TOP_HZ / 2, np.sin(2 * phase), 0)
        result[clip] += event.strength * tone * edges(length, 0.012, 0.03)
    return unit_peak(result).astype(np.float32)
