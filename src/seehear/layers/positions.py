"""Position embeddings: fixed sine-cosine values to start from, and carrying learnt ones to another grid.

Legend: N positions, D width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError


def sine_cosine(grid: tuple[int, int], width: int) -> Tensor:
    """2-D sine-cosine embedding `[N, D]` of a row-major grid (MAE, arXiv 2111.06377, appendix A.1).

    Half of the width codes the row, half the column, each with D / 4 frequencies from 1 to 1 / 10000.
    """
    if width % 4:
        raise UsageError(f"width {width} for 2-D sine-cosine positions", expected="a multiple of 4")
    frequencies = 10_000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4))
    rows = torch.arange(grid[0], dtype=torch.float64).repeat_interleave(grid[1])
    columns = torch.arange(grid[1], dtype=torch.float64).repeat(grid[0])
    angles = [axis[:, None] * frequencies for axis in (rows, columns)]
    return torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], dim=1).float()


def carry_nearest(positions: Tensor, count: int) -> Tensor:
    """`[N, D]` to `[count, D]`, treated as a 1-D sequence: position i copies floor(i * N / count) (AVSiam's code)."""
    return F.interpolate(positions.T[None], size=count, mode="nearest")[0].T


def carry_bicubic(positions: Tensor, grid: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """`[N, D]` on `grid` to `[N', D]` on `target`, by bicubic interpolation in 2-D."""
    image = positions.T.reshape(1, -1, *grid)
    return F.interpolate(image, size=target, mode="bicubic", align_corners=False).flatten(2)[0].T
