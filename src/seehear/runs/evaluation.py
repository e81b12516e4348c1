"""Evaluate a finished run: retrieval, neighbours, probes, missing modality and reconstruction, with floors beside each,
and what a fine-tuned network says of its classes.

The untrained network is the run's own with its random first weights (before what `init` or fine-tuning starts from),
measured in the same way on the same clips.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seehear import clips, tasks
from seehear.allocator import keep_freed_memory
from seehear.clips.subset_hash import subset_hash
from seehear.contracts import Batch, Classifies, Figure, Method, Reconstructs
from seehear.errors import DataError, StorageError
from seehear.runs.classifying import classification
from seehear.runs.pretraining import build_method
from seehear.runs.run_folder import read_config, trained_steps
from seehear.runs.splits import open_split, splits_of
from seehear.tasks import Embeddings, Galleries
from seehear.training import RunConfig, load_method
from seehear.weights import Embedder
from seehear.weights.embedder import AnyPrecision

FIGURES = "figures.json"
EMBEDDINGS = "embeddings"
ABOUT = "evaluation.json"
FEWEST_HELD_OUT = 2

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        figures: every figure.
        embeddings: of the evaluated clips, by the trained network.
        table: where the clips are.
        split: which of them: "test", or "train" where none were held out.
        held_out: the network was not trained on them.
        step: steps that the network was trained for.
        precision: of the trained network's linear layers while it embedded.
        clips: hash of the ids of the evaluated clips (`seehear.clips.subset_hash`): figures compare where it is equal.
    """

    figures: list[Figure]
    embeddings: Embeddings
    table: str
    split: str
    held_out: bool
    step: int
    precision: str = "fp32"
    clips: str = ""


@dataclass(frozen=True)
class _Setting:
    """A run opened for evaluation: its network trained and untrained, clips to learn from and clips to test on."""

    config: RunConfig
    trained: Embedder
    untrained: Embedder
    train: clips.ClipSource
    test: clips.ClipSource
    table: str
    split: str
    seen: np.ndarray
    """Numbers of all clips that the run trains on, of all its tables."""

    @property
    def held_out(self) -> bool:
        """The clips to test on are none of those to learn from."""
        return not np.isin(self.test.ids, self.seen).any()

    @property
    def labelled(self) -> bool:
        """There are labels, and clips held out from the ones to learn from."""
        return bool(self.train.label_names) and self.train.label_names == self.test.label_names and self.held_out

    @property
    def without_probes(self) -> str:
        """Why nothing can be learnt from labels."""
        if not self.train.label_names or not self.test.label_names:
            return "the clips carry no labels"
        if self.train.label_names != self.test.label_names:
            foreign = sorted(set(self.test.label_names) - set(self.train.label_names))
            return f"{self.table} has classes that the training clips lack ({'; '.join(foreign[:3])})"
        return "some of the clips to test on were trained on"

    def batches(self, source: clips.ClipSource) -> Iterator[Batch]:
        return _batches(self.trained.method, source, self.config.evaluation.batch)

    def embed(self, source: clips.ClipSource) -> tuple[Embeddings, Embeddings]:
        """By the trained and by the untrained network."""
        one, other = (
            embed_clips(embedder, source, self.config.evaluation.batch) for embedder in (self.trained, self.untrained)
        )
        return one, other


def embed_clips(method: Method | Embedder, source: clips.ClipSource, batch: int = 64) -> Embeddings:
    """Every clip of a source by a network, with names and labels.

    Args:
        method: the network, or an `Embedder` that says how it runs.
        source: the clips.
        batch: clips read at a time.

    Raises:
        DataError: if there is no clip, or an embedding holds NaN.
    """
    names = dict(zip(source.ids.tolist(), source.names, strict=True))
    network = method.method if isinstance(method, Embedder) else method
    return tasks.embed(method, _batches(network, source, batch), names=names, label_names=source.label_names)


def _batches(method: Method, source: clips.ClipSource, batch: int) -> Iterator[Batch]:
    return clips.in_order(source, replace(method.needs, labels=bool(source.label_names)), batch)


def evaluate(
    folder: str | Path,
    *,
    table: str | None = None,
    split: str | None = None,
    precision: AnyPrecision = "fp32",
    tell: Tell = lambda _: None,
) -> Evaluated:
    """Every figure of a run; written to `figures.json` and `embeddings.*` in its folder.

    Args:
        folder: of the run.
        table: clips to evaluate on; by default the run's own.
        split: of the table; by default the run's evaluation split, or its training clips where it holds none out.
        precision: of linear layers while embedding; "auto" is what this machine does quickest (see `Embedder`).
        tell: takes a line of progress.

    Raises:
        StorageError: if the folder holds no finished run.
        DataError: if no clip can be evaluated.
    """
    folder = Path(folder)
    setting, step = _open(folder, table, split, precision), trained_steps(folder)
    evaluation, planned = setting.config.evaluation, setting.config.training.steps
    if step < planned:
        tell(f"this run stopped after {step} of {planned} steps: its newest checkpoint is evaluated")
    tell(f"embedding {len(setting.test)} clips of split {setting.split!r}, by the trained and the untrained network")
    test = setting.embed(setting.test)
    figures = list(tasks.retrieval(*test, Galleries(evaluation.galleries, evaluation.gallery)))
    if evaluation.probe and setting.labelled:
        figures += _learnt_from_labels(setting, test, tell)
    elif evaluation.probe:
        tell(f"no probes: {setting.without_probes}")
    figures += tasks.modality_gap(*test)
    figures += _named_classes(setting, table, tell)
    drawing: object = setting.trained.method  # by what it offers, not by its class
    if isinstance(drawing, Reconstructs):
        tell("drawing what was hidden")
        figures += tasks.reconstruction(setting.trained.method, setting.batches(setting.test), setting.untrained.method)
    tasks.write_figures(figures, folder / FIGURES)
    tasks.save_embeddings(test[0], folder / EMBEDDINGS)
    about: dict[str, Any] = {
        "table": setting.table, "split": setting.split, "held_out": setting.held_out, "step": step
    }  # fmt: skip
    about |= {"precision": str(setting.trained.precision), "clips": subset_hash(setting.test.names)}
    (folder / ABOUT).write_text(json.dumps(about) + "\n", encoding="utf-8")
    return Evaluated(figures, test[0], **about)


