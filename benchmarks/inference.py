"""Embedding clips: ours in fp32, bf16 and int8 against one clip at a time in fp32, and against the machine's own rate.

    python -m benchmarks.inference               # ViT-S and ViT-B, about {minutes} minutes on 2 cores, 5 GB of memory
    python -m benchmarks.inference --size S
    python -m benchmarks.inference --quick       # does it run? a network of width 192, nothing recorded

A clip is one frame of 224 x 224 and 10.24 s of sound in memory, int16 and uint8; its FLOP are those of the trunk on
all 196 + 512 tokens. `loop` encodes one clip at a time, sound and picture in one pass, without the fusion layers (as
published scripts do, in batches). `ours` are `weights.Embedder` as it is by default, `ours fp32, spectrograms given`
the same without the filter bank. `gemm` arms multiply matrices and nothing else, in the same turns: "ratio_of_gemm" is
the share of their rate in the same precision (int8: in bf16). "ratio" is the speed against fp32 of ours. Cosines are
the least and the mean over clips and modalities, of a network that was not trained; with --run FOLDER, of a trained
run on its own held-out clips, with R@10 in fp32 and in the other precisions. Memory is that of each arm's process.
Writes
benchmarks/results/inference.jsonl, or inference_SIZE.jsonl.
"""

import argparse
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch.nn import functional as F

from benchmarks import flops
from benchmarks.kit import arms, machine, record
from benchmarks.rivals.coupling import shape_of
from seehear.allocator import keep_freed_memory
from seehear.contracts import Batch
from seehear.layers.packing import Group
from seehear.methods import avsiam
from seehear.methods.avsiam import AVSiam, Config
from seehear.metrics import paired_ranks, recall_at
from seehear.weights import Embedder, Precision

MINUTES = 8
SIZES = {"S": Config(width=384, heads=6), "B": Config(), "quick": Config(width=192, depth=2, heads=3)}
CLIPS = {"S": 24, "B": 8, "quick": 4}
REPEATS = 5
OURS: dict[str, tuple[Precision, bool]] = {
    "ours fp32": ("fp32", False),
    "ours fp32, spectrograms given": ("fp32", True),
    "ours bf16": ("bf16", False),
    "ours int8": ("int8", False),
}
LIMITS = {"gemm fp32": torch.float32, "gemm bf16": torch.bfloat16}
SAMPLES = 163_840
Pass = Callable[[], Mapping[str, float]]
Cells = dict[str, dict[str, object]]


def main() -> None:
    """Every size, table, record."""
    about = (__doc__ or "").format(minutes=MINUTES)
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", choices=("S", "B"), help="only this size")
    options.add_argument("--threads", type=int, default=2, help="of an arm")
    options.add_argument("--repeats", type=int, default=REPEATS, help="counted turns of every arm")
    options.add_argument("--run", type=Path, help="folder of a trained run, for R@10 by precision")
    options.add_argument("--quick", action="store_true", help="a small network, one turn, nothing recorded")
    chosen = options.parse_args()
    sizes = ("quick",) if chosen.quick else (chosen.size,) if chosen.size else ("S", "B")
    cells: Cells = {}
    for size in sizes:
        cells |= compare(size, chosen.threads, 1 if chosen.quick else chosen.repeats)
    if chosen.run:
        cells["trained run"] = trained(chosen.run)
    if chosen.quick:
        for name, values in cells.items():
            print(f"{name:44}", ", ".join(f"{key} {value}" for key, value in values.items()))
    else:
        record.add(f"inference_{chosen.size}" if chosen.size else "inference", machine.describe(chosen.threads), cells)


def compare(size: str, threads: int, repeats: int) -> Cells:
    """One size: all arms in turns, and how near the precisions stay."""
    made = {
        name: arms.Arm("benchmarks.inference:limit", {"name": name, "threads": threads}, threads) for name in LIMITS
    }
    made["loop"] = arms.Arm("benchmarks.inference:loop", {"size": size}, threads)
    for name in OURS:
        made[name] = arms.Arm("benchmarks.inference:ours", {"size": size, "name": name}, threads)
    taken = arms.take_turns(made, repeats)
    apart = arms.Arm("benchmarks.inference:cosines", {"size": size}, threads)
    near = arms.take_turns({"cosines": apart}, repeats=1, warmup=0)["cosines"].values[0]
    gigaflop = flops.contrast(shape_of(SIZES[size]), 0.0) / 1e9
    found: Cells = {}
    for name in ("loop", *OURS):
        limit = taken["gemm fp32" if "fp32" in name or name == "loop" else "gemm bf16"]
        rates = [CLIPS[size] * gigaflop / seconds for seconds in taken[name].seconds]
        shares = [rate / value["gflops"] for rate, value in zip(rates, limit.values, strict=True)]
        cell: dict[str, object] = {
            "clips_per_second": CLIPS[size] / taken[name].median,
            "gigaflop_per_clip": gigaflop,
            "gflops": statistics.median(rates),
            "ratio_of_gemm": statistics.median(shares),
            "peak_mebibytes": taken[name].peak_mebibytes,
        }
        against = "loop" if name == "ours fp32" else "ours fp32"
        if name not in ("loop", "ours fp32, spectrograms given"):
            cell |= {"against": against, **arms.ratios(taken[against], taken[name])}
        cell |= {key.split("/")[1]: value for key, value in near.items() if key.split("/")[0] == name}
        found[f"ViT-{size}, {name}"] = cell
    for name in LIMITS:
        found[f"ViT-{size}, {name}"] = {"gflops": statistics.median(v["gflops"] for v in taken[name].values)}
    return found


