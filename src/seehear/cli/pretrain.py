"""`seehear pretrain`: train a recipe's method on a table or a folder of media."""

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seehear.cli.console import Console
from seehear.cli.options import Overrides, described, parse

if TYPE_CHECKING:
    from seehear.training import RunConfig

DEFAULT_RECIPE = "avsiam_tiny"
EXAMPLES = (
    "seehear pretrain avsiam_tiny --data.table clips.lance --out runs/first",
    "seehear pretrain avsiam_tiny --data.table clips.lance --training.steps 200 --optimizer.learning-rate 5e-4",
    "seehear pretrain avsiam_paper_base --init vit-timm:vit_base.safetensors --data.table clips.lance",
    "torchrun --nproc-per-node 8 -m seehear pretrain avsiam_paper_base --data.table audioset.lance --out runs/base",
)


ABOUT = {
    "name": "of the run, for people",
    "init": "start from released weights, LAYOUT:FILE, e.g. vit-timm:vit_base.safetensors (seehear weights list)",
    "init_positions": "how positions get to another grid: nearest (AVSiam's code) or bicubic",
    "init_fusion": "fusion layers start from the last blocks in order (last), or all from the last one (repeat)",
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Train a recipe's method; started again on the same folder, go on where it stopped.

    The first word names the recipe (default: avsiam_tiny); every field of it can be changed.
    """

    out: Path | None = None
    """folder of the run; by default runs/ and the recipe's name"""
    teacher: Path | None = None
    """run whose network teaches this one: MAViL's first stage for its second"""
    device: str | None = None
    """cpu, cuda, ...; by default the accelerator, where there is one"""
    tensorboard: bool = False
    """also write what TensorBoard shows"""
    accept_change: tuple[str, ...] = ()
    """fields that may differ from the run's earlier start, such as training.steps"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Train; started again on the same folder, go on where it stopped."""
    from seehear import recipes
    from seehear.errors import UsageError
    from seehear.runs.distilling import pretrain_student
    from seehear.runs.pretraining import pretrain
    from seehear.runs.show import TrainingBar
    from seehear.training import TensorBoardViewer

    named = bool(arguments) and not arguments[0].startswith("-")
    recipe = recipes.get(arguments[0] if named else DEFAULT_RECIPE)
    options = parse(_options(recipe), list(arguments[named:]), "pretrain [RECIPE]", EXAMPLES)
    config = _run_config(recipe, options.config)
    if not config.data.table:
        raise UsageError(
            "no clips are named",
            expected="a packed table or a folder of media",
            cure="--data.table clips.lance (seehear pack FOLDER clips.lance makes one)",
        )
    folder = options.out or Path("runs") / config.name
    if _wants_teacher(config.method) and options.teacher is None and not folder.exists():
        raise UsageError(
            "the second stage learns from the network of the first, and no run of it is named",
            expected="a finished run of stage 1",
            cure="--teacher runs/mavil",
        )
    first = os.environ.get("RANK", "0") == "0"  # under torchrun one process speaks for all
    viewers = (TensorBoardViewer(folder / "tensorboard"),) if options.tensorboard and first else ()
    with console.progress(config.name, config.training.steps, "steps") as bar:
        train = pretrain if options.teacher is None else partial(pretrain_student, teacher_folder=options.teacher)
        summary = train(
            config,
            folder=folder,
            progress=TrainingBar(bar, console),
            viewers=viewers,
            device=options.device,
            accept_changes=options.accept_change,
        )
    loss = "" if summary.loss is None else f", loss {summary.loss:.4g}"
    if first:
        console.line(f"{folder}: {summary.steps} steps{loss}; next: seehear evaluate {folder}")
    return dataclasses.asdict(summary)


def _wants_teacher(method: Any) -> bool:
    """A second stage whose teacher is a trained network."""
    return getattr(method, "stage", 1) == 2 and getattr(method, "teacher", "") != "random"


def _options(recipe: "RunConfig") -> type:
    """The verb's options: its own, and every field of the recipe with the recipe's value as default."""
    kinds = {f.name: type(getattr(recipe, f.name)) for f in dataclasses.fields(recipe)}
    kinds |= {name: described(kinds[name], text) for name, text in ABOUT.items()}
    fields = [(name, kind, getattr(recipe, name)) for name, kind in kinds.items()]
    config = dataclasses.make_dataclass("RecipeFields", fields, frozen=True)
    config.__doc__ = f"Fields of the recipe {recipe.name!r}."
    added = [("config", Overrides[config], config())]
    options = dataclasses.make_dataclass("Options", added, bases=(Options,), frozen=True)
    options.__doc__ = Options.__doc__
    return options


def _run_config(recipe: "RunConfig", chosen: Any) -> "RunConfig":
    return dataclasses.replace(recipe, **{f.name: getattr(chosen, f.name) for f in dataclasses.fields(recipe)})
