"""Time to a fixed retrieval R@1 at proof scale: ours, ours with a subset decoder, and R0 (the published pattern).

    python -m benchmarks.learning                 # one seed, about {minutes} minutes; restartable arm by arm
    python -m benchmarks.learning --seeds 0 1 2
    python -m benchmarks.learning --quick         # does it run? under a minute, nothing recorded

Every arm begins with the same weights, reads the same augmented spectrograms and pictures in the same order from
memory (generated clips of the world's preset `small`), at the rates of one schedule, on the network of `avsiam_tiny`
and with its masking ratios. R0 alternates two Adams, reads the sound of the reconstruction pass with a trunk of its
own, and decodes every place; ours takes one step of a fused AdamW, its first arm decoding every place too, the other
half of the hidden ones. The clock runs during training steps only: not while clips are drawn and filter banks made
(before the step, for all arms), and not while retrieval is measured, on galleries of 200 clips of new instances. An
arm ends at the first evaluation whose R@1, mean of both directions, reaches the target. Arms run one after the other,
each in a process of its own, and leave a JSON file in the folder; a finished arm is not run again. Ratios are R0's
time over ours, of the clock and of the process's own CPU time, which other work on the machine disturbs less. Writes
benchmarks/results/learning.jsonl.
"""

import argparse
import json
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.kit import arms, record
from benchmarks.rivals.coupling import Prepared, prepared, shape_of
from benchmarks.rivals.reference import Reference, ReferenceTraining
from seehear import clips, recipes, world
from seehear.contracts import Batch, Progress
from seehear.methods.avsiam import Config
from seehear.metrics import cosine_ranks, recall_at
from seehear.randomness import Randomness
from seehear.training import RunConfig
from seehear.training.distributed import Peers
from seehear.training.economy import economise
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.schedules import rate_factor
from seehear.training.step import Stepper