def limit(name: str, threads: int) -> Pass:
    """Matrix products alone."""
    keep_freed_memory()
    return lambda: {"gflops": machine.gemm_rate(LIMITS[name], threads)}


def loop(size: str) -> Pass:
    """One clip at a time, both modalities in a pass, fp32."""
    keep_freed_memory()
    model, batch = network(size), clips(CLIPS[size])

    def work() -> Mapping[str, float]:
        with torch.no_grad():
            for row in range(len(batch)):
                part = slice(row, row + 1)
                one = Batch(
                    batch.sample_ids[part], batch.positions[part], {n: v[part] for n, v in batch.fields.items()}
                )
                groups = [
                    Group(modality, values, torch.arange(values.shape[1]).expand(values.shape[:2]))
                    for modality, values in model.patches(one, keys=None).items()
                ]
                for tokens in model.trunk(groups).tokens:
                    F.normalize(tokens.mean(dim=1), dim=-1)
        return {}

    return work


def ours(size: str, name: str) -> Pass:
    """The embedder as it is by default, in one precision."""
    keep_freed_memory()
    precision, given = OURS[name]
    model, batch = network(size), clips(CLIPS[size])
    if given:
        ready = avsiam.spectrograms(batch, model.config.inputs, None)
        avsiam.spectrograms = lambda part, *_: ready[: len(part)]
    embedder = Embedder(model, precision=precision)

    def work() -> Mapping[str, float]:
        for _ in embedder([batch]):
            pass
        return {}

    return work


def cosines(size: str) -> Pass:
    """How near every precision stays to fp32."""
    model, batch = network(size), clips(CLIPS[size])

    def work() -> Mapping[str, float]:
        (exact,) = (found for _, found in Embedder(model)([batch]))
        near = {}
        for name in ("ours bf16", "ours int8"):
            (found,) = (found for _, found in Embedder(model, precision=OURS[name][0])([batch]))
            each = torch.cat([torch.cosine_similarity(found[m].embedding, exact[m].embedding) for m in exact])
            near |= {f"{name}/least_cosine": each.min().item(), f"{name}/mean_cosine": each.mean().item()}
        return near

    return work


def trained(folder: Path) -> dict[str, object]:
    """R@10, mean of both directions, of a run's held-out clips in each precision, and cosines to fp32."""
    from seehear.runs.evaluation import embed_clips
    from seehear.runs.run_folder import read_config
    from seehear.runs.splits import open_split
    from seehear.training import load_method

    config, model = read_config(folder), load_method(folder)
    source = open_split(config.data, config.data.evaluation_split, replace(model.needs, labels=True))
    found = {precision: embed_clips(Embedder(model, precision=precision), source) for precision, _ in OURS.values()}
    result: dict[str, object] = {"clips": len(found["fp32"])}
    for precision, one in found.items():
        ranks = paired_ranks(one.audio, one.image)
        result[f"r_at_10_percent_{precision}"] = 50 * sum(recall_at(r, 10) for r in ranks)
        result[f"least_cosine_{precision}"] = min(
            float((getattr(one, m) * getattr(found["fp32"], m)).sum(axis=1).min()) for m in ("audio", "image")
        )
    return result


def network(size: str) -> AVSiam:
    torch.manual_seed(0)
    return AVSiam(SIZES[size]).eval()


def clips(count: int) -> Batch:
    """Noise of different loudness, and noise to look at."""
    generator, numbers = torch.Generator().manual_seed(1), torch.arange(count)
    loud = torch.logspace(2, 4, count)[:, None]
    fields = {
        "waveform": (torch.randn(count, SAMPLES, generator=generator) * loud).clamp(-32768, 32767).to(torch.int16),
        "waveform_samples": torch.full((count,), SAMPLES),
        "frames": torch.randint(0, 256, (count, 1, 3, 224, 224), generator=generator).to(torch.uint8),
    }
    return Batch(numbers, numbers, fields)


if __name__ == "__main__":
    main()
