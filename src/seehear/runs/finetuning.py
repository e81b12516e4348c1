"""Carry out a fine-tuning run: take a pretrained encoder, find the classes, train a classifier on labelled clips."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seehear import clips, tasks
from seehear.contracts import Encodes, Figure, Method, Progress
from seehear.errors import DataError, UsageError
from seehear.recipes.finetuning import FineTuning
from seehear.runs.classifying import Labelled, answers_of, class_counts, labelled_split
from seehear.runs.pretraining import build_method
from seehear.runs.run_folder import read_config
from seehear.runs.streaming import stream_of
from seehear.training import DataConfig, ProgressView, RunConfig, Summary, Trainer, Viewer, distributed, load_method
from seehear.training.compatibility import load_weights
from seehear.training.evaluation import Evaluation
from seehear.weights import open_released
from seehear.weights.released.layouts import LAYOUTS

Tell = Callable[[str], object]


def starting_encoder(name_or_path: str | Path) -> tuple[Any, dict[str, Tensor]]:
    """Config and weights of a pretrained encoder.

    Args:
        name_or_path: a run folder or checkpoint folder, of pretraining or of an earlier fine-tuning; or released
            weights of AVSiam or CAV-MAE as LAYOUT:FILE.

    Raises:
        StorageError: if there is no whole checkpoint.
        DataError: if the file is damaged or of another layout.
        UsageError: if its method cannot be called part by part.
    """
    layout, file = released_file(name_or_path)
    method: Any = _released(layout, file) if layout else load_method(Path(name_or_path))
    method = getattr(method, "encoder", method) if hasattr(method, "classify") else method
    if not isinstance(method, Encodes):
        raise UsageError(
            f"{name_or_path} holds a {type(method).__name__}, whose encoder cannot be called part by part",
            expected="a run of a method with `patches`, `branches` and `features`",
        )
    found: Any = method
    return found.config, found.state_dict()


def released_file(name_or_path: str | Path) -> tuple[str, str]:
    """Layout and file of LAYOUT:FILE; two empty texts for anything else."""
    layout, _, file = str(name_or_path).partition(":")
    return (layout, file) if layout in LAYOUTS and file else ("", "")


def method_of(name_or_path: str | Path) -> str:
    """Name of the method that a run or a released file holds, without reading its weights.

    Raises:
        StorageError: if there is no run.
    """
    layout, _ = released_file(name_or_path)
    if layout:
        return layout.removesuffix("-finetuned").replace("-", "_")
    config = read_config(Path(name_or_path)).method
    return getattr(config, "encoder", config).method


def _released(layout: str, file: str) -> Any:
    encoder: Any = open_released(file, layout)
    if not hasattr(encoder, "method"):
        raise UsageError(
            f"{layout} weights are a plain ViT of one modality",
            expected="weights of AVSiam or CAV-MAE",
            cure=f"seehear pretrain --init {layout}:{file} first",
        )
    return encoder.method


@dataclass(frozen=True)
class Prepared:
    """A fine-tuning run before its first step: its configuration, its clips, and the encoder's weights."""

    config: RunConfig
    source: clips.ClipSource
    weights: Mapping[str, Tensor]

    def method(self) -> Method:
        """The classifier with the pretrained encoder; its heads are drawn by the run's seed."""
        made: Any = build_method(self.config)
        wanted = made.encoder.state_dict()
        load_weights(made.encoder, {name: t for name, t in self.weights.items() if name in wanted}, "the encoder")
        return made


