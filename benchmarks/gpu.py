"""The pretraining step and the encoder on one GPU: ours, plain or compiled, against both rivals.

    PYTHONPATH=src python -m benchmarks.gpu              # one CUDA GPU, at most 8 minutes; needs torch and numpy only
    PYTHONPATH=src python -m benchmarks.gpu --quick      # the same code at proof scale on the CPU, half a minute

Arms of a cell run in turns, one in memory at a time; each turn builds its arm anew, warms up and times steps one by
one. Every arm starts from the same prepared inputs and is credited with the same FLOP (`flops.py`). `utilisation` is of
a matrix product of 8,192 x 8,192 x 8,192 in bf16, measured first. A cell that does not fit in memory or in time says
so in place of its figures. Writes benchmarks/results/gpu.jsonl.
"""

import argparse
import datetime
import gc
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks import flops
from benchmarks.kit import record
from benchmarks.rivals.coupling import Prepared, shape_of
from benchmarks.rivals.plain import Plain, PlainTraining
from benchmarks.rivals.reference import Reference, ReferenceTraining
from benchmarks.step import BETAS, DECAY, RATE, configuration, inputs
from seehear.contracts import Batch, Progress
from seehear.methods.avsiam import Config
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig, TrainingConfig
from seehear.training.distributed import Peers
from seehear.training.economy import economise
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

LARGE = {"width": 1024, "depth": 24, "heads": 16}
TURNS, WARMUP, STEPS = 2, 3, 6
Step = Callable[[], object]


@dataclass(frozen=True)
class Cell:
    """What one cell runs: arms by name on one size and batch."""

    size: str
    clips: int
    arms: tuple[str, ...]


CELLS = {
    "Base, 255 clips": Cell("B", 255, ("ours", "ours compiled", "R1 bf16", "R0 fp16")),
    "Base, 15 clips": Cell("B", 15, ("ours", "ours compiled", "R1 bf16", "R0 fp16")),
    "Large, 125 clips": Cell("L", 125, ("ours", "ours compiled")),
    "Base, 255 clips, MLP recomputed": Cell("B", 255, ("ours recomputing",)),
    "Base, 4095 clips by 315, cached gradients": Cell("B", 4095, ("ours cached",)),
    "Base, embedding, 255 clips": Cell("B", 255, ("encode",)),
}
QUICK = {name: replace(cell, size="proof", clips=20 if "4095" in name else 10) for name, cell in CELLS.items()}


def main() -> None:
    """Every cell that fits in the time, then the record."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", help="cuda, unless --quick is given")
    options.add_argument("--quick", action="store_true", help="proof scale, nothing recorded")
    options.add_argument("--seconds", type=float, default=460, help="begin no cell after this time")
    options.add_argument("--out", type=Path, default=record.RESULTS, help="folder of the record")
    chosen = options.parse_args()
    device = torch.device(chosen.device or ("cpu" if chosen.quick else "cuda"))
    started = time.monotonic()
    limits = describe(device, 512 if chosen.quick else 8192)
    cells: dict[str, Mapping[str, object]] = {}
    for name, cell in (QUICK if chosen.quick else CELLS).items():
        for arm, values in measure(cell, device, limits, started + chosen.seconds).items():
            cells[f"{name}: {arm}"] = values
            print(f"{name}: {arm}", values, flush=True)
    if not chosen.quick:
        record.add("gpu", limits, cells, chosen.out)


def describe(device: torch.device, side: int) -> dict[str, object]:
    """Name and limits of the device."""
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = min(_seconds(lambda: a @ b, device, 20))
    cuda = device.type == "cuda"
    return {
        "date": datetime.date.today().isoformat(),
        "device": torch.cuda.get_device_name(device) if cuda else platform.processor() or platform.machine(),
        "cuda": torch.version.cuda if cuda else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gemm_bf16_gflops": round(2e-9 * side**3 / seconds),
    }


def measure(cell: Cell, device: torch.device, limits: Mapping[str, object], until: float) -> dict[str, dict]:
    """All arms of a cell in turns; ratios are of the first arm to each other."""
    taken: dict[str, list[float]] = {arm: [] for arm in cell.arms}
    peaks: dict[str, float] = {}
    failed: dict[str, str] = {}
    for _ in range(TURNS):
        for arm in cell.arms:
            if arm in failed:
                continue
            if time.monotonic() > until:
                failed[arm] = "not measured: out of time"
                continue
            try:
                seconds, peaks[arm] = _turn(cell, arm, device)
                taken[arm] += seconds
            except torch.OutOfMemoryError:
                failed[arm] = "does not fit in memory"
    work = _work(cell)
    first = statistics.median(taken[cell.arms[0]]) if taken[cell.arms[0]] else None
    rows: dict[str, dict] = {}
    for arm, seconds in taken.items():
        if not seconds:
            rows[arm] = {"failed": failed[arm]}
            continue
        median = statistics.median(seconds)
        rows[arm] = {
            "seconds": median,
            "spread": (max(seconds) - min(seconds)) / median,
            "clips_per_second": cell.clips / median,
            "utilisation": work * 1e-9 / median / float(str(limits["gemm_bf16_gflops"])),
            "peak_gibibytes": peaks[arm],
        }
        if first and arm != cell.arms[0]:
            rows[arm]["over_ours"] = median / first
    return rows


def _turn(cell: Cell, arm: str, device: torch.device) -> tuple[list[float], float]:
    """Seconds of each step of a freshly built arm, and its peak of device memory in GiB (0 on a CPU)."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    try:
        step = ARMS[arm](cell, device)
        steps = max(2, min(STEPS, round(2000 / cell.clips)))
        seconds = list(_seconds(step, device, steps, WARMUP if steps > 2 else 1))
        return seconds, torch.cuda.max_memory_allocated(device) / 2**30 if cuda else 0.0
    finally:
        step = None
        gc.collect()
        if cuda:
            torch.cuda.empty_cache()


