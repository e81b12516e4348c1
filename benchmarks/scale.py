"""Scale: two ranks against one, checkpoints beside training, growth of cost against its formulas, import time.

    python -m benchmarks.scale            # about 20 minutes, 14 GB of memory; nothing else should run
    python -m benchmarks.scale --part growth   # one part: ranks, saving, growth or imports
    python -m benchmarks.scale --quick    # does it run? a minute, nothing recorded

Every arm lives in processes of its own. Ranks have one thread each. "efficiency" is the time of one rank alone over the
time of two with the same clips each (weak scaling); two processes apart form no group: theirs is what the machine
allows; "strong" is one process of two threads over two ranks of one, with the same clips in all. Sent bytes are those
of the loopback interface per rank, against 2 (W - 1) / W times the bytes of all gradients (3 in shards). A deviation is
the largest of a fit with one free factor. Writes benchmarks/results/scale.jsonl.
"""

import argparse
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import flops
from benchmarks.kit import arms, machine, record

Cells = dict[str, dict[str, float]]
RANKS, SAVING, GROWTH = (f"benchmarks.scaling.{name}" for name in ("ranks", "saving", "growth"))
TOKENS = (128, 256, 512, 1024, 2048, 4096)
LOSS_PLAIN, LOSS_CHUNKED = (1024, 2048, 4096, 8192), (4096, 8192, 16384, 32768)
CHUNK, LOSS_WIDTH = 1024, 64


