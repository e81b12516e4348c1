"""Background: a room in one-point perspective, whose depth and walls show how long it rings.

Deep halls have a small far wall, closets a large one (depth); hard rooms are tiled with sharp joints and shine,
soft ones are hung with folded cloth (hardness).

Legend: H W picture; results `[H, W, 3]` float32 in 0 to 1.
"""

import numpy as np
from numpy import ndarray

from seehear.world.painting import texture
from seehear.world.painting.colour import rgb
from seehear.world.scenes import Background


def paint(background: Background, height: int, width: int, flat: bool = False) -> ndarray:
    """The empty room; a `flat` one has even joints and folds, and no grain."""
    x = ((np.arange(width, dtype=np.float32) + 0.5) / width - np.float32(background.vanish_x))[None]
    y = ((np.arange(height, dtype=np.float32) + 0.5) / height - np.float32(background.vanish_y))[:, None]
    near = far_wall(background.depth)
    side_x = np.abs(x) / np.float32(0.5)
    side_y = np.abs(y) / np.float32(0.5)
    reach = np.maximum(side_x, side_y)
    wall = reach <= near
    distance = np.float32(near) / np.maximum(reach, np.float32(near))
    across = np.where(wall, x, np.where(side_x > side_y, y, x) * distance) / np.float32(near)
    along = np.where(wall, y / np.float32(near), 1 / np.maximum(distance, 0.05) - 1)
    across, along = np.broadcast_arrays(across, along)
    surface = np.where(wall, 0, np.where(side_x > side_y, 1, np.where(y > 0, 2, 3)))
    colours = np.stack([rgb(c) for c in background.palette])[surface]
    shade = np.where(wall, 1.0, 0.95 - 0.22 * (1 - distance)) * np.array([1.0, 0.9, 1.03, 0.85])[surface]
    grain = _grain(background, across, along, flat)
    rim = 1 - 0.22 * np.exp(-(((reach - np.float32(near)) * width / 1.5) ** 2))
    return (colours * (shade * grain * rim)[..., None]).astype(np.float32)


def far_wall(depth: float) -> float:
    """Size of the far wall as a share of the picture: 0.85 in a closet, 0.22 in a hall."""
    return 0.85 * (0.22 / 0.85) ** depth


def _grain(background: Background, across: ndarray, along: ndarray, flat: bool) -> ndarray:
    """Tiles with joints for hard rooms, vertical folds for soft ones, blended by hardness."""
    count = np.float32(2.0 + 3.5 * background.pattern)
    u, v = across * count, along * count
    joint = np.minimum(np.abs(u - np.round(u)), np.abs(v - np.round(v)))
    tiles = 1 - 0.18 * np.exp(-((joint / np.float32(0.07)) ** 2))
    if flat:
        cloth = 1 + 0.08 * np.sign(np.sin(across * count * np.float32(7)))
    else:
        folds = 1 + 0.1 * np.sin(across * count * np.float32(7) + texture.noise(across, along, 5, 2, background.seed))
        cloth = folds * texture.speckle(across, along, background.seed, 22, 0.05)
    share = np.float32(background.hardness)
    return (share * tiles + (1 - share) * cloth).astype(np.float32)
