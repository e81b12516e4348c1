"""Large contrastive batches: the loss in full against the loss by chunks, and a plain step against cached gradients.

    python -m benchmarks.contrast    # about 2 minutes; writes benchmarks/results/contrast.jsonl

Two arms alternate A/B/A/B in one process, on one thread, and ratios are those of neighbours. Times are the process's
own CPU time, which other work on the machine disturbs less than the clock's. Memory is what one pass adds to the peak
of a process of its own. The two arms agree first, in value and gradient.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.kit import machine, record
from seehear import recipes
from seehear.contracts import Batch, Progress
from seehear.losses.info_nce import info_nce
from seehear.randomness import Randomness
from seehear.runs.pretraining import build_method
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

CHUNK, WIDTH = 256, 64
LOSSES = (*((clips, WIDTH) for clips in (512, 1024, 2048, 4096, 8192)), (4096, 768))
CLIPS, PIECE = 640, 80
REPEATS = 5

Arm = Callable[[], list[Tensor]]  # one pass; returns the loss and its gradients


def main() -> None:
    """Run every cell in processes of its own, print and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cell", nargs=3, help="times or peak, plain or lean, cell (used by the run itself)")
    chosen = options.parse_args()
    if chosen.cell:
        torch.set_num_threads(1)
        print(json.dumps(CALLS[chosen.cell[0]](*chosen.cell[1:])))
        return
    record.add("contrast", machine.describe(1), {name: _cell(name) for name in ARMS})


def _cell(name: str) -> dict[str, float]:
    """One row: times of both arms, then the memory of each."""
    row = _apart("times", "both", name)
    row |= {f"{arm}_mebibytes": _apart("peak", arm, name)["mebibytes"] for arm in ("plain", "lean")}
    return row | {"ratio_memory": row["plain_mebibytes"] / row["lean_mebibytes"]}


def _apart(*cell: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.contrast", "--cell", *cell]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def times(_: str, name: str) -> dict[str, float]:
    """Median CPU time of both arms; of the ratios plain / lean of neighbours the median and the lower quartile."""
    plain, lean = ARMS[name]()
    apart = max(_difference(a, b) for a, b in zip(plain(), lean(), strict=True))
    taken = [(_milliseconds(plain), _milliseconds(lean)) for _ in range(REPEATS)]
    ratios = [a / b for a, b in taken]
    return {
        "plain_ms": statistics.median(a for a, _ in taken),
        "lean_ms": statistics.median(b for _, b in taken),
        "ratio": statistics.median(ratios),
        "ratio_lower_quartile": statistics.quantiles(ratios, n=4)[0],
        "largest_relative_difference": apart,
    }


def _milliseconds(work: Arm) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def _difference(one: Tensor, other: Tensor) -> float:
    return ((one - other).norm() / one.norm()).item()


def peak(arm: str, name: str) -> dict[str, float]:
    """What one pass adds to the most memory that the process held."""
    work = ARMS[name]()[arm == "lean"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return {"mebibytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}


def loss_arms(clips: int, width: int) -> tuple[Arm, Arm]:
    """The loss of random embeddings with its gradients: `[B, B]` held, and `[chunk, B]` held."""
    audio, image = (F.normalize(torch.randn(clips, width), dim=1).requires_grad_() for _ in range(2))

    def arm(chunk: int | None, rows: int = clips) -> list[Tensor]:
        leaves = (audio[:rows], image[:rows])
        loss = info_nce(*leaves, torch.arange(rows), 0.05, chunk=chunk)
        return [loss.detach(), *torch.autograd.grad(loss, leaves)]

    for chunk in (None, CHUNK):  # loads what torch loads on first use
        arm(chunk, 64)
    return lambda: arm(None), lambda: arm(CHUNK)


def step_arms() -> tuple[Arm, Arm]:
    """A training step of `avsiam_tiny`: the whole batch at once, and by pieces with cached gradients."""
    torch.manual_seed(0)
    model = build_method(recipes.get("avsiam_tiny"))
    alone, numbers = Peers(0, 1, torch.device("cpu")), torch.arange(CLIPS)
    fields = {
        "waveform": torch.randint(-9000, 9000, (CLIPS, 51_200)).to(torch.int16),
        "waveform_samples": torch.full((CLIPS,), 51_200),
        "frames": torch.randint(0, 256, (CLIPS, 1, 3, 96, 96)).to(torch.uint8),
    }
    batch = Batch(numbers, numbers, fields)
    optimizers = build_optimizers(model, recipes.get("avsiam_tiny").optimizer)
    guard = NonFiniteGuard(model, alone.device, alone)

    def arm(chunk: int | None) -> list[Tensor]:
        stepper = Stepper(model, optimizers, guard, alone, Randomness(0, 1000), gradient_cache_chunk=chunk)
        losses = stepper(batch, 0.0, Progress(1, 10, 0.0)).values  # at a rate of 0 every step is the same
        return [losses["loss"], torch.cat([p.grad.flatten() for p in model.parameters()])]

    return lambda: arm(None), lambda: arm(PIECE)


ARMS: dict[str, Callable[[], tuple[Arm, Arm]]] = {
    f"loss, {clips} clips, width {width}": lambda clips=clips, width=width: loss_arms(clips, width)
    for clips, width in LOSSES
} | {f"step, {CLIPS} clips by {PIECE}": step_arms}
CALLS = {"times": times, "peak": peak}

if __name__ == "__main__":
    main()
