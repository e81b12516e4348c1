"""Study: AVSiam's claims at proof scale: multi-ratio masking, one shared encoder, both objectives, against CAV-MAE.

    make study-avsiam                                   # every cell, hours; restartable: finished cells are kept
    python -m studies.avsiam --arms multi-ratio CAV-MAE --seeds 0 --threads 1 --minutes 40
    python -m studies.avsiam --smoke                  # does it run? a minute, in a folder of its own

Every arm gets the same clips in the same order, the same number of steps and clips a step, the same optimiser and the
same inputs. Cells: world and table; per arm and seed a run, with retrieval on `val` on the way, and its figures on
`test`; per arm the cost of a step, arms in turns. Writes `studies/results/avsiam.json`; `studies/avsiam_page.py` makes
`docs/studies/avsiam.md` of it.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.kit import arms as turns
from seehear import clips, recipes, tasks, world
from seehear.cli.console import Console
from seehear.contracts import Method, Modality, Needs, Progress
from seehear.errors import RequeueError
from seehear.randomness import Randomness
from seehear.runs.evaluation import embed_clips
from seehear.runs.pretraining import build_method, pretrain
from seehear.runs.show import TrainingBar
from seehear.runs.splits import open_split
from seehear.training import RunConfig, load_method
from seehear.training.distributed import Peers
from seehear.training.economy import economise
from seehear.training.guard import NonFiniteGuard
from seehear.training.logs import read_lines
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper
from studies.avsiam_trunks import first_trained_on

RESULT = Path("studies/results/avsiam.json")
BATCH = 80


@dataclass(frozen=True)
class Scale:
    """How large the study is.

    Attributes:
        folder: of world, table and runs.
        clips: of each split of the world's preset `large`.
        steps: of every arm.
        evaluate_every: steps between retrieval figures on `val`.
        gallery: clips of a gallery on `test`; on `val` all its clips are one.
    """

    folder: Path = Path("runs/study-avsiam")
    clips: tuple[tuple[str, int], ...] = (("train", 8000), ("val", 200), ("test", 800))
    steps: int = 6000
    evaluate_every: int = 500
    gallery: int = 400

    @property
    def table(self) -> str:
        """Where the clips are."""
        return str(self.folder / "clips.lance")


SMOKE = Scale(Path("runs/study-avsiam-smoke"), (("train", 40), ("val", 20), ("test", 20)), 2, 1, 10)
Change = Callable[[RunConfig], RunConfig]


def _masking(*ratios: float) -> Change:
    return lambda run: _method(run, masking=replace(run.method.masking, ratios=ratios))


def _method(run: RunConfig, **fields: Any) -> RunConfig:
    return replace(run, method=replace(run.method, **fields))


ARMS: dict[str, Change] = {
    "multi-ratio": lambda run: run,
    "fixed 0.25": _masking(0.25),
    "fixed 0.75": _masking(0.75),
    "separate encoders": lambda run: _method(run, encoders="separate"),
    "CAV-MAE": lambda run: replace(run, method=recipes.get("cav_mae_tiny").method),
    "contrast alone": lambda run: _method(run, reconstruction_weight=0.0),
    "fixed 0.5": _masking(0.5),
    "no masking": _masking(0.0),
    "reconstruction alone": lambda run: _method(run, contrast_weight=0.0),
    "alternating steps": lambda run: _method(run, alternating=True),
    "MAViL": lambda run: replace(run, method=recipes.get("mavil_tiny").method),
}
TRUNKS: dict[str, Modality] = {"trunk of sound": "audio", "trunk of pictures": "image"}
"""Arms whose trunk first learnt the classes from one modality."""
ARMS |= dict.fromkeys(TRUNKS, ARMS["multi-ratio"])


def main() -> None:
    """Run the cells that are asked for and not done yet, then gather what there is."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM")
    options.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options.add_argument("--threads", type=int, help="threads of this process")
    options.add_argument("--minutes", type=float, help="begin no cell after so many; a run that is under way saves")
    options.add_argument("--cost", action="store_true", help="only measure the cost of a step of each arm")
    options.add_argument("--smoke", action="store_true", help="two steps of each arm on forty clips")
    chosen = options.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    scale = SMOKE if chosen.smoke else Scale()
    until = None if chosen.minutes is None else time.monotonic() + 60 * chosen.minutes
    fingerprint = make_table(scale)
    if chosen.cost:
        measure_costs(scale, chosen.arms, repeats=2 if chosen.smoke else 10)
    else:
        try:
            for seed in chosen.seeds:
                for arm in chosen.arms:
                    if until is None or time.monotonic() < until:
                        run_cell(scale, arm, seed, until)
        finally:
            gather(scale, fingerprint)


