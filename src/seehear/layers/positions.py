"""Position embeddings: fixed sine-cosine values to start from, and carrying learnt ones to another grid.

Legend: N positions, D width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError


def sine_cosine(grid: tuple[int, ...], width: int) -> Tensor:
    """Sine-cosine embedding `[N, D]` of a row-major grid (MAE, arXiv 2111.06377, appendix A.1).

    Half of the width codes the row, half the column, each with D / 4 frequencies from 1 to 1 / 10000. On a grid of
    (times, rows, columns) the first quarter codes the time, the rest rows and columns (MAViL, arXiv 2212.08071).

    Raises:
        UsageError: if the width cannot be divided so.
    """
    if len(grid) == 3:
        if width % 16:
            raise UsageError(f"width {width} for 3-D sine-cosine positions", expected="a multiple of 16")
        times, places = _waves(grid[0], width // 4), sine_cosine(grid[1:], width - width // 4)
        return torch.cat([times.repeat_interleave(len(places), dim=0), places.repeat(grid[0], 1)], dim=1)
    if width % 4:
        raise UsageError(f"width {width} for 2-D sine-cosine positions", expected="a multiple of 4")
    rows, columns = (_waves(size, width // 2) for size in grid)
    return torch.cat([rows.repeat_interleave(grid[1], dim=0), columns.repeat(grid[0], 1)], dim=1)


def _waves(count: int, width: int) -> Tensor:
    """Places 0 to `count` - 1 of one axis, `[count, width]`: sines, then cosines."""
    frequencies = 10_000.0 ** -(torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    angles = torch.arange(count, dtype=torch.float64)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


def carry_nearest(positions: Tensor, count: int) -> Tensor:
    """`[N, D]` to `[count, D]`, treated as a 1-D sequence: position i copies floor(i * N / count) (AVSiam's code)."""
    return F.interpolate(positions.T[None], size=count, mode="nearest")[0].T


def carry_bicubic(positions: Tensor, grid: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """`[N, D]` on `grid` to `[N', D]` on `target`, by bicubic interpolation in 2-D."""
    image = positions.T.reshape(1, -1, *grid)
    return F.interpolate(image, size=target, mode="bicubic", align_corners=False).flatten(2)[0].T
