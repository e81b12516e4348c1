"""The pretraining step of AVSiam: ours against R0 (the published pattern) and R1 (plain PyTorch), in fp32 and bf16.

    python -m benchmarks.step               # ViT-S, {S} clips, about 3 minutes
    python -m benchmarks.step --size B      # ViT-B, {B} clips, about 20 minutes, 12 GB of memory
    python -m benchmarks.step --size proof  # the tiny recipe, {proof} clips, about 1 minute
    python -m benchmarks.step --quick       # does it run? some seconds, nothing recorded

Released ratios (0 to 0.8), `tf` masks on sound, doubled embedding, decoder of 8 x 512 (at proof scale the recipe's).
Every arm starts from the same normalised spectrograms and pictures in memory, made beforehand as ours makes them, and
draws its masks inside the step, each in its own way. R0 takes two optimiser steps, R1 and ours one for both losses;
ours goes through the trainer's own `Stepper`. All arms are credited with the same FLOP (`flops.py`). First of all the
arms must agree: losses and gradients from equal weights on equal masks. At ViT-B the arms run in pairs, for want of
memory. Writes benchmarks/results/step_SIZE.jsonl.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import torch

from benchmarks import flops, traffic
from benchmarks.kit import arms, machine, record
from benchmarks.rivals.coupling import Prepared, prepared, shape_of
from benchmarks.rivals.plain import Plain, PlainTraining
from benchmarks.rivals.reference import Reference, ReferenceTraining
from seehear import recipes
from seehear.allocator import keep_freed_memory
from seehear.contracts import Batch, Progress
from seehear.layers.block import Recompute
from seehear.methods.avsiam import Config, MaskingConfig, ReconstructionConfig
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig, TrainingConfig
from seehear.training.distributed import Peers
from seehear.training.economy import economise
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

CLIPS = {"S": 5, "B": 10, "proof": 80}
REPEATS = {"S": 5, "B": 5, "proof": 20}
TOLERANCE = 1e-4
PUBLISHED_SECONDS, PUBLISHED_GEMM, PUBLISHED_GIBIBYTES = 38.5, 190, 7.8  # its code at ViT-B, 10 clips, fp32
RATE, BETAS, DECAY = 2e-4, (0.95, 0.999), 5e-7
FP32, BF16 = ("R0 fp32", "R1 fp32", "ours fp32"), ("R1 bf16", "ours bf16")
LEAN = ("ours fp32, MLP recomputed", "ours fp32, blocks recomputed", "ours fp32, moments in bf16")  # at ViT-S
COMPARED = (("R0 fp32", "ours fp32"), ("R0 fp32", "ours bf16"), ("R1 fp32", "ours fp32"), ("R1 bf16", "ours bf16"))
Pass = Callable[[], Mapping[str, float]]
Moments = Literal["fp32", "bf16"]


def main() -> None:
    """Agreement, arms, table, record."""
    about = (__doc__ or "").format(**CLIPS)
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", choices=CLIPS, default="S")
    options.add_argument("--clips", type=int, help="of a batch, a multiple of 5")
    options.add_argument("--repeats", type=int, help="counted turns of every arm")
    options.add_argument("--threads", type=int, default=2, help="of an arm")
    options.add_argument(
        "--keep", action="store_true", help="let the rivals keep freed memory too, as our trainer does"
    )
    options.add_argument("--quick", action="store_true", help="5 clips at proof scale, one turn, nothing recorded")
    chosen = options.parse_args()
    size = "proof" if chosen.quick else chosen.size
    clips = chosen.clips or (5 if chosen.quick else CLIPS[size])
    repeats = chosen.repeats or (1 if chosen.quick else REPEATS[size])
    cells = run(size, clips, repeats, chosen.threads, chosen.keep, small_only=chosen.quick)
    if not chosen.quick:
        record.add(f"step_{size}" + ("_kept_memory" if chosen.keep else ""), *cells)
        return
    for name, values in cells[1].items():
        print(f"{name:32}", ", ".join(f"{key} {value:.4g}" for key, value in values.items()))


def run(
    size: str, clips: int, repeats: int, threads: int = 2, keep: bool = False, small_only: bool = False
) -> tuple[dict, dict[str, dict[str, float]]]:
    """The machine and all cells."""
    agreed = agreement(size, clips, small_only)
    apart = arms.Arm("benchmarks.step:limits", {"threads": threads})  # it warms the processor up for the arms, too
    described = dict(arms.take_turns({"machine": apart}, repeats=1, warmup=0)["machine"].values[0])
    found: dict[str, arms.Taken] = {}
    versus: dict[str, dict[str, float]] = {}
    lean = LEAN if size == "S" else ()
    groups = COMPARED if size == "B" else ((*FP32, *BF16), *([("ours fp32", *lean)] if lean else []))
    pairs = (*COMPARED, *(("ours fp32", one) for one in lean))
    for group in groups:
        taken = arms.take_turns({name: _arm(name, size, clips, threads, keep) for name in group}, repeats)
        found = taken | found  # what was measured first stays
        for slow, quick in pairs:
            if slow in taken and quick in taken:
                versus[f"{slow} / {quick}"] = {
                    **arms.ratios(taken[slow], taken[quick]),
                    "ratio_memory": taken[slow].peak_mebibytes / taken[quick].peak_mebibytes,
                }
    cells = agreed | {name: _cell(name, found[name], size, clips, described) for name in (*FP32, *BF16, *lean)} | versus
    if size == "B":
        cells["R0 beside the published code"] = _landing(found["R0 fp32"], described, clips)
    return described, cells


def agreement(size: str, clips: int, small_only: bool) -> dict[str, dict[str, float]]:
    """Differences at proof scale and, unless `small_only`, at this size.

    Raises:
        SystemExit: if one is larger than the tolerance.
    """
    cells, asked = {}, [("proof", 10)] if small_only or size == "proof" else [("proof", 10), (size, clips)]
    for one, count in asked:
        arm = arms.Arm("benchmarks.rivals.agreement:arm", {"config": configuration(one), "clips": count})
        cells[f"agreement, {one}, {count} clips"] = dict(
            arms.take_turns({"agreement": arm}, repeats=1, warmup=0)["agreement"].values[0]
        )
    if not all(value < TOLERANCE for cell in cells.values() for value in cell.values()):  # a nan is no agreement
        raise SystemExit(f"the arms do not agree, so there is nothing to compare: {cells}")
    return cells


def configuration(size: str) -> Config:
    """Our configuration at a size: the released one, but one trunk and one optimiser step, both passes in turn."""
    released = MaskingConfig(ratios=(0.0, 0.2, 0.4, 0.6, 0.8), audio="tf")
    if size == "proof":
        return replace(recipes.get("avsiam_tiny").method, masking=released, double_embed=True)
    base = Config(in_turn=True, double_embed=True, masking=released, reconstruction=ReconstructionConfig(depth=8))
    return base if size == "B" else replace(base, width=384, heads=6)


def inputs(config: Config, clips: int) -> Batch:
    """Prepared inputs of noise, the same for every arm."""
    draw, shapes = torch.Generator().manual_seed(0), config.inputs
    samples, numbers = round(16_000 * shapes.audio_seconds), torch.arange(clips)
    size = (clips, 1, 3, shapes.image_height, shapes.image_width)
    fields = {
        "waveform": torch.randint(-9000, 9000, (clips, samples), generator=draw).to(torch.int16),
        "waveform_samples": torch.full((clips,), samples),
        "frames": torch.randint(0, 256, size, generator=draw).to(torch.uint8),
    }
    return prepared(Batch(numbers, numbers, fields), config, None)


# ------------------------------------------------------------------------------------------------------------- arms
def limits(threads: int) -> Callable[[], Mapping[str, object]]:
    """What the machine can do, measured in a process of its own."""
    return lambda: machine.describe(threads)


def reference(size: str, clips: int, keep: bool = False) -> Pass:
    """R0's step; with `keep`, freed memory stays with the process."""
    torch.manual_seed(0)
    keep_freed_memory() if keep else None
    config = configuration(size)
    batch, network = inputs(config, clips), Reference(shape_of(config)).load(Prepared(config))
    training, count = ReferenceTraining(network, RATE, BETAS, DECAY), _parameters(network)

    def work() -> Mapping[str, float]:
        training(batch["bench_spectrogram"], batch["bench_picture"])
        return {"parameters": count}

    return work


