"""A trunk first trained on sound against one first trained on pictures, for the study of AVSiam's claims.

The paper starts its shared trunk from an ImageNet ViT and, as an ablation, from one trained on AudioSet (AST). Here a
network of `avsiam_tiny` first learns the classes from one modality alone (the preset `finetune_tiny` with a single
entry in its draw, from scratch); its blocks, with the norms of that modality copied for both, start AVSiam. Patch
embeddings, positions and decoder start as always.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from seehear.contracts import Method, Modality
from seehear.methods.avsiam import AVSiam
from seehear.recipes.finetuning import finetune_tiny
from seehear.runs.finetuning import Prepared, classes_of, finetune
from seehear.runs.pretraining import build_method
from seehear.runs.splits import open_split
from seehear.training import RunConfig, load_method
from seehear.weights.starting import copy_block


def first_trained_on(modality: Modality, run: RunConfig, folder: Path) -> Callable[[Method], None]:
    """Train on one modality in `folder`, where that is not done yet; what then starts the network of `run`."""
    if not (folder / "done").exists():
        _train(modality, run, folder)
        (folder / "done").touch()
    source: Any = load_method(folder)

    def start(method: Method) -> None:
        if not isinstance(method, AVSiam):
            raise TypeError(f"{type(method).__name__} is no AVSiam")
        carry(source.encoder, method, modality)

    return start


def _train(modality: Modality, run: RunConfig, folder: Path) -> None:
    data = replace(run.data, evaluation_split="test")
    recipe = finetune_tiny()
    recipe = replace(
        recipe,
        data=replace(recipe.data, table=data.table, evaluation_split="test"),
        classifier=replace(recipe.classifier, draw=(modality,), average_epochs=None, head_lr_scale=1.0),
        training=replace(recipe.training, seed=run.training.seed),
    )
    clips = open_split(data, "train", replace(build_method(run).needs, labels=True))
    classes, single = classes_of(clips, data.table)
    config = recipe.run_config(run.method, classes, single, len(clips))
    blank: Any = build_method(config)
    finetune(Prepared(config, clips.with_classes(classes), blank.encoder.state_dict()), folder)


@torch.no_grad()
def carry(source: AVSiam, target: AVSiam, modality: Modality) -> None:
    """Blocks and norms of one modality's trunk for both modalities of another."""
    for ours, theirs in zip([*target.trunk.blocks, *target.fusion], _blocks(source, target), strict=True):  # type: ignore[misc]
        copy_block(ours, theirs, modality)  # type: ignore[arg-type]
    for norm in target.trunk.norm.values():
        norm.load_state_dict(source.trunk.norm[modality].state_dict())


def _blocks(source: AVSiam, target: AVSiam) -> list[Any]:
    """The source's blocks, and its last ones once more for the fusion layers."""
    blocks: list[Any] = list(source.trunk.blocks)  # type: ignore[arg-type]
    return blocks + blocks[-len(target.fusion) :]