def make_table(scale: Scale) -> str:
    """The world and its table; returns the world's fingerprint."""
    show, clips_by_split = Console(), dict(scale.clips)
    with show.progress("making the world") as bar:
        built = world.build(scale.folder / "world", "large", clips=clips_by_split, progress=bar)
    with show.progress("packing", unit="files") as bar:
        clips.pack(
            scale.folder / "world", scale.table, clip_seconds=3.2, hop=3.2, frames=8, size=96,
            progress=lambda p: bar(p.files_done, p.files_total),
        )  # fmt: skip
    return str(built.datasheet["fingerprint"])


def configuration(scale: Scale, arm: str, seed: int) -> RunConfig:
    """The arm's run."""
    recipe = recipes.get("avsiam_tiny")
    return ARMS[arm](
        replace(
            recipe,
            data=replace(recipe.data, table=scale.table, evaluation_split="val", global_batch=BATCH),
            training=replace(
                recipe.training, steps=scale.steps, seed=seed, evaluate_every=scale.evaluate_every, log_every=50,
                checkpoint_every=500,
            ),
            evaluation=replace(recipe.evaluation, gallery=min(scale.gallery, dict(scale.clips)["val"]), galleries=1),
        )
    )  # fmt: skip


def run_cell(scale: Scale, arm: str, seed: int, until: float | None) -> None:
    """Train and measure one arm with one seed; nothing where it is done, saved and left where time is up."""
    folder, show, config = cell(scale, arm, seed), Console(), configuration(scale, arm, seed)
    if (folder / "result.json").exists():
        return
    start = None
    if arm in TRUNKS:
        start = first_trained_on(TRUNKS[arm], config, scale.folder / "trunks" / f"{TRUNKS[arm]}-{seed}")
    with show.progress(f"{arm}, seed {seed}", config.training.steps, "steps") as bar:
        try:
            with signalled(until):
                pretrain(config, folder, progress=TrainingBar(bar, show), prepare=start)
        except RequeueError as stopped:
            show.note(f"{arm}, seed {seed}: time is up, saved")
            raise SystemExit(stopped.exit_status) from None
    found = {"curve": curve(folder), "figures": measure(config, folder, scale)}
    text = json.dumps({"steps": config.training.steps, **found}, indent=1)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")


