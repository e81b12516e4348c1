"""Track P: two or three things of different classes are seen and sound together, each with its stem.

Half of the training clips are solos, for mix-and-separate training (Zhao et al., "The Sound of Pixels", ECCV 2018,
section 3): one source, to be mixed with that of another clip. All other splits hold true mixtures only. What a level
adds (silent bodies, noise, camera) stays.

`facts["separation"]`: `solo`, `sources`, and measured per source, in order: `mixture_sdr_db`, how near the mixture as
it stands comes to the source, and `ideal_ratio_mask_sdr_db`, how near the mask made from the stems themselves comes,
the usual ceiling of methods that mask a spectrogram. SDR is 10 log10(|s|^2 / |s - e|^2) of a stem s and its estimate e,
without any allowed rescaling or filter, so that silence as an estimate has 0 dB.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import ndarray
from scipy.signal import istft, stft

from seehear.world.drawing.draws import Draws
from seehear.world.drawing.tagging import class_of, shuffled
from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Scene

SOURCES = (2, 3)
SOLO_SHARE = 0.5
WINDOW, HOP = 1024, 256  # samples; 64 and 16 ms


def sample(draws: Draws) -> Scene:
    """A clip of track P."""
    preset, knobs, rng = draws.preset, draws.knobs, draws.stream("cast")
    first = class_of(preset, draws.split, draws.index, draws.seed)
    order = [first, *(name for name in shuffled(rng, preset, draws.split, draws.seed) if name != first)]
    solo = rng.uniform() < SOLO_SHARE and draws.split == "train"
    together = int(rng.integers(SOURCES[0], SOURCES[1] + 1))
    sounding = 1 if solo else together
    shown = sounding
    if rng.uniform() < knobs.silent_share:
        shown = max(sounding, int(rng.integers(knobs.bodies[0], knobs.bodies[1] + 1)))
    bodies = draws.bodies(order[:shown])
    facts = {"separation": {"solo": solo, "sources": sounding}}
    return draws.scene(bodies, draws.sources(bodies, sounding), facts=facts)


def measure(scene: Scene, pictures: Pictures, stems: dict[str, ndarray]) -> dict[str, Any]:
    """The facts that are measured on the stems: what the mixture and the ideal ratio mask reach."""
    del pictures
    parts = np.stack([stems[f"source {k}"] for k in range(len(scene.sources))] + [stems["background"]])
    mixture, heard = parts.sum(axis=0), parts[:-1]
    masked = ideal_ratio_masked(parts)[:-1]
    return {
        "separation": scene.facts["separation"]
        | {
            "mixture_sdr_db": [round(sdr_db(stem, mixture), 2) for stem in heard],
            "ideal_ratio_mask_sdr_db": [round(sdr_db(*pair), 2) for pair in zip(heard, masked, strict=True)],
        }
    }


def sdr_db(stem: ndarray, estimate: ndarray) -> float:
    """Signal-to-distortion ratio in dB of an estimate `[S]` of a stem `[S]`, without rescaling; capped at 100 dB."""
    stem = stem.astype(np.float64)
    distortion = ((stem - estimate) ** 2).sum()
    return float(10 * np.log10((stem**2).sum() / max(distortion, 1e-10 * (stem**2).sum())))


def ideal_ratio_masked(parts: ndarray) -> ndarray:
    """Every part `[K, S]` as its share of magnitude in every bin cuts it out of the parts' sum: `[K, S]`."""
    spectra = stft(parts, nperseg=WINDOW, noverlap=WINDOW - HOP)[2]
    size = np.abs(spectra)
    masks = size / np.maximum(size.sum(axis=0), 1e-12)
    return istft(masks * spectra.sum(axis=0), nperseg=WINDOW, noverlap=WINDOW - HOP)[1][:, : parts.shape[1]]


# ----------------------------------------------------------------------------------------------------------- baselines
def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is reached without a network, over manifest records of this track; solos do not count.

    Returns:
        Mean SDR in dB over sources, "all" and by the number of sources ("2", "3"), of "mixture" (the mixture as it
        stands), "silence" (0 dB, exact) and, as a ceiling, "ideal_ratio_mask".
    """
    clips = [item["truth"]["separation"] for item in records if not item["truth"]["separation"]["solo"]]
    found: dict[str, dict[str, Any]] = {"mixture": {}, "silence": {}, "ideal_ratio_mask": {}}
    for count in ("all", *map(str, range(SOURCES[0], SOURCES[1] + 1))):
        own = [clip for clip in clips if count in ("all", str(clip["sources"]))]
        if own:
            for name in ("mixture", "ideal_ratio_mask"):
                every = [value for clip in own for value in clip[f"{name}_sdr_db"]]
                found[name][count] = {"sdr_db": round(float(np.mean(every)), 2)}
            found["silence"][count] = {"sdr_db": 0.0}
    return found
