"""Which part of a picture a source of sound is taken to be: the halves of the frame, or the peaks of the map.

Legend: h w map, T frames, H W picture.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seehear.errors import UsageError
from seehear.runs.sounding_maps import Region, SoundingMaps, place_of

Kind = Literal["halves", "peaks"]
WHOLE: Region = (0.0, 0.0, 1.0, 1.0)
HALVES: tuple[Region, ...] = ((0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0))
SIDE = 0.5  # of a peak's region, as a share of the picture's


def peaks(maps: SoundingMaps, count: int) -> list[Region]:
    """Regions around the greatest places of the clip's mean map, each outside the regions before it.

    A region is half as wide and half as high as the picture, moved to lie within it.

    Raises:
        UsageError: if there is no place left for so many.
    """
    mean = np.nanmean(maps.maps, axis=0)
    free, found = np.ones(mean.shape, bool), []
    for number in range(count):
        if not free.any():
            raise UsageError(f"{count} sources", expected=f"at most {number}: no place of the map is left")
        region = _around(place_of(np.where(free, mean, -np.inf), maps.region))
        found.append(region)
        free &= ~_inside(mean.shape, maps.region, region)
    return found


def cropped(pictures: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """The region of pictures `[T, H, W, 3]`, at least one pixel."""
    height, width = pictures.shape[1:3]
    left, top = (int(share * side) for share, side in ((region[0], width), (region[1], height)))
    right, bottom = (max(1, round(share * side)) for share, side in ((region[2], width), (region[3], height)))
    return pictures[:, min(top, bottom - 1) : bottom, min(left, right - 1) : right]


def _around(place: tuple[float, float]) -> Region:
    left, top = (min(max(at - SIDE / 2, 0.0), 1 - SIDE) for at in place)
    return left, top, left + SIDE, top + SIDE


def _inside(shape: tuple[int, ...], seen: Region, region: Region) -> NDArray[np.bool_]:
    """`[h, w]`: the cells of a map over `seen` whose middles lie in a region."""
    down = seen[1] + (np.arange(shape[0]) + 0.5) / shape[0] * (seen[3] - seen[1])
    across = seen[0] + (np.arange(shape[1]) + 0.5) / shape[1] * (seen[2] - seen[0])
    rows = (down >= region[1]) & (down <= region[3])
    columns = (across >= region[0]) & (across <= region[2])
    return rows[:, None] & columns
