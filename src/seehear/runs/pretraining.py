"""Carry out a pretraining run: open the clips, build the method, train."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from seehear import clips, methods, tasks
from seehear.contracts import Figure, Method, Needs, Progress
from seehear.runs.splits import open_split
from seehear.runs.streaming import stream_of
from seehear.training import ProgressView, RunConfig, Summary, Trainer, Viewer, distributed
from seehear.training.checkpoints import latest_checkpoint
from seehear.training.evaluation import Evaluation


def build_method(config: RunConfig) -> Method:
    """The run's network before its first step: the same weights wherever and whenever it is built."""
    with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU: other devices are left alone
        torch.random.default_generator.manual_seed(config.training.seed)
        return methods.get(config.method.method)(config.method)


def pretrain(
    config: RunConfig,
    folder: str | Path,
    *,
    progress: ProgressView | Callable[[str], object] | None = None,
    viewers: Sequence[Viewer] = (),
    device: str | None = None,
    accept_changes: Collection[str] = (),
    prepare: Callable[[Method], object] | None = None,
) -> Summary:
    """Train the run's method on its clips; called again on the same folder, go on where it stopped.

    With `init` the network starts from a released file instead of its own first draw.
    With `training.evaluate_every`, retrieval on the evaluation split is measured on the way (`figures.jsonl`).
    `prepare` changes the network before its first step, on every process; a run that goes on has its checkpoint's.

    Raises:
        SeeHearError: whatever `clips.open`, `clips.Loader` and `training.Trainer` refuse.
    """
    folder = Path(folder)
    method, tell = build_method(config), getattr(progress, "note", lambda _: None)
    if latest_checkpoint(folder, lambda _: None) is None:  # the trainer warns of torn ones
        _start(method, config, tell)
        if prepare is not None:
            prepare(method)
    with distributed.session(device) as peers:
        source = open_split(config.data, config.data.train_split, method.needs)
        if peers.rank == 0 and len(source) < config.data.global_batch:
            tell(f"{len(source)} clips for steps of {config.data.global_batch}: clips repeat within a step")
        if peers.rank == 0:
            _tell_of_short_clips(source, method.needs, tell)
        trainer = Trainer(
            method,
            stream_of(config, source, method.needs, peers),
            config,
            folder,
            evaluations=(_retrieval(config, method.needs),) if config.training.evaluate_every else (),
            progress=progress,
            viewers=viewers,
            device=device,
            accept_changes=accept_changes,
        )
        return trainer.run()


def _tell_of_short_clips(source: clips.ClipSource, needs: Needs, tell: Callable[[str], object]) -> None:
    """Say how much of what the method hears is silence after the clips' ends, where it is half or more."""
    heard, usual = 0.0 if needs.audio is None else needs.audio.seconds, float(np.median(source.duration_seconds))
    if usual <= heard / 2:
        tell(f"clips last {usual:.3g} s in the median and the method hears {heard:.3g} s: the rest is silence")


def _start(method: Method, config: RunConfig, tell: Callable[[str], object] = lambda _: None) -> None:
    """Carry in what the run starts from, and say what became of the file."""
    if not config.init:
        return
    from seehear.weights import open_released
    from seehear.weights.starting import start_from

    for one in re.split(r",(?=[a-z0-9-]+:)", config.init):
        layout, file = one.split(":", 1)
        encoder = open_released(file, layout)
        start_from(method, encoder, config.init_positions, config.init_fusion)
        tell(f"starting from {file}: {encoder.reading.lines()[0]}")


def _retrieval(config: RunConfig, needs: Needs) -> Evaluation:
    """Retrieval on the evaluation split, for the loop to call."""
    data, settings = replace(config.data, more_tables=()), config.evaluation
    source = open_split(data, data.evaluation_split, needs)

    def measure(method: Method, _: Progress) -> Iterator[Figure]:
        found = tasks.embed(method, clips.in_order(source, needs, settings.batch))
        return tasks.retrieval(found, galleries=tasks.Galleries(settings.galleries, settings.gallery))

    return measure
