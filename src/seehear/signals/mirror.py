"""Short sounds continued by their mirror image, again and again, as DeepAVFusion's loader pads (arXiv 2312.01017).

abc becomes abc cba abc ...: the end samples stand twice at each turn, so that nothing jumps.
"""

import torch
from torch import Tensor

from seehear.errors import UsageError


def mirror_short(waveform: Tensor, samples: Tensor) -> Tensor:
    """`waveform [B, S]` of any dtype, of which `samples [B]` int64 are sound, filled up with that sound to and fro.

    A row without any sound stays as it is.

    Raises:
        UsageError: if the shapes do not fit.
    """
    if waveform.ndim != 2 or samples.shape != waveform.shape[:1]:
        raise UsageError(
            f"{tuple(samples.shape)} lengths of a waveform {tuple(waveform.shape)}", expected="[B] and [B, S]"
        )
    S = waveform.shape[1]
    lengths = torch.where(samples > 0, samples, S).clamp(max=S)[:, None]
    place = torch.arange(S, device=waveform.device) % (2 * lengths)
    return waveform.gather(1, torch.minimum(place, 2 * lengths - 1 - place))
