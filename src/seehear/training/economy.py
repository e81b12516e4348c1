"""What makes a step cheaper and leaves what is learnt alone: memory kept, activations recomputed, blocks compiled."""

import os
import shutil

import torch
from torch import nn

from seehear.allocator import keep_freed_memory
from seehear.errors import UsageError
from seehear.layers.block import Block, set_recompute
from seehear.training.run_config import TrainingConfig

_COMPILERS = ("g++", "clang++", "c++")


def economise(method: nn.Module, settings: TrainingConfig, device: torch.device) -> None:
    """Make `method` and this process as thrifty as `settings` ask.

    Raises:
        UsageError: if something is asked for that this method or this machine has not.
    """
    if settings.keep_memory and device.type == "cpu":
        keep_freed_memory()
    blocks = [module for module in method.modules() if isinstance(module, Block)]
    for name, asked in (("recompute", settings.recompute != "none"), ("compile", settings.compile)):
        if asked and not blocks:
            raise UsageError(
                f"training.{name} is {getattr(settings, name)!r}, and {type(method).__name__} has no transformer block",
                expected="a method made of seehear.layers.block.Block",
                cure=f"leave training.{name} out",
            )
    set_recompute(method, settings.recompute)
    if settings.compile:
        _require_compiler(device)
        for block in blocks:
            block.compile(dynamic=False)


def _require_compiler(device: torch.device) -> None:
    """torch.compile on a CPU writes C++; without a compiler it would fail in the first step only."""
    if device.type == "cpu" and not os.environ.get("CXX") and not any(map(shutil.which, _COMPILERS)):
        raise UsageError(
            "training.compile needs a C++ compiler on a CPU, and none was found",
            expected=f"one of {', '.join(_COMPILERS)} in PATH, or CXX set",
            cure="apt install g++, or leave training.compile out",
        )