def probe(
    folder: str | Path, *, table: str | None = None, split: str | None = None, tell: Tell = lambda _: None
) -> list[Figure]:
    """Linear probes, nearest neighbours and the missing modality of a run's frozen features.

    Args:
        folder: of the run.
        table: labelled clips, with the run's training split to learn from; by default the run's own.
        split: to test on; by default the run's evaluation split.
        tell: takes a line of progress.

    Raises:
        StorageError: if the folder holds no finished run.
        DataError: if the clips have no labels or none are held out.
    """
    setting = _open(Path(folder), table, split, train_table=table)
    if not setting.labelled:
        raise DataError(
            f"{setting.table} has {len(setting.train.label_names)} classes and tests on split {setting.split!r}",
            expected="labels, and a split held out from training",
            cure="name `split` and `labels` in the manifest before packing",
        )
    return list(_learnt_from_labels(setting, setting.embed(setting.test), tell))


def read_evaluation(folder: Path) -> Evaluated:
    """What `evaluate` left in a run's folder.

    Raises:
        StorageError: if it was never evaluated.
    """
    if not (folder / ABOUT).exists():
        raise StorageError(f"{folder} holds no figures", expected="an evaluated run", cure=f"seehear evaluate {folder}")
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    return Evaluated(tasks.read_figures(folder / FIGURES), tasks.load_embeddings(folder / EMBEDDINGS), **about)


def _open(
    folder: Path,
    table: str | None,
    split: str | None,
    precision: AnyPrecision = "fp32",
    train_table: str | None = None,
) -> _Setting:
    """Where nothing is held out, the training clips are evaluated, and the result says so."""
    config = read_config(folder)
    if config.training.keep_memory:
        keep_freed_memory()
    trained = load_method(folder)
    data = replace(config.data, more_tables=())
    wanted = split or data.evaluation_split
    held_out = splits_of(clips.open(table or data.table), data) == wanted
    if split is None and held_out.sum() < FEWEST_HELD_OUT:
        wanted = data.train_split
    train = open_split(data, data.train_split, trained.needs, train_table)
    test = open_split(data, wanted, trained.needs, table)
    one, other = (Embedder(network, precision=precision) for network in (trained, build_method(config)))
    return _Setting(config, one, other, train, _as_learnt(test, train), table or data.table, wanted, _seen(config))


def _seen(config: RunConfig) -> np.ndarray:
    """Numbers of the training clips of every table, as each table names them."""
    found = []
    for where in (config.data.table, *config.data.more_tables):
        source = clips.open(where)
        found.append(source.ids[splits_of(source, config.data) == config.data.train_split])
    return np.concatenate(found)


def _as_learnt(test: clips.ClipSource, train: clips.ClipSource) -> clips.ClipSource:
    """The test clips with the classes of the training clips, where all of theirs are among them."""
    if not test.label_names or test.label_names == train.label_names or set(test.label_names) - set(train.label_names):
        return test
    return test.with_classes(train.label_names)


def _named_classes(setting: _Setting, table: str | None, tell: Tell) -> list[Figure]:
    """Figures of a fine-tuned network's own classes, where it has some and the clips carry labels."""
    trained: object = setting.trained.method
    untrained: object = setting.untrained.method
    if not (isinstance(trained, Classifies) and isinstance(untrained, Classifies)):
        return []
    if not setting.test.label_names:
        tell(f"{setting.table} has no labels: what the network says of its classes is not measured")
        return []
    tell(f"naming the classes of split {setting.split!r}")
    config = setting.config
    return list(classification(trained, untrained, config.data, setting.split, table, config.evaluation.batch))


def _learnt_from_labels(setting: _Setting, test: tuple[Embeddings, Embeddings], tell: Tell) -> Iterator[Figure]:
    """What a few labels make of the features."""
    tell(f"embedding {len(setting.train)} training clips for neighbours and probes")
    train = setting.embed(setting.train)
    raw_train, raw_test = (
        tasks.raw_features(setting.batches(source), label_names=source.label_names)
        for source in (setting.train, setting.test)
    )
    untrained, baselines = (train[1], test[1]), {"raw features": (raw_train, raw_test)}
    yield from tasks.nearest_neighbours(train[0], test[0], untrained=untrained, baselines=baselines)
    yield from tasks.linear_probe(train[0], test[0], untrained=untrained, baselines=baselines)
    yield from tasks.missing_modality(train[0], test[0], untrained=untrained)
