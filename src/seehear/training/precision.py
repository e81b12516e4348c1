"""Numbers of the forward pass (fp32 or bf16 autocast) and the settings that make a run repeatable.

bf16 needs no loss scaling: it has fp32's range. On a CPU it pays where the processor multiplies it itself, and only
from a certain width up, as the casts of a narrow network cost more than its products (docs/performance.md).
"""

import math
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

import torch
from torch import nn

WIDTH_WITH_TILES, WIDTH_WITH_VECTORS = 128, 768
"""Least width at which bf16 pays on a CPU: with AMX tiles, and with AVX-512 bf16 products alone."""


def uses_bf16(precision: Literal["auto", "fp32", "bf16"], device: torch.device, method: nn.Module) -> bool:
    """Whether the forward pass runs under bf16 autocast."""
    if precision != "auto":
        return precision == "bf16"
    if any(p.dtype == torch.float64 for p in method.parameters()):
        return False
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and _widest(method) >= _least_width()


def _least_width() -> float:
    if torch.cpu._is_amx_tile_supported():
        return WIDTH_WITH_TILES
    return WIDTH_WITH_VECTORS if torch.cpu._is_avx512_bf16_supported() else math.inf


def _widest(method: nn.Module) -> int:
    """Largest width that a linear layer both reads and writes at least."""
    return max((min(m.in_features, m.out_features) for m in method.modules() if isinstance(m, nn.Linear)), default=0)


def autocast(bf16: bool, device: torch.device) -> AbstractContextManager:
    """Context of the forward pass."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if bf16 else nullcontext()


@contextmanager
def repeatable(device: torch.device, deterministic: bool, threads: int | None) -> Iterator[None]:
    """Fix thread count and, on CUDA, deterministic kernels for the time of a run; puts both back.

    Operations without a deterministic kernel warn and go on.
    """
    memory: Any = torch.utils.deterministic  # its switch is made at run time, which type checkers do not see
    old_threads, old_mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    old_benchmark, old_fill = torch.backends.cudnn.benchmark, memory.fill_uninitialized_memory
    if threads is not None:
        torch.set_num_threads(threads)
    if deterministic and device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        memory.fill_uninitialized_memory = False
        torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(old_threads)
        torch.set_deterministic_debug_mode(old_mode)
        torch.backends.cudnn.benchmark = old_benchmark
        memory.fill_uninitialized_memory = old_fill