def plain(size: str, clips: int, bf16: bool, keep: bool = False) -> Pass:
    """R1's step; `keep` as of `reference`."""
    torch.manual_seed(0)
    keep_freed_memory() if keep else None
    config = configuration(size)
    batch, network = inputs(config, clips), Plain(shape_of(config)).load(Prepared(config))
    training, count = PlainTraining(network, bf16, RATE, BETAS, DECAY), _parameters(network)

    def work() -> Mapping[str, float]:
        training(batch["bench_spectrogram"], batch["bench_picture"])
        return {"parameters": count}

    return work


def ours(size: str, clips: int, bf16: bool, recompute: Recompute = "none", moments: Moments = "fp32") -> Pass:
    """Our step, as the trainer takes it."""
    torch.manual_seed(0)
    config, alone = configuration(size), Peers(0, 1, torch.device("cpu"))
    method = Prepared(config)
    economise(method, TrainingConfig(recompute=recompute), alone.device)
    batch = inputs(config, clips)
    optimizers = build_optimizers(method, OptimizerConfig("adam", RATE, BETAS, DECAY, moments=moments))
    guard, count = NonFiniteGuard(method, alone.device, alone), _parameters(method)
    stepper, steps = Stepper(method, optimizers, guard, alone, Randomness(0, 1_000_000), bf16=bf16), 0

    def work() -> Mapping[str, float]:
        nonlocal steps
        positions = batch.positions + clips * steps  # other masks at every step
        stepper(Batch(batch.sample_ids, positions, batch.fields), RATE, Progress(steps, 1000, 0.0))
        steps += 1
        return {"parameters": count}

    return work


