"""Nuisance features of a clip: what must not tell its class. Measured while rendering, judged by `audit`.

Legend: T frames, H W picture, S samples.
"""

from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Scene
from seehear.world.truth.facts import boxes

HUE_BINS = 8
THUMBNAIL, BANDS = 8, 16
LEAD_IN_SHARE_DB = -20.0


def nuisance(scene: Scene, pictures: Pictures, waveform: ndarray, background: ndarray) -> dict[str, Any]:
    """Nuisance features and a coarse signature (hexadecimal bytes of an 8 x 8 thumbnail and 16 band levels).

    The lead-in is that of the sounding things without the `background` noise: where strong noise hides a beginning, it
    hides it longer from sounds with high peaks, and those tell of the class as its content does.
    """
    sample = pictures.pixels[::8].astype(np.float32) / 255
    spectrum = np.abs(np.fft.rfft(waveform)) ** 2
    return {
        "mean_rgb": _rounded(sample.mean(axis=(0, 1, 2))),
        "hue_histogram": _rounded(hue_histogram(sample[len(sample) // 2])),
        "loudness_db": round(float(10 * np.log10(np.mean(waveform.astype(np.float64) ** 2) + 1e-12)), 3),
        "lead_in_seconds": round(lead_in_seconds(waveform - background, scene.format.sample_rate), 3),
        "objects": len(scene.bodies),
        "position": _rounded(_position(pictures)),
        "first_brightness": round(float(sample[0].mean()), 4),
        "pitch_hz": scene.sources[0].pitch_hz if scene.sources else 0.0,
        "centroid_hz": round(float(spectrum @ np.arange(len(spectrum)) / spectrum.sum()
                                   * scene.format.sample_rate / len(waveform)), 1),
        "signature": _signature(sample[len(sample) // 2], spectrum).hex(),
    }  # fmt: skip


def hue_histogram(picture: ndarray) -> ndarray:
    """Saturation-weighted histogram of hue `[8]` of a picture `[H, W, 3]` in 0 to 1, sum 1."""
    top, bottom = picture.max(axis=-1), picture.min(axis=-1)
    spread = top - bottom
    r, g, b = np.moveaxis(picture, -1, 0)
    safe = np.maximum(spread, 1e-6)
    hue = np.where(top == r, ((g - b) / safe) % 6, np.where(top == g, (b - r) / safe + 2, (r - g) / safe + 4)) / 6
    counts = np.bincount((hue * HUE_BINS).astype(int).ravel() % HUE_BINS, spread.ravel(), HUE_BINS)
    return counts / max(counts.sum(), 1e-6)


def lead_in_seconds(waveform: ndarray, sample_rate: int) -> float:
    """Time until the level of 10-ms blocks first comes within 20 dB of the loudest block."""
    block = sample_rate // 100
    energy = np.add.reduceat(waveform.astype(np.float64) ** 2, np.arange(0, len(waveform), block))
    return float(np.argmax(energy > energy.max() * 10 ** (LEAD_IN_SHARE_DB / 10)) * 0.01)


def _position(pictures: Pictures) -> ndarray:
    """Middle of the largest body's mean box, or the picture's middle where none is seen."""
    if not pictures.masks.any():
        return np.array([0.5, 0.5])
    largest = pictures.masks.sum(axis=(1, 2, 3)).argmax()
    x0, y0, x1, y1 = boxes(pictures.masks[largest]).mean(axis=0)
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def _signature(picture: ndarray, spectrum: ndarray) -> bytes:
    size = len(picture) // THUMBNAIL
    small = picture.mean(axis=-1)[: size * THUMBNAIL, : size * THUMBNAIL]
    small = small.reshape(THUMBNAIL, size, THUMBNAIL, size).mean(axis=(1, 3))
    limits = np.geomspace(20, len(spectrum) - 1, BANDS + 1).astype(int)
    bands = 10 * np.log10(np.add.reduceat(spectrum, limits[:-1]) + 1e-9)
    bands = np.clip((bands - bands.max()) / 80 + 1, 0, 1)
    return (np.concatenate([small.ravel(), bands]) * 255).astype(np.uint8).tobytes()


def _rounded(values: ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
