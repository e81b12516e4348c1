"""Ways to fill hidden patches without learning: the floors of masked reconstruction.

Legend: B batch, C channels, H W picture (or T frames and F mel bins with C = 1), R rows and K columns of the patch
grid, N = R K places, V values of a patch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear.contracts import Reconstruction
from seehear.errors import DataError

_TIE = 1e-6


@dataclass(frozen=True)
class Patches:
    """A picture or spectrogram cut into patches.

    Attributes:
        values: `[B, N, V]`.
        hidden: `[B, N]` bool.
        grid: (R, K).
        patch: height and width of a patch.
    """

    values: Tensor
    hidden: Tensor
    grid: tuple[int, int]
    patch: tuple[int, int]


def cut(seen: Reconstruction) -> Patches:
    """The original in patches.

    Raises:
        DataError: if the patches do not tile it, a patch is hidden in part, or a sample shows no patch.
    """
    original, mask = _with_channels(seen.original), _with_channels(seen.mask.float())
    height, width = seen.patch
    grid = (original.shape[2] // height, original.shape[3] // width)
    if original.shape != mask.shape or original.shape[2:] != (grid[0] * height, grid[1] * width):
        raise DataError(f"patches of {seen.patch} do not tile {tuple(seen.original.shape)}", expected="a whole grid")
    share = _tiles(mask, grid, seen.patch).mean(dim=2)
    hidden = share > 0.5
    if not torch.equal(share, hidden.float()):
        raise DataError("a patch is hidden in part", expected=f"a mask that is constant in patches of {seen.patch}")
    if hidden.all(dim=1).any():
        raise DataError("a sample shows no patch", expected="at least one to fill the others from")
    return Patches(_tiles(original.double(), grid, seen.patch), hidden, grid, seen.patch)


def mean_patch(patches: Patches) -> Tensor:
    """Every hidden patch is the mean of the sample's visible ones: `[B, N, V]`."""
    visible = (~patches.hidden)[:, :, None].to(patches.values.dtype)
    mean = (patches.values * visible).sum(dim=1, keepdim=True) / visible.sum(dim=1, keepdim=True)
    return _filled(patches, mean.expand_as(patches.values))


def nearest_patch(patches: Patches) -> Tensor:
    """Every hidden patch is a copy of the nearest visible one (the mean of them, if several are as near)."""
    distance = _distances(patches)[None].masked_fill(patches.hidden[:, None, :], torch.inf)
    nearest = distance <= distance.min(dim=2, keepdim=True).values + _TIE
    weights = nearest.to(patches.values.dtype)
    return _filled(patches, weights / weights.sum(dim=2, keepdim=True) @ patches.values)


def smooth_fill(patches: Patches) -> Tensor:
    """Hidden places take the smoothest surface through the means of the visible patches.

    The mean of a hidden patch is the mean of its four neighbours' (Laplace's equation on the grid, solved exactly); the
    surface is these R x K means per channel, interpolated bilinearly. The strongest of the three by far, and without
    anything to tune.
    """
    area = patches.patch[0] * patches.patch[1]
    means = patches.values.unflatten(2, (-1, area)).mean(dim=3)  # [B, N, C]
    hidden = patches.hidden[:, :, None]
    beside = (_distances(patches) < 1 + _TIE).to(means.dtype).fill_diagonal_(0.0)
    system = torch.where(hidden, beside.sum(dim=1).diag() - beside, torch.eye(len(beside)).to(beside))  # [B, N, N]
    coarse = torch.linalg.solve(system, means.masked_fill(hidden, 0.0))
    picture = coarse.transpose(1, 2).unflatten(2, patches.grid)  # [B, C, R, K]
    size = (patches.grid[0] * patches.patch[0], patches.grid[1] * patches.patch[1])
    surface = F.interpolate(picture, size=size, mode="bilinear", align_corners=False)
    return _filled(patches, _tiles(surface, patches.grid, patches.patch))


FILLS: dict[str, Callable[[Patches], Tensor]] = {
    "mean patch": mean_patch,
    "nearest patch": nearest_patch,
    "smooth fill": smooth_fill,
}


def drawn(seen: Reconstruction, patches: Patches) -> Tensor:
    """What the network drew, in patches `[B, N, V]`."""
    return _tiles(_with_channels(seen.reconstruction).double(), patches.grid, patches.patch)


def _filled(patches: Patches, fill: Tensor) -> Tensor:
    return torch.where(patches.hidden[:, :, None], fill, patches.values)


def _distances(patches: Patches) -> Tensor:
    """Distance between every two places of the grid, in patches, `[N, N]`."""
    rows, columns = patches.grid
    device = patches.values.device
    row, column = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    places = torch.stack([row.flatten(), column.flatten()], dim=1).to(patches.values.dtype)
    return torch.cdist(places, places)


def _with_channels(x: Tensor) -> Tensor:
    """`[B, T, F]` as `[B, 1, T, F]`; pictures as they are."""
    return x[:, None] if x.ndim == 3 else x


def _tiles(x: Tensor, grid: tuple[int, int], patch: tuple[int, int]) -> Tensor:
    """`[B, C, H, W]` in patches `[B, N, V]`, values in the order channel, row, column."""
    cells = x.unflatten(3, (grid[1], patch[1])).unflatten(2, (grid[0], patch[0]))  # [B, C, R, h, K, w]
    return cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
