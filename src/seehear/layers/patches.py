"""Patches: cutting pictures and spectrograms, and embedding what was kept.

Patches are cut first, the visible ones gathered, and only those projected: hidden patches cost nothing. Patch order is
token order: pictures row-major; spectrograms frequency-major (index = f * columns + t), as AVSiam's
`[B, 1, mel, frames]` convolution gives, or time-major (index = t * rows + f), as MAViL's `[B, 1, frames, mel]` one.
Values inside a patch: pictures (row, column, channel), channel fastest; spectrograms (mel bin, frame), frame fastest,
and time-major the other way round. A tube spans some frames of a film: a patch of (row, column, frame, channel).

Legend: B batch, C channels, H W picture, T frames, F mel bins, p patch side, t frames of a tube, N tokens, V values of
a patch, D width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from seehear.errors import UsageError

Stem = Literal["linear", "hierarchical"]


def cut_picture(images: Tensor, patch: int) -> Tensor:
    """`[B, C, H, W]` to `[B, N, p * p * C]`.

    Raises:
        UsageError: if H or W is no multiple of the patch side.
    """
    batch, channels, height, width = images.shape
    if height % patch or width % patch:
        raise UsageError(f"pictures of {height} x {width}", expected=f"sides that are multiples of the patch, {patch}")
    grid = images.view(batch, channels, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def join_picture(patches: Tensor, patch: int, grid: tuple[int, int]) -> Tensor:
    """The inverse of `cut_picture`: `[B, N, p * p * C]` to `[B, C, H, W]`."""
    rows, columns = grid
    cells = patches.view(patches.shape[0], rows, columns, patch, patch, -1)
    return cells.permute(0, 5, 1, 3, 2, 4).reshape(patches.shape[0], -1, rows * patch, columns * patch)


def cut_spectrogram(spectrogram: Tensor, patch: int) -> Tensor:
    """`[B, T, F]` to `[B, N, p * p]`, frequency-major."""
    return cut_picture(spectrogram.transpose(1, 2)[:, None], patch)


def join_spectrogram(patches: Tensor, patch: int, grid: tuple[int, int]) -> Tensor:
    """The inverse of `cut_spectrogram`: `[B, N, p * p]` to `[B, T, F]`."""
    return join_picture(patches, patch, grid)[:, 0].transpose(1, 2)


def cut_spectrogram_by_time(spectrogram: Tensor, patch: int) -> Tensor:
    """`[B, T, F]` to `[B, N, p * p]`, time-major."""
    return cut_picture(spectrogram[:, None], patch)


def join_spectrogram_by_time(patches: Tensor, patch: int, grid: tuple[int, int]) -> Tensor:
    """The inverse of `cut_spectrogram_by_time` on a grid of (times, frequencies): `[B, N, p * p]` to `[B, T, F]`."""
    return join_picture(patches, patch, grid)[:, 0]


def cut_tubes(frames: Tensor, tube: int, patch: int) -> Tensor:
    """`[B, T, C, H, W]` to `[B, N, p * p * t * C]`, ordered by (time, row, column).

    Raises:
        UsageError: if T is no multiple of the tube's frames, or H or W none of the patch side.
    """
    batch, count = frames.shape[:2]
    if count % tube:
        raise UsageError(f"films of {count} frames", expected=f"a multiple of the tube's, {tube}")
    stacked = frames.reshape(batch * (count // tube), -1, *frames.shape[3:])  # t * C channels, C fastest
    return cut_picture(stacked, patch).reshape(batch, -1, patch * patch * stacked.shape[1])


def join_tubes(patches: Tensor, tube: int, patch: int, grid: tuple[int, int, int]) -> Tensor:
    """The inverse of `cut_tubes` on a grid of (times, rows, columns): `[B, N, p * p * t * C]` to `[B, T, C, H, W]`."""
    times, rows, columns = grid
    stacked = join_picture(patches.reshape(-1, rows * columns, patches.shape[2]), patch, (rows, columns))
    return stacked.reshape(patches.shape[0], times * tube, -1, *stacked.shape[2:])


class PatchEmbedding(nn.Module):
    """Visible patches to tokens.

    `stem="linear"` is the ViT's projection (a convolution with kernel = stride = patch). `stem="hierarchical"` merges
    4 x 4, then 2 x 2, then the rest with a norm and a GELU between (the hMLP stem of Touvron et al., "Three things
    everyone should know about vision transformers", ECCV 2022, sec. 5): it stays inside the patch, so masking before
    it is exact. Small networks trained from scratch learn much sooner with it.

    Args:
        patch: p, a multiple of 8 for the hierarchical stem.
        channels: C.
        width: D.
        stem: which of the two.
    """

    def __init__(self, patch: int, channels: int, width: int, stem: Stem = "linear"):
        super().__init__()
        if stem == "linear":
            self.proj: nn.Module = nn.Linear(patch * patch * channels, width)
        else:
            self.proj = HierarchicalStem(patch, channels, width)

    def forward(self, patches: Tensor) -> Tensor:
        """`[..., V]` to `[..., D]`."""
        return self.proj(patches)


class HierarchicalStem(nn.Module):
    """Three linear merges inside one patch; see `PatchEmbedding`."""

    def __init__(self, patch: int, channels: int, width: int):
        super().__init__()
        if patch % 8:
            raise UsageError(f"patch {patch} with the hierarchical stem", expected="a multiple of 8")
        self.sides = (4, 2, patch // 8)
        inner = (max(width // 4, 16), max(width // 2, 32), width)
        sizes = [channels, *inner]
        self.merges = nn.ModuleList(
            nn.Linear(sizes[i] * side * side, sizes[i + 1]) for i, side in enumerate(self.sides)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(size) for size in inner[:-1])
        self.patch = patch

    def forward(self, patches: Tensor) -> Tensor:
        """`[..., V]` to `[..., D]`."""
        x = patches.reshape(-1, self.patch, self.patch, patches.shape[-1] // self.patch**2)
        for i, (merge, side) in enumerate(zip(self.merges, self.sides, strict=True)):
            x = merge(_merge_cells(x, side))
            if i < len(self.norms):
                x = nn.functional.gelu(self.norms[i](x))
        return x.reshape(*patches.shape[:-1], -1)


def _merge_cells(x: Tensor, side: int) -> Tensor:
    """`[M, s, s, C]` to `[M, s / side, s / side, side * side * C]`."""
    count, size, _, channels = x.shape
    cells = x.view(count, size // side, side, size // side, side, channels).transpose(2, 3)
    return cells.reshape(count, size // side, size // side, side * side * channels)


def conv_to_linear(kernel: Tensor) -> Tensor:
    """A convolution kernel `[D, C, p, p]`, or of tubes `[D, C, t, p, p]`, as the matrix that acts on our values."""
    if kernel.ndim == 5:
        kernel = kernel.transpose(1, 2).flatten(1, 2)  # frames and channels as the channels of a tube
    return kernel.permute(0, 2, 3, 1).reshape(kernel.shape[0], -1)


def gather_patches(patches: Tensor, rows: Tensor, keep: Tensor) -> Tensor:
    """The kept patches of some samples: `[B, N, V]`, `rows [b]`, `keep [b, n]` to `[b, n, V]`."""
    batch, tokens, values = patches.shape
    flat = (rows[:, None] * tokens + keep).flatten()
    return torch.index_select(patches.reshape(batch * tokens, values), 0, flat).view(*keep.shape, values)
