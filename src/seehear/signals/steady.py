"""Frames without the camera's shake: moved back by whole pixels, found by phase correlation with the first frame.

Source: Kuglin and Hines, "The phase correlation image alignment method" (1975): the inverse transform of the phase
difference of two pictures peaks at the shift between them. A Hann window keeps the pictures' edges out. What moves by
itself in front of a still background hardly bends the peak.

Legend: B batch, T frames, C channels, H W picture.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table

REACH = 0.085  # of the picture's longer side: the farthest that two frames lie apart
_STILL = 1e-6  # spectral power below which there is no phase


def steady(frames: Tensor, reach: float = REACH) -> tuple[Tensor, Tensor]:
    """Bring every frame to lie as the first one does; where nothing is known beyond an edge, the edge is repeated.

    Args:
        frames: `[B, T, C, H, W]` floating point.
        reach: the farthest shift that is looked for, as a share of the longer side.

    Returns:
        The steadied frames, and `offsets [B, T, 2]` int64: rows and columns that each frame had moved by (its content
        lay that much lower and farther right than in the first frame).

    Raises:
        UsageError: if the frames are not floating-point `[B, T, C, H, W]`.
    """
    if frames.ndim != 5:
        raise UsageError(f"frames are {tuple(frames.shape)}", expected="[B, T, C, H, W]")
    H, W = frames.shape[3:]
    with without_autocast(frames):
        offsets = _offsets(frames.to(working_dtype(frames, "frames")).mean(dim=2), max(1, round(reach * max(H, W))))
    rows = (torch.arange(H, device=frames.device) + offsets[..., :1]).clamp(0, H - 1)
    columns = (torch.arange(W, device=frames.device) + offsets[..., 1:]).clamp(0, W - 1)
    moved = frames.gather(3, rows[:, :, None, :, None].expand_as(frames))
    return moved.gather(4, columns[:, :, None, None, :].expand_as(frames)), offsets


def _offsets(grey: Tensor, reach: int) -> Tensor:
    """Shift of each picture of `grey [B, T, H, W]` against the first, in rows and columns, `[B, T, 2]`."""
    H, W = grey.shape[2:]
    window = _hann(grey.device, grey.dtype, H)[:, None] * _hann(grey.device, grey.dtype, W)
    spectra = torch.fft.rfft2((grey - grey.mean(dim=(2, 3), keepdim=True)) * window)
    cross = spectra * spectra[:, :1].conj()
    peaks = torch.fft.irfft2(cross / (cross.abs() + _STILL), s=(H, W))
    near = torch.arange(-reach, reach + 1, device=grey.device)
    best = peaks[:, :, near[:, None] % H, near % W].flatten(2).argmax(dim=2)
    return torch.stack([best // len(near), best % len(near)], dim=2) - reach


@cached_table
def _hann(size: int) -> Tensor:
    return torch.hann_window(size, periodic=False, dtype=torch.float64)