def _seconds(step: Step, device: torch.device, count: int, warmup: int = 2) -> Iterator[float]:
    for turn in range(warmup + count):
        start = time.perf_counter()
        step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn >= warmup:
            yield time.perf_counter() - start


def _work(cell: Cell) -> float:
    shape = shape_of(_configuration(cell.size))
    return cell.clips * flops.contrast(shape, 0.0) if cell.arms == ("encode",) else flops.step(shape, cell.clips)


def _configuration(size: str) -> Config:
    return replace(configuration("B"), **LARGE) if size == "L" else configuration(size)


# ------------------------------------------------------------------------------------------------------------- arms
def _batch(cell: Cell, device: torch.device) -> tuple[Config, Batch]:
    """A batch of noise; large ones repeat a smaller one, as inputs are made on the host."""
    config = _configuration(cell.size)
    few = inputs(config, min(cell.clips, 255))
    times = -(-cell.clips // len(few))
    fields = {
        name: value.to(device).repeat(times, *[1] * (value.ndim - 1))[: cell.clips]
        for name, value in few.fields.items()
    }
    numbers = torch.arange(cell.clips, device=device)
    return config, Batch(numbers, numbers, fields)


def _ours(
    compiled: bool = False, recompute: str = "none", chunk: int | None = None
) -> Callable[[Cell, torch.device], Step]:
    def build(cell: Cell, device: torch.device) -> Step:
        torch.manual_seed(0)
        (config, batch), alone = _batch(cell, device), Peers(0, 1, device)
        method = Prepared(config).to(device)
        economise(method, TrainingConfig(compile=compiled, recompute=recompute), device)  # type: ignore[arg-type]
        optimizers = build_optimizers(method, OptimizerConfig("adam", RATE, BETAS, DECAY))
        guard, count = NonFiniteGuard(method, device, alone), 0
        piece = None if chunk is None else min(chunk, cell.clips // 2)
        stepper = Stepper(
            method, optimizers, guard, alone, Randomness(0, 1_000_000), gradient_cache_chunk=piece, bf16=True
        )

        def step() -> None:
            nonlocal count
            positions = batch.positions + cell.clips * count  # other masks at every step
            stepper(Batch(batch.sample_ids, positions, batch.fields), RATE, Progress(count, 1000, 0.0))
            count += 1

        return step

    return build


def _plain(cell: Cell, device: torch.device) -> Step:
    torch.manual_seed(0)
    config, batch = _batch(cell, device)
    network = Plain(shape_of(config)).load(Prepared(config)).to(device)
    training = PlainTraining(network, True, RATE, BETAS, DECAY)
    return lambda: training(batch["bench_spectrogram"], batch["bench_picture"])


def _reference(cell: Cell, device: torch.device) -> Step:
    """R0 under fp16 autocast on a GPU, as the published scripts run it (their gradient scalers are left out)."""
    torch.manual_seed(0)
    config, batch = _batch(cell, device)
    network = Reference(shape_of(config)).load(Prepared(config)).to(device)
    training = ReferenceTraining(network, RATE, BETAS, DECAY)

    def step() -> None:
        with torch.autocast(device.type, torch.float16, enabled=device.type == "cuda"):
            training(batch["bench_spectrogram"], batch["bench_picture"])

    return step


def _encode(cell: Cell, device: torch.device) -> Step:
    """Unmasked embeddings of one frame and the whole sound."""
    torch.manual_seed(0)
    config, batch = _batch(cell, device)
    method = Prepared(config).to(device).eval()

    def step() -> None:
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            patches = method.patches(batch, keys=None)
            method.branches(patches)

    return step


ARMS: dict[str, Callable[[Cell, torch.device], Step]] = {
    "ours": _ours(),
    "ours compiled": _ours(compiled=True),
    "ours recomputing": _ours(recompute="mlp"),
    "ours cached": _ours(chunk=315),
    "R1 bf16": _plain,
    "R0 fp16": _reference,
    "encode": _encode,
}

if __name__ == "__main__":
    main()
