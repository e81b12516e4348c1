"""Full occlusion, level 3: a board slides before one body, hides it whole for half a second, and slides away again.

The board is as tall and wide as all that the body ever covers, so nothing of the body is seen while it stands there.

Legend: T frames, H W picture, N bodies.
"""

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.world.painting import texture
from seehear.world.painting.colour import draw_muted, rgb
from seehear.world.scenes import Board

SLIDE_SECONDS = 0.35  # from beyond the picture's edge to its place
MARGIN_PIXELS = 2
RIM_PIXELS = 2


def draw_board(rng: Generator, bodies: int, hidden_seconds: float, seconds: float, seed: int) -> Board:
    """Draw which body is hidden, when, and what the board looks like."""
    start = rng.uniform(0.1 * seconds, 0.9 * seconds - hidden_seconds)
    return Board(
        body=int(rng.integers(bodies)),
        start_seconds=round(float(start), 6),
        stop_seconds=round(float(start) + hidden_seconds, 6),
        from_left=bool(rng.integers(2)),
        colour=draw_muted(rng, 1)[0],
        seed=seed,
    )


def cover(board: Board, frames: ndarray, whole: ndarray, times: ndarray) -> ndarray:
    """Lay the board on frames `[T, H, W, 3]` in place; returns where it is, bool `[T, H, W]`.

    Args:
        board: what to lay.
        frames: the painted scene, changed.
        whole: all that the body covers, bool `[T, H, W]`.
        times: of the frames.
    """
    shown = np.zeros(whole.shape, bool)
    found = np.any(whole, axis=0)
    if not found.any():
        return shown
    rows, columns = np.flatnonzero(np.any(found, axis=1)), np.flatnonzero(np.any(found, axis=0))
    top, bottom = max(0, rows[0] - MARGIN_PIXELS), min(whole.shape[1], rows[-1] + 1 + MARGIN_PIXELS)
    left, width = columns[0] - MARGIN_PIXELS, columns[-1] + 1 - columns[0] + 2 * MARGIN_PIXELS
    picture = _plank(board, bottom - top, width)
    outside = -width if board.from_left else whole.shape[2]
    for number, share in enumerate(away(board, times)):
        place = round(left + float(share) * (outside - left))
        first, last = max(0, place), min(whole.shape[2], place + width)
        if first < last:
            frames[number, top:bottom, first:last] = picture[:, first - place : last - place]
            shown[number, top:bottom, first:last] = True
    return shown


def away(board: Board, times: ndarray) -> ndarray:
    """How far the board is from its place `[T]`: 0 while it hides the body, 1 out of the picture."""
    before, after = board.start_seconds - times, times - board.stop_seconds
    return np.clip(np.maximum(before, after) / SLIDE_SECONDS, 0, 1)


def _plank(board: Board, height: int, width: int) -> ndarray:
    """The board's picture `[height, width, 3]` with a darker rim."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(max(height, width))
    grain = texture.wood(x, y, board.seed)
    rim = np.ones((height, width), np.float32)
    rim[RIM_PIXELS:-RIM_PIXELS, RIM_PIXELS:-RIM_PIXELS] = 0
    shade = grain * (1 - np.float32(0.45) * rim)
    return (rgb(board.colour) * shade[..., None]).astype(np.float32)
