"""What this machine can do at most, measured in the same run: matrix products, memory, and its name."""

import os
import platform
import time
from collections.abc import Callable

import torch


def describe(threads: int = 2) -> dict[str, object]:
    """Name, versions, load and limits of the machine; takes about 3 seconds."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": threads,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load_before": round(os.getloadavg()[0], 2),
        "gemm_fp32_gflops": round(gemm_rate(torch.float32, threads)),
        "gemm_bf16_gflops": round(gemm_rate(torch.bfloat16, threads)),
        "copy_gigabytes_per_second": round(copy_rate(threads), 1),
    }


def gemm_rate(dtype: torch.dtype, threads: int) -> float:
    """GFLOP/s of a linear layer of ViT-Base (4,096 tokens, 768 to 3,072), best of several: the limit of a step."""
    tokens, wide, wider = 4096, 768, 3072
    x, weight = torch.randn(tokens, wide).to(dtype), torch.randn(wider, wide).to(dtype)
    seconds = _best(lambda: torch.nn.functional.linear(x, weight), threads)
    return 2e-9 * tokens * wide * wider / seconds


def copy_rate(threads: int) -> float:
    """GB/s of a copy between two arrays larger than any cache, bytes read and written."""
    source = torch.ones(64_000_000)
    target = torch.empty_like(source)
    return 2e-9 * source.numel() * 4 / _best(lambda: target.copy_(source), threads)


def _best(work: Callable[[], object], threads: int) -> float:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    torch.set_num_threads(before)
    return min(seconds)


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