@contextmanager
def signalled(until: float | None) -> Iterator[None]:
    """Within this, training is told to save and stop when time is up."""
    if until is None:
        yield
        return
    timer = threading.Timer(max(0.0, until - time.monotonic()), os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def cell(scale: Scale, arm: str, seed: int) -> Path:
    """Folder of an arm's run."""
    return scale.folder / arm.replace(" ", "-") / f"seed-{seed}"


def curve(folder: Path) -> list[dict[str, float]]:
    """R@1 on `val`, mean of both directions, by step."""
    found = []
    for line in read_lines(folder / "figures.jsonl"):
        values = [f["value"] for f in line["figures"] if f["name"].endswith("R@1")]
        found.append({"step": line["step"], "R@1": sum(values) / len(values)})
    return found


def measure(config: RunConfig, folder: Path, scale: Scale) -> list[dict[str, Any]]:
    """Retrieval, gap, probes and missing modality on `test`, the untrained network beside; the probe on `val`."""
    networks: tuple[Method, Method] = load_method(folder), build_method(config)
    needs: Needs = replace(networks[0].needs, labels=True)
    train, test = (open_split(config.data, split, needs) for split in ("train", "test"))
    learnt, own = ([embed_clips(network, source, BATCH) for network in networks] for source in (train, test))
    found = list(tasks.retrieval(*own, tasks.Galleries(count=len(test) // scale.gallery, size=scale.gallery)))
    tasks.save_embeddings(own[0], folder / "embeddings")
    raw = [tasks.raw_features(clips.in_order(s, needs, BATCH), label_names=s.label_names) for s in (train, test)]
    untrained = (learnt[1], own[1])
    found += tasks.linear_probe(learnt[0], own[0], untrained=untrained, baselines={"raw features": tuple(raw)})
    found += tasks.missing_modality(learnt[0], own[0], untrained=untrained)
    found += tasks.modality_gap(own[0], untrained=own[1])
    val = embed_clips(networks[0], open_split(config.data, "val", needs), BATCH)
    found += [
        replace(figure, name=f"val/{figure.name}")
        for figure in tasks.linear_probe(learnt[0], val)
        if "both" in figure.name
    ]
    return json.loads(tasks.to_json(found))["figures"]


# ------------------------------------------------------------------------------------------------------------- costs
def measure_costs(scale: Scale, names: Sequence[str], repeats: int) -> None:
    """Processor seconds, memory, parameters and tokens of a step of each arm, in turns on one thread."""
    words = {name: {"smoke": scale is SMOKE, "arm": name} for name in names}
    found = turns.take_turns(
        {n: turns.Arm("studies.avsiam:one_step", w, 1, {"OMP_NUM_THREADS": "1"}) for n, w in words.items()}, repeats
    )
    costs = {
        name: {
            "seconds": statistics.median(taken.cpu_seconds),
            "peak_mebibytes": taken.peak_mebibytes,
            "idle_mebibytes": taken.idle_mebibytes,
            **taken.values[-1],
        }
        for name, taken in found.items()
    }
    (scale.folder / "costs.json").write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")


def one_step(smoke: bool, arm: str) -> turns.Pass:
    """An arm whose pass is one training step."""
    config = configuration(SMOKE if smoke else Scale(), arm, 0)
    method, peers = build_method(config), Peers(0, 1, torch.device("cpu"))
    economise(method, config.training, peers.device)
    source = open_split(config.data, "train", method.needs)
    randomness = Randomness(0, len(source))
    batch = next(
        clips.Loader(
            source, method.needs, clips.ShuffleSampler(source.ids, min(BATCH, len(source)), 0), randomness, threads=0
        ).batches(0, 1)
    )
    stepper = Stepper(
        method, build_optimizers(method, config.optimizer), NonFiniteGuard(method, peers.device, peers), peers,
        randomness,
    )  # fmt: skip
    parameters = sum(p.numel() for p in method.parameters())
    drawing = tuple(f"{part}." for part in method.pretraining_parts)
    encoder = sum(p.numel() for name, p in method.named_parameters() if not name.startswith(drawing))

    tokens = 0

    def count(module: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        nonlocal tokens
        tokens += len(inputs[0])

    for name, module in method.named_modules():
        if name.endswith("attn.qkv") and not name.startswith("decoder"):
            module.register_forward_pre_hook(count)

    def work() -> dict[str, float]:
        nonlocal tokens
        tokens = 0
        stepper(batch, 1e-4, Progress(1, 2, 0.0))
        return {"parameters": parameters, "encoder_parameters": encoder, "tokens": tokens}

    return work


# ------------------------------------------------------------------------------------------------------------ result
def gather(scale: Scale, fingerprint: str) -> None:
    """Everything that is there, in one file."""
    found = {
        arm: {
            path.parent.name.removeprefix("seed-"): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(cell(scale, arm, 0).parent.glob("seed-*/result.json"))
        }
        for arm in ARMS
    }
    costs = scale.folder / "costs.json"
    result = {
        "world": fingerprint,
        "clips": dict(scale.clips),
        "steps": scale.steps,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "torch": torch.__version__},
        "costs": json.loads(costs.read_text(encoding="utf-8")) if costs.exists() else {},
        "arms": {arm: seeds for arm, seeds in found.items() if seeds},
    }
    target = scale.folder / "avsiam.json" if scale is SMOKE else RESULT
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # what studies.avsiam_finetuning added stays
        result = json.loads(target.read_text(encoding="utf-8")) | result
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
