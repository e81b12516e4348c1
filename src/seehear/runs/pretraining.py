"""Carry out a pretraining run: open the clips, build the method, train."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import torch

from seehear import clips, methods
from seehear.contracts import Method
from seehear.randomness import Randomness
from seehear.runs.splits import open_split
from seehear.training import ProgressView, RunConfig, Summary, Trainer, Viewer, distributed


def build_method(config: RunConfig) -> Method:
    """The run's network before its first step: the same weights wherever and whenever it is built."""
    with torch.random.fork_rng():
        torch.manual_seed(config.training.seed)
        return methods.get(config.method.method)(config.method)


def pretrain(
    config: RunConfig,
    folder: Path,
    *,
    progress: ProgressView | Callable[[str], object] | None = None,
    viewers: Sequence[Viewer] = (),
    device: str | None = None,
    accept_changes: Collection[str] = (),
) -> Summary:
    """Train the run's method on its clips; called again on the same folder, go on where it stopped.

    Raises:
        SeeHearError: whatever `clips.open`, `clips.Loader` and `training.Trainer` refuse.
    """
    method = build_method(config)
    peers = distributed.start(device)
    source = open_split(config.data, config.data.train_split, method.needs)
    stream = clips.Loader(
        source,
        method.needs,
        clips.ShuffleSampler(source.ids, config.data.global_batch, config.training.seed),
        Randomness(config.training.seed, len(source)),
        rank=peers.rank,
        world_size=peers.world_size,
        threads=config.data.threads,
        prefetch=config.data.prefetch,
    )
    trainer = Trainer(
        method,
        stream,
        config,
        folder,
        progress=progress,
        viewers=viewers,
        device=device,
        accept_changes=accept_changes,
    )
    return trainer.run()
