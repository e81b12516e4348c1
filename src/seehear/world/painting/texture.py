"""Grain of materials from one precomputed periodic noise tile.

The tile is white noise filtered to a 1/f spectrum (spectral synthesis; Saupe in "The Science of Fractal Images",
1988), made once per process from a fixed stream, so textures cost one look-up per pixel. Every function returns a
multiplier around 1 for the painted colour.

Legend: x, y local coordinates `[h, w]`; results float32 `[h, w]`.
"""

from functools import cache

import numpy as np
from numpy import ndarray

from seehear.world.streams import stream

TILE = 256


@cache
def tile() -> ndarray:
    """The noise tile `[256, 256]`: zero mean, unit deviation, periodic."""
    white = stream("texture tile").standard_normal((TILE, TILE))
    fy, fx = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    weight = 1 / np.maximum(np.hypot(fy, fx), 1 / TILE) ** 0.8
    weight[0, 0] = 0
    noise = np.fft.irfft2(np.fft.rfft2(white) * weight, s=(TILE, TILE))
    return (noise / noise.std()).astype(np.float32)


def noise(x: ndarray, y: ndarray, fx: float, fy: float, seed: int) -> ndarray:
    """Noise with `fx`, `fy` tile cells per unit across and down, shifted by the seed."""
    column = (x * np.float32(fx)).astype(np.int32) + (seed & 255)
    row = (y * np.float32(fy)).astype(np.int32) + (seed >> 8 & 255)
    return tile()[row & (TILE - 1), column & (TILE - 1)]


def wood(x: ndarray, y: ndarray, seed: int, rings: float = 5.0, strength: float = 0.22) -> ndarray:
    """Long fibres along y and growth rings across x."""
    bend = noise(x, y, 14, 7, seed)
    waves = np.sin(np.float32(2 * np.pi * rings) * x + np.float32(1.6) * bend)
    return 1 + np.float32(strength) * (0.7 * waves + 0.3 * noise(x, y, 90, 8, seed + 77)).astype(np.float32)


def brushed(x: ndarray, y: ndarray, seed: int, strength: float = 0.1) -> ndarray:
    """Fine horizontal scratches of metal."""
    return 1 + np.float32(strength) * noise(x, y, 6, 80, seed)


def speckle(x: ndarray, y: ndarray, seed: int, cells: float = 40.0, strength: float = 0.12) -> ndarray:
    """Isotropic mottling of stone, skin or cast iron."""
    return 1 + np.float32(strength) * noise(x, y, cells, cells, seed)


def scales(x: ndarray, y: ndarray, across: float, down: float, strength: float = 0.45) -> ndarray:
    """Overlapping rounded scales (tiles, feathers): bright middles, dark rims, rows shifted by half a scale."""
    v = y * np.float32(down)
    row = np.floor(v)
    u = x * np.float32(across) + np.float32(0.5) * (row.astype(np.int32) & 1)
    du = u - np.floor(u) - np.float32(0.5)
    dv = v - row
    depth = dv - np.sqrt(np.maximum(1 - (2 * du) ** 2, 0)) * np.float32(0.45) - np.float32(0.5)
    rim = np.clip(1 - np.abs(depth) * 9, 0, 1)
    return (1 + np.float32(strength) * (0.5 - dv * 0.9 - 1.2 * rim)).astype(np.float32)
