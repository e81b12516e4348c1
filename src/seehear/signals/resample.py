"""Change of sample rate by a Kaiser-windowed sinc, polyphase, as matrix products.

Source: the windowed-sinc interpolation of J. O. Smith, "Digital audio resampling"; Kaiser's formulas for the window's
shape and the transition width. The stop band begins at the lower of the two Nyquist frequencies, so nothing folds back:
80 dB down there, flat to 92 % of it with 64 zero crossings. No delay: output n lies at time n / to_rate.
With the taps of this filter SciPy's `resample_poly` gives the same numbers.

In lowest terms the ratio is U outputs per D inputs. Blocks of U outputs read overlapping stretches of input through one
small matrix of taps; a large U is split into groups of outputs, so that no ratio needs a large matrix.

Legend: B batch, S samples in, R samples out, M blocks, G groups, P outputs per group, K inputs that a group reads.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear.errors import UsageError
from seehear.signals.precision import without_autocast, working_dtype
from seehear.signals.tables import cached_table

ZERO_CROSSINGS = 64  # of the sinc, on each side
STOP_BAND_DB = 80.0
_OUTPUTS_PER_GROUP = 256  # bounds the matrices of awkward ratios
_OUTPUTS_PER_BLOCK = 128  # small ratios are multiplied up to this: better matrices, less copying


def resample(waveform: Tensor, from_rate: int, to_rate: int) -> Tensor:
    """`[B, S]` floating point at `from_rate` Hz to `[B, R]` at `to_rate` Hz, `R = ceil(S * to_rate / from_rate)`.

    Equal rates return the waveform itself. The signal counts as zero outside its ends.

    Raises:
        UsageError: if a rate is not positive or the waveform is not floating point `[B, S]`.
    """
    dtype = working_dtype(waveform, "the waveform")
    if waveform.ndim != 2 or from_rate < 1 or to_rate < 1:
        raise UsageError(
            f"a waveform {tuple(waveform.shape)} from {from_rate} to {to_rate} Hz", expected="[B, S] and positive rates"
        )
    if from_rate == to_rate or waveform.shape[1] == 0:
        return waveform
    common = math.gcd(from_rate, to_rate)
    up, down = to_rate // common, from_rate // common
    with without_autocast(waveform):
        out = _in_blocks(waveform.to(dtype), up, down)
    return out[:, : -(-waveform.shape[1] * up // down)].to(waveform.dtype)


def low_pass(up: int, down: int) -> Tensor:
    """The filter at `up` times the input's rate: odd length, symmetric, float64, sum `up`."""
    half = ZERO_CROSSINGS * max(up, down)
    beta = 0.1102 * (STOP_BAND_DB - 8.7)
    transition = (STOP_BAND_DB - 7.95) / (2.285 * 2 * ZERO_CROSSINGS * math.pi)  # as a share of the lower Nyquist
    cutoff = (1 - transition / 2) / max(up, down)
    times = torch.arange(-half, half + 1, dtype=torch.float64)
    taps = torch.sinc(cutoff * times) * torch.kaiser_window(len(times), periodic=False, beta=beta, dtype=torch.float64)
    return taps * (up / taps.sum())


def _in_blocks(x: Tensor, up: int, down: int) -> Tensor:
    """All outputs of whole blocks, `[B, at least R]`."""
    fold = max(1, _OUTPUTS_PER_BLOCK // up)
    groups = -(-up // _OUTPUTS_PER_GROUP)
    table = _taps(x.device, x.dtype, up, down, fold, groups)  # [G, K, P]
    starts, reach = _starts(up, down, fold, groups)
    step, outputs = down * fold, up * fold
    blocks = -(-x.shape[1] // step)
    ends = (blocks - 1) * step + starts[-1] + table.shape[1]
    padded = F.pad(x, (reach, max(0, ends - reach - x.shape[1])))
    parts = [
        padded[:, start : start + (blocks - 1) * step + table.shape[1]].unfold(1, table.shape[1], step) @ taps
        for start, taps in zip(starts, table, strict=True)
    ]  # each [B, M, P]
    return torch.cat(parts, dim=2)[:, :, :outputs].flatten(1)


def _starts(up: int, down: int, fold: int, groups: int) -> tuple[list[int], int]:
    """First input of each group, counted from `reach` inputs before the block, and that reach."""
    reach = ZERO_CROSSINGS * max(up, down) // up + 1
    outputs = -(-up * fold // groups)
    return [group * outputs * down // up for group in range(groups)], reach


@cached_table
def _taps(up: int, down: int, fold: int, groups: int) -> Tensor:
    """Weights of K inputs for the P outputs of each group, `[G, K, P]`."""
    starts, reach = _starts(up, down, fold, groups)
    outputs = -(-up * fold // groups)
    width = outputs * down // up + 2 * reach + 2
    taps = low_pass(up, down)
    half = len(taps) // 2
    inputs = torch.tensor(starts)[:, None, None] - reach + torch.arange(width)[None, :, None]
    wanted = torch.arange(groups * outputs).view(groups, 1, outputs)
    places = wanted * down - inputs * up + half  # [G, K, P]
    return taps[places.clamp(0, 2 * half)] * ((places >= 0) & (places <= 2 * half))