def _parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _arm(name: str, size: str, clips: int, threads: int = 2, keep: bool = False) -> arms.Arm:
    function, choices = ARMS[name]
    rivals = {} if function == "ours" else {"keep": keep}
    return arms.Arm(f"benchmarks.step:{function}", {"size": size, "clips": clips, **choices, **rivals}, threads)


ARMS: dict[str, tuple[str, dict[str, object]]] = {
    "R0 fp32": ("reference", {}),
    "R1 fp32": ("plain", {"bf16": False}),
    "ours fp32": ("ours", {"bf16": False}),
    "R1 bf16": ("plain", {"bf16": True}),
    "ours bf16": ("ours", {"bf16": True}),
    LEAN[0]: ("ours", {"bf16": False, "recompute": "mlp"}),
    LEAN[1]: ("ours", {"bf16": False, "recompute": "block"}),
    LEAN[2]: ("ours", {"bf16": False, "moments": "bf16"}),
}


# ------------------------------------------------------------------------------------------------------------ cells
def _cell(name: str, taken: arms.Taken, size: str, clips: int, described: Mapping[str, object]) -> dict[str, float]:
    shape, parameters = shape_of(configuration(size)), taken.values[0]["parameters"]
    work = flops.step(shape, clips)
    moved = traffic.least_bytes(shape, clips, parameters, 2 if name in BF16 else 4)
    limit = float(str(described["gemm_bf16_gflops" if name in BF16 else "gemm_fp32_gflops"]))
    return {
        "seconds": taken.median,
        "cpu_seconds": statistics.median(taken.cpu_seconds),
        "clips": clips,
        "clips_per_second": clips / taken.median,
        "gflop": work / 1e9,
        "gflops": work / 1e9 / taken.median,
        "utilisation": work / 1e9 / taken.median / limit,
        "least_gigabytes": moved / 1e9,
        "flop_per_byte": work / moved,
        "parameters_millions": parameters / 1e6,
        "idle_mebibytes": taken.idle_mebibytes,
        "peak_mebibytes": taken.peak_mebibytes,
    }


def _landing(taken: arms.Taken, described: Mapping[str, object], clips: int) -> dict[str, float]:
    """R0 against what the published code was measured at, on a machine of another rate of matrix products.

    `expected_seconds` scales all of its time by that rate; `expected_seconds_products_scaled` only the time that the
    products would take at full rate, and leaves the rest, bound by memory and calls, as it was.
    """
    rate, work = float(str(described["gemm_fp32_gflops"])), flops.step(shape_of(configuration("B")), clips) / 1e9
    published = PUBLISHED_SECONDS * clips / CLIPS["B"]
    expected, partly = published * PUBLISHED_GEMM / rate, published - work / PUBLISHED_GEMM + work / rate
    gibibytes = taken.peak_mebibytes / 1024
    return {
        "seconds": taken.median,
        "expected_seconds": expected,
        "time_over_expected": taken.median / expected,
        "expected_seconds_products_scaled": partly,
        "time_over_expected_products_scaled": taken.median / partly,
        "peak_gibibytes": gibibytes,
        "memory_over_published": gibibytes / PUBLISHED_GIBIBYTES,
    }


if __name__ == "__main__":
    main()
