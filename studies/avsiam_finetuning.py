"""Fine-tuning in the study of AVSiam's claims: a modality drawn for each clip against both only, one picture or eight.

    python -m studies.avsiam_finetuning --seeds 0     # after studies.avsiam; restartable, finished cells are kept

Every cell fine-tunes a run of `studies.avsiam` with the preset `finetune_tiny` on the same clips, and is tested on
`test`: by sound, by picture, by both, one picture or the mean over eight, and with wrong partners. Adds `finetuned` to
`studies/results/avsiam.json`.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from seehear import tasks
from seehear.cli.console import Console
from seehear.errors import RequeueError
from seehear.recipes.finetuning import FineTuning, finetune_tiny
from seehear.runs.evaluation import evaluate
from seehear.runs.finetuning import finetune, prepare
from seehear.runs.show import TrainingBar
from studies.avsiam import RESULT, Scale, cell, signalled

Change = Callable[[FineTuning], FineTuning]
CELLS: dict[str, tuple[str, Change]] = {
    "AVSiam, mixed": ("multi-ratio", lambda recipe: recipe),
    "AVSiam, both only": (
        "multi-ratio",
        lambda recipe: replace(recipe, classifier=replace(recipe.classifier, draw=("audiovisual",))),
    ),
    "CAV-MAE, mixed": ("CAV-MAE", lambda recipe: recipe),
    "CAV-MAE, both only": (
        "CAV-MAE",
        lambda recipe: replace(
            recipe, classifier=replace(recipe.classifier, draw=("audiovisual",), heads="one", pool="whole")
        ),
    ),
    "separate encoders, mixed": ("separate encoders", lambda recipe: recipe),
    "MAViL, mixed": ("MAViL", lambda recipe: recipe),
}


def main() -> None:
    """Run the cells whose pretraining is there and that are not done yet, then add them to the result."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL")
    options.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options.add_argument("--threads", type=int, help="threads of this process")
    options.add_argument("--minutes", type=float, help="begin no cell after so many; a run that is under way saves")
    chosen = options.parse_args()
    if chosen.threads:
        torch.set_num_threads(chosen.threads)
    until = None if chosen.minutes is None else time.monotonic() + 60 * chosen.minutes
    try:
        for seed in chosen.seeds:
            for name in chosen.cells:
                if until is None or time.monotonic() < until:
                    run_cell(Scale(), name, seed, until)
    finally:
        gather(Scale(), RESULT)


def folder_of(scale: Scale, name: str, seed: int) -> Path:
    """Folder of a cell's run."""
    return scale.folder / "finetuned" / name.replace(", ", "-").replace(" ", "-") / f"seed-{seed}"


def run_cell(scale: Scale, name: str, seed: int, until: float | None, epochs: float | None = None) -> None:
    """Fine-tune and measure; nothing where it is done or its pretraining is not."""
    arm, change = CELLS[name]
    start, folder, show = cell(scale, arm, seed), folder_of(scale, name, seed), Console()
    if (folder / "result.json").exists() or not (start / "result.json").exists():
        return
    recipe = change(finetune_tiny())
    recipe = replace(
        recipe,
        epochs=epochs or recipe.epochs,
        data=replace(recipe.data, evaluation_split="test"),
        training=replace(recipe.training, seed=seed),
        evaluation=replace(recipe.evaluation, probe=False, gallery=scale.gallery),
    )
    prepared = prepare(start, scale.table, recipe, show.note)
    with show.progress(f"{name}, seed {seed}", prepared.config.training.steps, "steps") as bar:
        try:
            with signalled(until):
                finetune(prepared, folder, progress=TrainingBar(bar, show))
        except RequeueError as stopped:
            show.note(f"{name}, seed {seed}: time is up, saved")
            raise SystemExit(stopped.exit_status) from None
    found = [f for f in evaluate(folder, split="test").figures if f.name.startswith("fine-tuned/")]
    text = json.dumps({"figures": json.loads(tasks.to_json(found))["figures"]}, indent=1)
    (folder / "result.json").write_text(text + "\n", encoding="utf-8")


def gather(scale: Scale, target: Path) -> None:
    """Add every finished cell to the study's result."""
    result = json.loads(target.read_text(encoding="utf-8"))
    result["finetuned"] = {
        name: {
            path.parent.name.removeprefix("seed-"): json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder_of(scale, name, 0).parent.glob("seed-*/result.json"))
        }
        for name in CELLS
    }
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