FOLDER = Path("runs/learning")
PRESET, FRAMES = "small", 8
TARGET = 0.05
GALLERY = 200
NAMES = ("R0", "ours", "ours, half decoded")
Train = Callable[[Batch, int], None]  # one step
Embed = Callable[[Batch], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Plan:
    """Sizes of a comparison.

    Attributes:
        clips: generated to train on.
        galleries: of `GALLERY` clips, that R@1 is the mean of.
        steps: length of the schedule, and the most that an arm takes.
        every: steps between evaluations.
        target: R@1 that ends an arm.
        threads: of an arm.
    """

    clips: int = 3000
    galleries: int = 5
    steps: int = 1500
    every: int = 50
    target: float = TARGET
    threads: int = 2


QUICK = Plan(clips=80, galleries=1, steps=4, every=2, target=1.0)


def main() -> None:
    """Run what is not done yet, then the table."""
    about = (__doc__ or "").format(minutes=15)
    options = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--target", type=float, default=TARGET, help="R@1, mean of both directions")
    options.add_argument("--steps", type=int, default=Plan.steps, help="most steps of an arm")
    options.add_argument("--threads", type=int, default=Plan.threads, help="of an arm; 1 suits a busy machine")
    options.add_argument("--folder", type=Path, default=FOLDER, help="keeps clips and finished arms")
    options.add_argument("--quick", action="store_true", help="80 clips, 4 steps, nothing recorded or kept")
    chosen = options.parse_args()
    if chosen.quick:
        folder = Path(tempfile.mkdtemp())
        try:
            print(json.dumps(compare(QUICK, [0], folder), indent=1))
        finally:
            shutil.rmtree(folder)
        return
    plan = Plan(steps=chosen.steps, target=chosen.target, threads=chosen.threads)
    cells = compare(plan, chosen.seeds, chosen.folder)
    record.add("learning", _limits(plan.threads), cells)


def compare(plan: Plan, seeds: list[int], folder: Path) -> dict[str, dict[str, float]]:
    """All arms of all seeds; the cells of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    generate(plan, folder)
    found = {(name, seed): _finished(name, seed, plan, folder) for seed in seeds for name in NAMES}
    return cells(found, seeds, plan.target)


def cells(found: Mapping[tuple[str, int], dict], seeds: list[int], target: float) -> dict[str, dict[str, float]]:
    """Steps, seconds and ratios to the target; an arm that misses it has none, and its best R@1 instead."""
    table: dict[str, dict[str, float]] = {}
    ratios: dict[str, list[float]] = {}
    for seed in seeds:
        reached = {name: first_above(found[name, seed]["curve"], target) for name in NAMES}
        for name in NAMES:
            arm, hit = found[name, seed], reached[name]
            best = {"best_recall_at_1": max(point["recall"] for point in arm["curve"])}
            to_target = {} if hit is None else {key: hit[key] for key in ("step", "seconds", "cpu_seconds")}
            table[f"{name}, seed {seed}"] = {**to_target, **best, "median_step_seconds": arm["median_step_seconds"]}
            theirs = reached["R0"]
            if name != "R0" and hit and theirs:
                ratio = theirs["seconds"] / hit["seconds"]
                ratios.setdefault(name, []).append(ratio)
                table[f"R0 / {name}, seed {seed}"] = {
                    "of_seconds": ratio,
                    "of_cpu_seconds": theirs["cpu_seconds"] / hit["cpu_seconds"],
                    "of_steps": theirs["step"] / hit["step"],
                }
    for name, each in ratios.items():
        table[f"R0 / {name}"] = {"ratio": statistics.median(each), "seeds": len(each), "lowest": min(each)}
    return table


def first_above(curve: list[dict], target: float) -> dict | None:
    """The first evaluation at or above the target."""
    return next((point for point in curve if point["recall"] >= target), None)


# ------------------------------------------------------------------------------------------------------------- clips
def generate(plan: Plan, folder: Path) -> None:
    """Clips of the world as arrays on disk, unless they are there."""
    for split, count in (("train", plan.clips), ("test", plan.galleries * GALLERY)):
        path = folder / f"{split}-{count}.npz"
        if path.exists():
            continue
        pictures, sounds = [], []
        for clip in world.memory_clips(PRESET, split, 0, count):
            places = np.linspace(0, len(clip.pixels) - 1, FRAMES).round().astype(int)
            pictures.append(clip.pixels[places])
            sounds.append((clip.waveform.clip(-1, 1) * 32767).astype(np.int16))
        unfinished = folder / f"unfinished-{split}.npz"
        np.savez(unfinished, pictures=np.stack(pictures), sounds=np.stack(sounds))
        unfinished.rename(path)


def held(folder: Path, split: str, count: int) -> clips.MemoryClips:
    """The generated clips of a split."""
    arrays = np.load(folder / f"{split}-{count}.npz")
    pairs = zip(arrays["pictures"], arrays["sounds"], strict=True)
    return clips.MemoryClips(
        clips.Clip(id=f"{split}-{i}", duration_seconds=len(sound) / 16_000, frames=picture, audio=sound)
        for i, (picture, sound) in enumerate(pairs)
    )


# -------------------------------------------------------------------------------------------------------------- arms
def _finished(name: str, seed: int, plan: Plan, folder: Path) -> dict:
    """An arm's result, from its file or by running it now."""
    path = (
        folder / f"{name.replace(', ', '-').replace(' ', '-')}-seed{seed}-{plan.steps}steps-{plan.threads}threads.json"
    )
    if path.exists():
        result = json.loads(path.read_text(encoding="utf-8"))
        if first_above(result["curve"], plan.target) or result["curve"][-1]["step"] >= plan.steps:
            return result
    arm = arms.Arm(
        "benchmarks.learning:arm", {"name": name, "seed": seed, "plan": plan, "folder": folder}, plan.threads
    )
    result = dict(arms.take_turns({name: arm}, repeats=1, warmup=0)[name].values[0])
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def arm(name: str, seed: int, plan: Plan, folder: Path) -> Callable[[], dict]:
    """One arm: a whole training."""
    return lambda: learn(name, seed, plan, folder)


def learn(name: str, seed: int, plan: Plan, folder: Path) -> dict:
    """Train until the target; the curve of retrieval over steps and seconds."""
    config = recipes.get("avsiam_tiny")
    train, embed = MAKERS[name](config, seed, plan)
    source, randomness = held(folder, "train", plan.clips), Randomness(seed, plan.clips)
    needs = Prepared(config.method).needs
    sampler = clips.ShuffleSampler(source.ids, config.data.global_batch, seed)
    gallery = [
        prepared(batch, config.method, None)
        for batch in clips.in_order(held(folder, "test", plan.galleries * GALLERY), needs, GALLERY)
    ]
    curve: list[dict] = []
    wall, cpu, steps = 0.0, 0.0, []
    for step, batch in enumerate(clips.Loader(source, needs, sampler, randomness, threads=0).batches(0, plan.steps)):
        ready = prepared(batch, config.method, randomness)
        before, before_cpu = time.perf_counter(), time.process_time()
        train(ready, step)
        steps.append(time.perf_counter() - before)
        wall, cpu = wall + steps[-1], cpu + time.process_time() - before_cpu
        if (step + 1) % plan.every == 0:
            recall = statistics.fmean(recalls(embed, gallery))
            curve.append({"step": step + 1, "seconds": wall, "cpu_seconds": cpu, "recall": recall})
            print(f"{name}, seed {seed}: step {step + 1}, {wall:.1f} s, R@1 {recall:.4f}", flush=True)
            if recall >= plan.target or _abandoned():
                break
    return {"name": name, "seed": seed, "curve": curve, "median_step_seconds": statistics.median(steps)}


def _abandoned() -> bool:
    """Whether the process that waits for this arm is gone."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def recalls(embed: Embed, gallery: list[Batch]) -> Iterator[float]:
    """R@1 of both directions in each gallery."""
    for batch in gallery:
        audio, image = embed(batch)
        yield float(recall_at(cosine_ranks(audio, image), 1))
        yield float(recall_at(cosine_ranks(image, audio), 1))


def _ours(config: RunConfig, seed: int, plan: Plan, decode: float) -> tuple[Train, Embed]:
    recipe = replace(config.method, reconstruction=replace(config.method.reconstruction, decode=decode))
    method, alone = _initial(recipe, seed), Peers(0, 1, torch.device("cpu"))
    economise(method, config.training, alone.device)
    guard, optimizers = NonFiniteGuard(method, alone.device, alone), build_optimizers(method, config.optimizer)
    stepper = Stepper(method, optimizers, guard, alone, Randomness(seed, plan.clips))

    def train(batch: Batch, step: int) -> None:
        stepper(batch, _rate(config, plan, step), Progress(step, plan.steps, 0.0))

    def embed(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            features = method.encode(batch)
        return features["audio"].embedding.numpy(), features["image"].embedding.numpy()

    return train, embed


def _reference(config: RunConfig, seed: int, plan: Plan) -> tuple[Train, Embed]:
    torch.manual_seed(seed)
    network = Reference(shape_of(config.method)).load(_initial(config.method, seed))
    training = ReferenceTraining(network, betas=config.optimizer.betas)

    def train(batch: Batch, step: int) -> None:
        training(batch["bench_spectrogram"], batch["bench_picture"], _rate(config, plan, step))

    def embed(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        audio, image = network.embed(batch["bench_spectrogram"], batch["bench_picture"])
        return audio.numpy(), image.numpy()

    return train, embed


def _initial(config: Config, seed: int) -> Prepared:
    """The network before its first step, the same for every arm of a seed."""
    torch.manual_seed(seed)
    return Prepared(config)


def _rate(config: RunConfig, plan: Plan, step: int) -> float:
    return config.optimizer.learning_rate * rate_factor(config.schedule, step, plan.steps, 0.0)


def _limits(threads: int) -> dict[str, object]:
    apart = arms.Arm("benchmarks.step:limits", {"threads": threads})
    return dict(arms.take_turns({"machine": apart}, repeats=1, warmup=0)["machine"].values[0])


MAKERS: dict[str, Callable[[RunConfig, int, Plan], tuple[Train, Embed]]] = {
    "R0": _reference,
    "ours": lambda config, seed, plan: _ours(config, seed, plan, 1.0),
    "ours, half decoded": lambda config, seed, plan: _ours(config, seed, plan, 0.5),
}

if __name__ == "__main__":
    main()
