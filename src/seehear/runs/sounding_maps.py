"""Where a sound is seen, over the time of a clip: a network's map at every hop, and between them.

The clip is laid out in tiles of one hop, the last up to half a hop shorter or longer. To each belong the picture at its
middle, and the sound of the network's length around that middle (moved to lie within the clip). A tile that is silent
has no map. Between the middles of two tiles maps are interpolated; they are stretched to 0 to 1 by the least and the
greatest value of the whole clip, so that frames compare.

Legend: K tiles, B tiles of a pass, T frames of a tile, h w map, H W picture, S samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Batch, FrameNeed, Method
from seehear.errors import DataError, UsageError
from seehear.runs.stretch import Stretch, is_silent, silence
from seehear.tasks.localization_maps import similarity_maps
from seehear.weights.precision import device_of, evaluating

LEAST_HOP_SECONDS = 0.05
_PER_PASS = 8
Region = tuple[float, float, float, float]  # left, top, right, bottom, as shares of the picture


@dataclass(frozen=True, eq=False)
class SoundingMaps:
    """Maps over time.

    Attributes:
        hop: seconds of a tile.
        edges: `[K + 1]` seconds between tiles.
        begins: `[K]` where the sound of each begins, in seconds.
        window_seconds: how much of it the network hears.
        silent: `[K]` bool.
        maps: float32 `[K, h, w]`, as the network gives them; NaN where silent.
        region: of the picture, that the network sees.
    """

    hop: float
    edges: NDArray[np.float64]
    begins: NDArray[np.float64]
    window_seconds: float
    silent: NDArray[np.bool_]
    maps: NDArray[np.float32]
    region: Region

    @property
    def middles(self) -> NDArray[np.float64]:
        """`[K]` seconds."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the greatest value of the clip."""
        return float(np.nanmin(self.maps)), float(np.nanmax(self.maps))

    def at(self, seconds: float) -> NDArray[np.float32] | None:
        """The map `[h, w]` from 0 to 1 at a time; None in a silent tile."""
        middles = self.middles
        tile = min(int(seconds // self.hop), len(middles) - 1)
        if self.silent[tile]:
            return None
        beside, away = tile + (1 if seconds > middles[tile] else -1), abs(seconds - middles[tile])
        found = self.maps[tile]
        if 0 <= beside < len(middles) and not self.silent[beside]:
            share = min(1.0, away / abs(middles[beside] - middles[tile]))
            found = (1 - share) * found + share * self.maps[beside]
        low, high = self.extremes
        return ((found - low) / (high - low if high > low else 1.0)).astype(np.float32)

    def peak(self, tile: int) -> tuple[float, float] | None:
        """Where the map of a tile is greatest: (x, y) as shares of the picture's width and height; None if silent."""
        if self.silent[tile]:
            return None
        return place_of(self.maps[tile], self.region)


def place_of(values: NDArray[np.floating], region: Region) -> tuple[float, float]:
    """The middle of the greatest cell of `[h, w]` that cover a region, as shares of the whole picture."""
    row, column = divmod(int(values.argmax()), values.shape[1])
    left, top, right, bottom = region
    x, y = (column + 0.5) / values.shape[1], (row + 0.5) / values.shape[0]
    return left + x * (right - left), top + y * (bottom - top)


def sounding_maps(
    method: Method, stretch: Stretch, hop: float, progress: Callable[[int, int], object] = lambda done, total: None
) -> SoundingMaps:
    """The maps of a stretch of a clip.

    Raises:
        UsageError: for a hop below 0.05 s, or a method that makes no map of such a clip.
        DataError: if every tile is silent, or a map holds NaN.
        MediaError: where the clip does not decode.
    """
    if not hop >= LEAST_HOP_SECONDS or not np.isfinite(hop):
        raise UsageError(f"a hop of {hop:g} s", expected=f"at least {LEAST_HOP_SECONDS:g} s")
    audio, need = method.needs.audio, method.needs.frames
    assert audio is not None
    assert need is not None
    edges = np.append(np.arange(max(1, round(stretch.seconds / hop))) * hop, stretch.seconds)
    middles = (edges[:-1] + edges[1:]) / 2
    begins = np.clip(middles - audio.seconds / 2, 0.0, max(0.0, stretch.seconds - audio.seconds))
    silent = np.array([is_silent(_between(stretch.sound, a, b)) for a, b in pairwise(edges)])
    heard = np.flatnonzero(~silent)
    if not len(heard):
        raise silence(stretch.path)
    found, region = [], (0.0, 0.0, 1.0, 1.0)
    for first in range(0, len(heard), _PER_PASS):
        rows = heard[first : first + _PER_PASS]
        pictures = _pictures(stretch, need, middles[rows], min(audio.seconds, stretch.seconds))
        region = seen_of(need, *pictures.shape[2:4])
        found.append(_maps(method, pictures, stretch.sound, begins[rows]))
        progress(int(min(first + _PER_PASS, len(heard))), len(heard))
    maps = np.full((len(middles), *found[0].shape[1:]), np.nan, np.float32)
    maps[heard] = np.concatenate(found)
    if not np.isfinite(maps[heard]).all():
        raise DataError("a map holds NaN or infinity", cause="a network that diverged")
    return SoundingMaps(hop, edges, begins, audio.seconds, silent, maps, region)


def _between(sound: NDArray[np.int16], begin: float, end: float) -> NDArray[np.int16]:
    return sound[round(begin * SAMPLE_RATE) : max(round(begin * SAMPLE_RATE) + 1, round(end * SAMPLE_RATE))]


def _pictures(stretch: Stretch, need: FrameNeed, middles: NDArray[np.float64], seconds: float) -> NDArray[np.uint8]:
    """uint8 `[B, T, H, W, 3]`: the picture at each middle; of several, spread over the sound around it."""
    offsets = ((np.arange(need.count) + 0.5) / need.count - 0.5) * seconds
    times = np.clip(middles[:, None] + offsets, 0.0, stretch.seconds).reshape(-1)
    pixels = stretch.pictures(times, max(need.height, need.width))
    return pixels.reshape(len(middles), need.count, *pixels.shape[1:])


def _maps(
    method: Method, pictures: NDArray[np.uint8], sound: NDArray[np.int16], begins: NDArray[np.float64]
) -> NDArray[np.float32]:
    """`[B, h, w]` of some tiles."""
    audio, numbers = method.needs.audio, torch.arange(len(begins))
    assert audio is not None
    wanted = round(audio.seconds * SAMPLE_RATE)
    waveform, samples = torch.zeros(len(begins), wanted, dtype=torch.int16), torch.zeros(len(begins), dtype=torch.int64)
    for row, begin in enumerate(begins):
        part = sound[round(begin * SAMPLE_RATE) :][:wanted]
        waveform[row, : len(part)], samples[row] = torch.from_numpy(part), len(part)
    fields = {"waveform": waveform, "waveform_samples": samples, "frames": fitted(method, pictures)}
    with evaluating(method):
        return similarity_maps(method, Batch(numbers, numbers, fields).to(device_of(method))).float().cpu().numpy()


def fitted(method: Method, pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures uint8 `[B, T, H, W, 3]` as the method reads them, `[B, T, 3, h, w]`."""
    need = method.needs.frames
    assert need is not None
    flat = torch.from_numpy(np.ascontiguousarray(pictures)).flatten(0, 1).permute(0, 3, 1, 2)
    return signals.fit_pictures(flat, need.height, need.width, need.fit).unflatten(0, pictures.shape[:2])


def seen_of(need: FrameNeed, height: int, width: int) -> Region:
    """What a network sees of pictures of this size: all, or what its crop leaves."""
    if need.fit == "squash":
        return (0.0, 0.0, 1.0, 1.0)
    scale = max(need.height / height, need.width / width)
    across, down = (min(1.0, side / (scale * of)) for side, of in ((need.width, width), (need.height, height)))
    return ((1 - across) / 2, (1 - down) / 2, (1 + across) / 2, (1 + down) / 2)
