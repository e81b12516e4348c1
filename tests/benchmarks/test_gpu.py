"""The GPU's benchmark: its CPU path runs, and it needs torch and numpy only."""

import subprocess
import sys
from pathlib import Path

import torch

from benchmarks import gpu

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


def test_every_arm_runs_on_a_cpu_and_is_measured():
    limits = gpu.describe(CPU, 64)
    arms = tuple(arm for arm in gpu.ARMS if arm != "ours compiled")  # compiling takes half a minute
    rows = gpu.measure(gpu.Cell("proof", 10, arms), CPU, limits, until=float("inf"))
    assert set(rows) == set(arms)
    for arm, row in rows.items():
        assert row["seconds"] > 0
        assert row["clips_per_second"] == 10 / row["seconds"]
        assert ("over_ours" in row) == (arm != "ours")


def test_what_has_no_time_left_says_so():
    rows = gpu.measure(gpu.Cell("proof", 10, ("ours", "encode")), CPU, gpu.describe(CPU, 64), until=0)
    assert rows == {arm: {"failed": "not measured: out of time"} for arm in ("ours", "encode")}


def test_it_needs_torch_and_numpy_only():
    blocked = ["av", "lance", "pyarrow", "PIL", "sklearn", "scipy", "matplotlib", "safetensors", "tyro", "rich"]
    code = f"""
import sys
sys.modules.update(dict.fromkeys({blocked}))  # an import of one of them fails, as if it were not installed
sys.path.insert(0, "src")
from benchmarks import gpu
import torch
gpu.measure(gpu.Cell("proof", 10, ("ours",)), torch.device("cpu"), {{"gemm_bf16_gflops": 1}}, float("inf"))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=100)
