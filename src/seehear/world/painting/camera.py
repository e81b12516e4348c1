"""The camera of levels 2 and 3: it pans, zooms, and cuts to another view of the same scene.

A view is a window of the painted picture: its middle and a zoom of at least 1. Windows stay inside the picture, so
nothing is ever invented at the edge; pictures are looked up bilinearly, masks at the nearest pixel of the same window.

Legend: T frames, H W picture, N bodies.
"""

from itertools import pairwise

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.scenes import Shot

ZOOM = (1.08, 1.22)  # of the narrower view; the wider one of a zooming shot shows the whole picture
CUT_SHARE = (0.35, 0.65)  # of the clip's length at which a cut falls
View = tuple[float, float, float]


def draw_shots(rng: Generator, moves: int, count: int, seconds: float) -> tuple[Shot, ...]:
    """Draw a camera path: `moves` 1 pans or zooms, 2 does both; `count` shots with cuts between."""
    limits = [0.0, *sorted(rng.uniform(*CUT_SHARE, count - 1) * seconds)]
    return tuple(_shot(rng, moves, float(start)) for start in limits)


def _shot(rng: Generator, moves: int, start: float) -> Shot:
    zoom = rng.uniform(*ZOOM)
    zooms, pans = (True, True) if moves > 1 else (True, False) if rng.integers(2) else (False, True)
    near = _view(rng.uniform(-1, 1, 2), zoom)
    far = _view(rng.uniform(-1, 1, 2) if pans else np.zeros(2), 1 + 0.3 * (zoom - 1) if zooms else zoom)
    if zooms and not pans:
        far = (0.5, 0.5, 1.0)
    views = (near, far) if rng.integers(2) else (far, near)
    return Shot(round(start, 6), *views)


def _view(place: ndarray, zoom: float) -> View:
    """The view at `place` (-1 to 1 each way) of where a window of this zoom may be."""
    reach = 0.5 - 0.5 / zoom
    x, y = 0.5 + reach * place
    return round(float(x), 6), round(float(y), 6), round(float(zoom), 6)


def views(shots: tuple[Shot, ...], times: ndarray, seconds: float) -> ndarray:
    """The view `[T, 3]` at each time."""
    result = np.empty((len(times), 3))
    starts = [shot.start_seconds for shot in shots]
    for shot, (start, stop) in zip(shots, pairwise([*starts, seconds]), strict=True):
        own = times >= start
        share = ((times[own] - start) / (stop - start))[:, None]
        result[own] = (1 - share) * np.array(shot.first) + share * np.array(shot.last)
    return result


def film(frames: ndarray, seen: ndarray) -> ndarray:
    """Frames `[T, H, W, 3]` float32 through views `[T, 3]`, bilinearly."""
    result = np.empty_like(frames)
    for frame, view, target in zip(frames, seen, result, strict=True):
        rows, columns = (_places(view[axis], view[2], frame.shape[1 - axis]) for axis in (1, 0))
        top, down = _split(rows, frame.shape[0])
        left, right = _split(columns, frame.shape[1])
        wide = frame[top] * (1 - down)[:, None, None] + frame[top + 1] * down[:, None, None]
        target[:] = wide[:, left] * (1 - right)[None, :, None] + wide[:, left + 1] * right[None, :, None]
    return result


def film_masks(masks: ndarray, seen: ndarray) -> ndarray:
    """Masks `[N, T, H, W]` bool through views `[T, 3]`, at the nearest pixel."""
    result = np.empty_like(masks)
    for number, view in enumerate(seen):
        rows, columns = (_places(view[axis], view[2], masks.shape[3 - axis]) for axis in (1, 0))
        nearest = np.round(rows).astype(int)[:, None], np.round(columns).astype(int)[None]
        result[:, number] = masks[:, number][:, nearest[0], nearest[1]]
    return result


def _places(middle: float, zoom: float, size: int) -> ndarray:
    """Where the pixels of a view lie in the painted picture, in pixel indices."""
    places = (middle + ((np.arange(size) + 0.5) / size - 0.5) / zoom) * size - 0.5
    return np.clip(places, 0, size - 1)


def _split(places: ndarray, size: int) -> tuple[ndarray, ndarray]:
    """Whole indices (at most the last but one) and the rest in 0 to 1."""
    whole = np.minimum(places.astype(int), size - 2)
    return whole, (places - whole).astype(np.float32)
