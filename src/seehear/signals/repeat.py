"""Short sounds played again until their time is full, as the sound-localisation systems do where others add silence."""

import torch
from torch import Tensor

from seehear.errors import UsageError


def repeat_short(waveform: Tensor, samples: Tensor) -> Tensor:
    """`waveform [B, S]` of any dtype, of which `samples [B]` int64 are sound, with that sound from the start again.

    A row without any sound stays as it is.

    Raises:
        UsageError: if the shapes do not fit.
    """
    if waveform.ndim != 2 or samples.shape != waveform.shape[:1]:
        raise UsageError(
            f"{tuple(samples.shape)} lengths of a waveform {tuple(waveform.shape)}", expected="[B] and [B, S]"
        )
    S = waveform.shape[1]
    lengths = torch.where(samples > 0, samples, S).clamp(max=S)
    return waveform.gather(1, torch.arange(S, device=waveform.device) % lengths[:, None])
