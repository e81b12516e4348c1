"""Fine-tuning as tests do it, also in processes of their own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from seehear.recipes import finetuning
from seehear.runs.finetuning import finetune, prepare


def short_recipe(**changes: Any) -> finetuning.FineTuning:
    """Two epochs of batches of 8."""
    tiny = finetuning.finetune_tiny()
    return replace(
        tiny,
        epochs=2.0,
        classifier=replace(tiny.classifier, average_epochs=(1, 2), test_frames=3),
        data=replace(tiny.data, global_batch=8),
        training=replace(tiny.training, checkpoint_every=3, log_every=1),
        evaluation=replace(tiny.evaluation, gallery=8, probe=False),
        **changes,
    )


def finetune_on_a_rank(rank: int, world_size: int, start: Path, table: str, folder: Path) -> None:
    """Balanced clips, by all ranks together; a large eps, so that Adam does not make steps of mere rounding."""
    recipe = short_recipe()
    data, optimizer = replace(recipe.data, balanced=True), replace(recipe.optimizer, eps=1e-3)
    finetune(prepare(start, table, replace(recipe, data=data, optimizer=optimizer)), folder)
