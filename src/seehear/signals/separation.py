"""Masks between a network's frequency axis and a mixture's spectrum: what a mask is of, and the sound it leaves.

Source: DeepAVFusion's evaluation (arXiv 2312.01017, released code) and "The Sound of Pixels" (arXiv 1804.03160,
sec. 3). A mask over mel or logarithmic bands is brought to the bins of the mixture's short-time spectrum, multiplied
with it, and turned into sound with the mixture's phase.

Where this departs from the released code, unless `published` asks for it: there each bin gets the plain sum of its
triangles' masks, so that bins below the first peak and beyond the last fade out even under a mask of ones; and the
frame that the network does not read gets a mask of zeros. Here triangles are shares that add up to 1, a bin without one
follows the nearest band, and missing frames follow the last one: a mask of ones gives the mixture back.

Legend: B batch, S samples, K = size / 2 + 1 bins, F bands, T frames of the network, t = S // shift + 1 of the spectrum.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seehear.contracts import SAMPLE_RATE
from seehear.errors import UsageError
from seehear.signals.log_mel import htk_bank
from seehear.signals.precision import without_autocast
from seehear.signals.stft import istft, stft
from seehear.signals.tables import cached_table


@dataclass(frozen=True)
class Bands:
    """A frequency axis over short-time spectra.

    Attributes:
        scale: "mel" (HTK triangles), "log" (equal steps of pitch from the first bin on), or "linear": the bins.
        count: F; of "linear" the number of bins.
        size: samples in a frame.
        shift: samples from one frame to the next.
        rate: samples per second.
    """

    scale: Literal["mel", "log", "linear"] = "mel"
    count: int = 128
    size: int = 800
    shift: int = 250
    rate: int = SAMPLE_RATE

    def __post_init__(self) -> None:
        bins = self.size // 2 + 1
        if self.count < 2 or (self.scale == "linear" and self.count != bins):
            raise UsageError(f"{self.count} {self.scale} bands of {bins} bins", expected="two or more, of linear all")


def mixture_spectrum(waveform: Tensor, bands: Bands) -> Tensor:
    """Complex spectrum `[B, K, t]` of `waveform [B, S]`.

    Raises:
        UsageError: as `stft`.
    """
    return stft(waveform, bands.size, bands.shift)


def band_magnitude(spectrum: Tensor, bands: Bands) -> Tensor:
    """Magnitudes `[B, F, t]` of a spectrum `[B, K, t]`: the root of the power in each band."""
    magnitude = spectrum.abs()
    if bands.scale == "linear":
        return magnitude
    with without_autocast(magnitude):
        device, dtype = magnitude.device, magnitude.dtype
        if bands.scale == "mel":
            bank = htk_bank(device, dtype, bands.rate, bands.size, bands.count)
        else:
            bank = _log_bank(device, dtype, bands)
        return torch.einsum("bkt,kf->bft", magnitude.square(), bank).sqrt()


def over_bins(mask: Tensor, bands: Bands, frames: int, published: bool = False) -> Tensor:
    """A mask `[B, F, T]` over the bins and `frames` of a spectrum, `[B, K, frames]`.

    Args:
        mask: 0 to 1.
        bands: its frequency axis.
        frames: t, not below T.
        published: see the file's header.

    Raises:
        UsageError: if the mask has other bands, or more frames.
    """
    if mask.ndim != 3 or mask.shape[1] != bands.count or mask.shape[2] > frames:
        raise UsageError(
            f"a mask {tuple(mask.shape)} over {frames} frames", expected=f"[B, {bands.count}, at most {frames}]"
        )
    missing = frames - mask.shape[2]
    if missing:
        rest = mask[:, :, -1:].expand(-1, -1, missing)
        mask = torch.cat([mask, torch.zeros_like(rest) if published else rest], dim=2)
    if bands.scale == "linear":
        return mask
    with without_autocast(mask):
        return torch.einsum("bft,kf->bkt", mask, _bin_shares(mask.device, mask.dtype, bands, published))


def separated(spectrum: Tensor, mask: Tensor, bands: Bands, samples: int, published: bool = False) -> Tensor:
    """The sound `[B, S]` that a mask `[B, F, T]` leaves of a mixture's spectrum `[B, K, t]`.

    Args:
        spectrum: as `mixture_spectrum` gives it.
        mask: 0 to 1.
        bands: of both.
        samples: S.
        published: see the file's header.

    Raises:
        UsageError: as `over_bins`.
    """
    whole = over_bins(mask.to(spectrum.real.dtype), bands, spectrum.shape[2], published)
    return istft(spectrum * whole, bands.shift, samples)


@cached_table
def _log_bank(bands: Bands) -> Tensor:
    """Weights `[K, F]`, a band's adding up to 1: triangles as wide as the step to the next band, or one bin."""
    last = bands.size // 2
    places = last ** torch.linspace(0, 1, bands.count, dtype=torch.float64)
    width = (places * (last ** (1 / (bands.count - 1)) - 1)).clamp_min(1)
    bins = torch.arange(last + 1, dtype=torch.float64)[:, None]
    bank = (1 - (bins - places).abs() / width).clamp_min(0)
    return bank / bank.sum(dim=0)


@cached_table
def _bin_shares(bands: Bands, published: bool) -> Tensor:
    """Weights `[K, F]` that bring bands to bins."""
    if bands.scale == "log":
        last = bands.size // 2
        bins = torch.arange(last + 1, dtype=torch.float64).clamp_min(1)
        return _between(bins.log() / torch.tensor(float(last)).double().log() * (bands.count - 1), bands.count)
    bank = htk_bank(torch.device("cpu"), torch.float64, bands.rate, bands.size, bands.count)
    if published:
        return bank
    shares, touched = bank.clone(), bank.sum(dim=1) > 0
    peaks = bank.argmax(dim=0).double()
    peaks = torch.where(bank.amax(dim=0) > 0, peaks, -torch.inf)  # bands between two bins hold none
    for row in (~touched).nonzero()[:, 0]:
        shares[row, (peaks - row).abs().argmin()] = 1.0
    return shares / shares.sum(dim=1, keepdim=True)


def _between(places: Tensor, count: int) -> Tensor:
    """Linear weights `[P, count]` of points `places [P]` among 0 to `count` - 1."""
    places = places.clamp(0, count - 1)
    return (1 - (places[:, None] - torch.arange(count, dtype=torch.float64)).abs()).clamp_min(0)
