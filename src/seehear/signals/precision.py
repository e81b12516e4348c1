"""Signal arithmetic keeps its precision: half types are computed in float32, and autocast is off inside.

A log-mel value or a filter tap in bfloat16 is wrong in the third digit, so these few operations, a small part of a
step, never follow a surrounding `torch.autocast`.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from seehear.errors import UsageError

_WIDE = (torch.float32, torch.float64)


def without_autocast(x: Tensor) -> AbstractContextManager:
    """A context in which operations on the device of `x` run in their own dtype; nothing in exported programs."""
    if torch.compiler.is_exporting() or not torch.amp.is_autocast_available(x.device.type):
        return nullcontext()
    return torch.autocast(device_type=x.device.type, enabled=False)


def working_dtype(x: Tensor, name: str) -> torch.dtype:
    """The dtype to compute in: float64 and float32 stay, half types become float32.

    Raises:
        UsageError: if `x` does not hold floating-point numbers.
    """
    if not x.is_floating_point():
        raise UsageError(
            f"{name} is {x.dtype}",
            expected="floating-point numbers",
            cure="seehear.signals.waveform_from_int16 for sound, normalize_image for pictures",
        )
    return x.dtype if x.dtype in _WIDE else torch.float32