def prepare(start: str | Path, table: str, recipe: FineTuning, tell: Tell = lambda _: None) -> Prepared:
    """Find classes and clips; everything that can be refused is refused here.

    The classes are those that the table's training clips show, in the order of their names; every clip of one label
    each means a softmax, anything else sigmoids. Clips without a label, or without a modality that is trained on, are
    left out and counted.

    Args:
        start: a pretrained run.
        table: labelled clips.
        recipe: how to fine-tune.
        tell: takes a line on what was found.

    Raises:
        StorageError: if there is no pretrained run or no table.
        DataError: if there are no labels, no clips to train on, or test clips have classes that no training clip has.
        UsageError: if there is no such split, or the preset does not fit the encoder.
    """
    encoder, weights = starting_encoder(start)
    recipe = replace(recipe, data=replace(recipe.data, table=table))
    train = labelled_split(recipe.data, recipe.data.train_split)
    classes, single = classes_of(train.source, table)
    begin = f"{encoder.method} {digest(weights)}"
    config = recipe.run_config(encoder, classes, single, len(train.source), begin)
    needs = build_method(config).needs
    source = train.source.with_classes(classes).usable(needs)
    lacking = len(train.source) - len(source)
    if not len(source):
        raise DataError(
            f"none of {lacking} labelled training clips has every modality that is trained on",
            expected="clips with both, or `draw` with the one that they have",
            cure=f"seehear doctor {table}",
        )
    config = recipe.run_config(encoder, classes, single, len(source), begin)
    kind = "one label each" if single else "several labels"
    tell(f"{len(source)} training clips of {len(classes)} classes, {kind}; {config.training.steps} steps")
    for count, what in ((train.unlabelled, "a label"), (lacking, "a modality that is trained on")):
        if count:
            tell(f"left out: {count} training clips without {what}")
    unseen = int((class_counts(source) == 0).sum())
    if unseen:
        tell(f"{unseen} of {len(classes)} classes have no training clip left")
    held_out(recipe.data).source.with_classes(classes)
    return Prepared(config, source, weights)


def held_out(data: DataConfig) -> Labelled:
    """Labelled clips of the evaluation split, of the first table alone.

    Raises:
        UsageError: if there is no such split.
        DataError: if none of its clips carries a label.
    """
    return labelled_split(replace(data, more_tables=()), data.evaluation_split)


def classes_of(source: clips.ClipSource, where: str) -> tuple[tuple[str, ...], bool]:
    """The classes that some clip has, by name, and whether every clip has exactly one.

    Raises:
        DataError: if there are fewer than two classes.
    """
    labels = source.labels
    names = tuple(sorted({name for row in labels for name in row}))
    if len(names) < 2:
        raise DataError(
            f"the training clips of {where} show {len(names)} classes",
            expected="at least two",
            cure="name `labels` in the manifest before packing",
        )
    return names, all(len(set(row)) == 1 for row in labels)


def digest(weights: Mapping[str, Tensor]) -> str:
    """A short hash of named tensors, equal wherever the values are."""
    found = hashlib.blake2b(digest_size=8)
    for name in sorted(weights):
        found.update(name.encode())
        found.update(np.ascontiguousarray(weights[name].detach().cpu().reshape(-1).view(torch.uint8).numpy()).data)
    return found.hexdigest()


def finetune(
    prepared: Prepared,
    folder: Path,
    *,
    progress: ProgressView | Callable[[str], object] | None = None,
    viewers: Sequence[Viewer] = (),
    device: str | None = None,
    accept_changes: Collection[str] = (),
) -> Summary:
    """Train; called again on the same folder, go on where it stopped. `seehear evaluate` then gives the figures.

    With `training.evaluate_every`, the test split's figures by the weights of that step are measured on the way.

    Raises:
        SeeHearError: whatever `clips.Loader` and `training.Trainer` refuse.
    """
    config, method = prepared.config, prepared.method()
    with distributed.session(device) as peers:
        trainer = Trainer(
            method,
            stream_of(config, prepared.source, method.needs, peers),
            config,
            folder,
            evaluations=(_on_the_way(prepared),) if config.training.evaluate_every else (),
            progress=progress,
            viewers=viewers,
            device=device,
            accept_changes=accept_changes,
        )
        return trainer.run()


def _on_the_way(prepared: Prepared) -> Evaluation:
    """Figures of the test split, for the loop to call."""
    config, counts = prepared.config, class_counts(prepared.source)
    test = held_out(config.data)

    def measure(method: Method, _: Progress) -> Iterator[Figure]:
        classifier: Any = method
        found = answers_of(classifier, test.source, config.evaluation.batch, pairs=False)
        return tasks.fine_tuned(found, tasks.Protocol.of(classifier, counts))

    return measure