def main() -> None:
    """Run the parts, print and record them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=PARTS, help="only this one")
    options.add_argument("--quick", action="store_true", help="small sizes, one turn, nothing recorded")
    chosen = options.parse_args()
    about = {} if chosen.quick else machine.describe()
    cells: Cells = {}
    for name, part in PARTS.items():
        if chosen.part in (None, name):
            found = part(chosen.quick)
            cells |= found
            for cell, values in found.items():
                print(f"{cell:44}", ", ".join(f"{key} {value:.4g}" for key, value in values.items()), flush=True)
    if not chosen.quick:
        record.add("scale", about, cells)


# -------------------------------------------------------------------------------------------------------------- ranks
def ranks(quick: bool) -> Cells:
    """Weak and strong scaling, bytes sent, and the same in shards."""
    cells: Cells = {}
    for size, clips, repeats in (("proof", 20, 2),) if quick else (("proof", 80, 15), ("S", 10, 3)):
        one, two, shards = (
            _ranks(size, clips, 1, 1),
            _ranks(size, clips, 2, 1),
            _ranks(size, clips, 2, 1, parallel="fsdp"),
        )
        apart, threads = _ranks(size, clips, 2, 1, apart=True), _ranks(size, 2 * clips, 1, 2)
        for name, arm, ratio, other in (  # in pairs: at ViT-S an arm of two ranks holds 8 GB
            ("two ranks, ddp", two, "efficiency", one),
            ("two ranks, fsdp", shards, "efficiency", one),
            ("two processes apart", apart, "efficiency", one),
            ("two ranks over two threads", two, "strong", threads),
        ):
            taken = arms.take_turns({"other": other, "this": arm}, repeats)
            cells[f"{name}, {size}, {clips} clips each"] = {
                "seconds": taken["this"].median,
                "other_seconds": taken["other"].median,
                **_named(ratio, arms.ratios(taken["other"], taken["this"])),
                **_sent(taken["this"]),
                "peak_mebibytes": taken["this"].peak_mebibytes,
            }
    return cells


def _sent(found: arms.Taken) -> dict[str, float]:
    """Megabytes that each rank sends in a step, and the least that must be sent; nothing for processes apart."""
    sent, theory = (found.values[-1][f"{name}_megabytes"] for name in ("sent", "theory"))
    if not theory:
        return {}
    return {"sent_megabytes": sent, "theory_megabytes": theory, "sent_over_theory": sent / theory}


def _ranks(size: str, clips: int, world_size: int, threads: int, **options: object) -> arms.Arm:
    words = {"size": size, "clips": clips, "world_size": world_size, "threads": threads, **options}
    return arms.Arm(f"{RANKS}:arm", words, threads, {"OMP_NUM_THREADS": str(threads)})


def _named(name: str, values: dict[str, float]) -> dict[str, float]:
    return {key.replace("ratio", f"ratio_{name}", 1): value for key, value in values.items()}


# ------------------------------------------------------------------------------------------------------------- saving
def saving(quick: bool) -> Cells:
    """What a checkpoint keeps training waiting, and what it costs in all."""
    size, products, repeats = ("proof", 5, 2) if quick else ("B", 500, 3)
    taken = arms.take_turns(
        {
            "nothing": arms.Arm(f"{SAVING}:products", {"count": products}),
            "in place": arms.Arm(f"{SAVING}:arm", {"size": size, "beside": False, "products": products}),
            "beside": arms.Arm(f"{SAVING}:arm", {"size": size, "beside": True, "products": products}),
        },
        repeats,
    )
    nothing, cells = taken["nothing"].median, {}
    for name in ("in place", "beside"):
        found = taken[name]
        cells[f"checkpoint {name}, {size}"] = {
            "gigabytes": found.values[-1]["gigabytes"],
            "stall_seconds": statistics.median(v["stall_seconds"] for v in found.values),
            "longest_stall_seconds": max(v["stall_seconds"] for v in found.values),
            "cost_seconds": statistics.median(found.seconds) - nothing,
            "peak_mebibytes": found.peak_mebibytes,
        }
    return cells


# ------------------------------------------------------------------------------------------------------------- growth
def growth(quick: bool) -> Cells:
    """Time over tokens, activations over batch, memory of the loss over batch."""
    cells: Cells = {}
    width, depth, total, repeats = (128, 1, 4096, 2) if quick else (768, 2, 8192, 5)
    for name, train in (("forward", False), ("forward and backward", True)):
        words = {"width": width, "depth": depth, "total": total, "train": train}
        taken = arms.take_turns({str(n): arms.Arm(f"{GROWTH}:stack", {"tokens": n, **words}) for n in TOKENS}, repeats)
        flop = [total // n * depth * flops.block(n, width) * (3 if train else 1) for n in TOKENS]
        seconds = [taken[str(n)].median for n in TOKENS]
        cells[f"time over tokens, {name}, width {width}"] = {
            "largest_deviation": deviation(seconds, flop),
            **{f"gflops_{n}": f / s / 1e9 for n, f, s in zip(TOKENS, flop, seconds, strict=True)},
        }
    shape = {"tokens": 256, "width": 128 if quick else 768, "depth": 2}
    kept = {
        "block stack, fp32": arms.Arm(f"{GROWTH}:block_activations", {**shape, "bf16": False}),
        "block stack, bf16": arms.Arm(f"{GROWTH}:block_activations", {**shape, "bf16": True}),
        "joint step, fp32": arms.Arm(f"{GROWTH}:step_activations", {"size": "proof" if quick else "S", "clips": 5}),
    }
    for name, found in arms.take_turns(kept, repeats=1, warmup=0).items():
        mine, formula = found.values[0]["megabytes"], found.values[0]["formula_megabytes"]
        cells[f"activations per clip, {name}"] = {"megabytes": mine, "formula": formula, "over_formula": mine / formula}
    return cells | _loss_memory(quick)


def _loss_memory(quick: bool) -> Cells:
    cells: Cells = {}
    for name, chunk, batches in (("plain", None, LOSS_PLAIN), ("chunked", CHUNK, LOSS_CHUNKED)):
        sizes = batches[:2] if quick else batches
        added = []
        for clips in sizes:  # one after another: the peak of a process is its own
            words = {"clips": clips, "width": LOSS_WIDTH, "chunk": chunk}
            found = arms.take_turns({"loss": arms.Arm(f"{GROWTH}:loss", words)}, repeats=1, warmup=0)["loss"]
            added.append(found.peak_mebibytes - found.idle_mebibytes)
        cells[f"loss memory over batch, {name}"] = {
            "exponent": slope([math.log(b) for b in sizes], [math.log(m) for m in added]),
            **{f"mebibytes_{b}": m for b, m in zip(sizes, added, strict=True)},
        }
    return cells


def deviation(measured: Sequence[float], formula: Sequence[float]) -> float:
    """Largest relative deviation of measured values from the formula times the factor that makes it smallest."""
    shares = [m / f for m, f in zip(measured, formula, strict=True)]
    return (max(shares) - min(shares)) / (max(shares) + min(shares))


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Slope of the straight line of least squares."""
    return statistics.linear_regression(x, y).slope


# ------------------------------------------------------------------------------------------------------------ imports
def imports(quick: bool) -> Cells:
    """Seconds of `import seehear` and its rooms once torch is there, and of `seehear --help`: the least of several."""
    repeats = 2 if quick else 7
    rooms = {"import seehear": "seehear", "import seehear.training": "seehear.training", "every room": _EVERY_ROOM}
    cells: Cells = {}
    for name, module in rooms.items():
        code = f"import time, torch; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        cells[name] = {"seconds": min(float(_output("-c", code)) for _ in range(repeats))}
    cells["seehear --help"] = {"seconds": min(_seconds("-m", "seehear", "--help") for _ in range(repeats))}
    return cells


_EVERY_ROOM = ", ".join(
    f"seehear.{room}" for room in ("clips", "methods", "metrics", "recipes", "signals", "tasks", "training", "weights")
)


def _output(*words: str) -> str:
    return subprocess.run([sys.executable, *words], check=True, capture_output=True, text=True).stdout


def _seconds(*words: str) -> float:
    start = time.perf_counter()
    _output(*words)
    return time.perf_counter() - start


PARTS: dict[str, Callable[[bool], Cells]] = {"ranks": ranks, "saving": saving, "growth": growth, "imports": imports}

if __name__ == "__main__":
    main()
