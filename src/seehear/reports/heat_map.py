"""A map laid over pictures as colours: Viridis, whose steps look even, the more opaque the greater the value.

Legend: T frames, H W picture, h w map.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

TABLE = "viridis"
LEAST_OPAQUE, MOST_OPAQUE = 0.08, 0.75


def overlaid(
    pictures: NDArray[np.uint8],
    maps: Sequence[NDArray[np.float32] | None],
    region: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
) -> NDArray[np.uint8]:
    """The pictures with their maps over them.

    Args:
        pictures: uint8 RGB `[T, H, W, 3]`.
        maps: `[h, w]` from 0 to 1 of each, whose cells cover the region evenly; None leaves a picture as it is.
        region: left, top, right, bottom of what the maps cover, as shares of the picture.
    """
    found = pictures.copy()
    height, width = pictures.shape[1:3]
    left, right = (round(region[i] * width) for i in (0, 2))
    top, bottom = (round(region[i] * height) for i in (1, 3))
    keep, add = _blend()
    for picture, values in zip(found, maps, strict=True):
        if values is not None:
            level = np.rint(enlarged_cells(values, (bottom - top, right - left)) * 255).astype(np.uint8)
            part = picture[top:bottom, left:right]
            part[:] = np.rint(part * keep[level][..., None] + add[level])
    return found


def enlarged_cells(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """`[h, w]` to `[H, W]`, bilinear between the middles of cells, within 0 to 1."""
    cells = torch.from_numpy(np.ascontiguousarray(values, np.float32))[None, None]
    return F.interpolate(cells, size, mode="bilinear", align_corners=False)[0, 0].clamp(0, 1).numpy()


@cache
def _blend() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For each level: the share `[256]` of the picture that stays, and the colour `[256, 3]` that comes to it."""
    from matplotlib import colormaps

    levels = np.linspace(0, 1, 256, dtype=np.float32)
    opaque = LEAST_OPAQUE + (MOST_OPAQUE - LEAST_OPAQUE) * levels**2
    colours = colormaps[TABLE](levels)[:, :3].astype(np.float32) * 255
    return (1 - opaque).astype(np.float32), (colours * opaque[:, None]).astype(np.float32)
