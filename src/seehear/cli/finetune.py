"""`seehear finetune`: teach a pretrained network the classes of labelled clips."""

import dataclasses
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Overrides, Positional, named, parse

if TYPE_CHECKING:
    from seehear.recipes.finetuning import FineTuning

DEFAULT_PRESET = "finetune_tiny"
EXAMPLES = (
    "seehear finetune runs/first clips.lance --out runs/classes",
    "seehear finetune runs/first clips.lance --preset finetune_tiny --epochs 5 --classifier.mixup 0",
    "torchrun --nproc-per-node 8 -m seehear finetune runs/base vggsound.lance --preset vggsound --out runs/vggsound",
)


@dataclasses.dataclass(frozen=True)
class Options:
    """Train heads for sound, picture and both on top of a pretrained network, then evaluate.

    Classes are found in the training clips. Started again on the same folder, it goes on where it stopped. Every field
    of the preset can be changed; --training.steps takes the place of its epochs.
    """

    run: Annotated[Positional[Path], named("RUN")]
    """folder of the pretrained run, or released weights as LAYOUT:FILE, e.g. cav-mae:audio_model.25.pth"""
    table: Annotated[Positional[str], named("TABLE")]
    """labelled clips with a training and a held-out split"""
    out: Path | None = None
    """folder of the new run; by default the old one's name and the preset's"""
    preset: str = DEFAULT_PRESET
    """finetune_tiny, or as20k, as2m, vggsound for the method of RUN"""
    device: str | None = None
    """cpu, cuda, ...; by default the accelerator, where there is one"""
    accept_change: tuple[str, ...] = ()
    """fields that may differ from the run's earlier start, such as training.steps"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Fine-tune, evaluate, and print the table of figures."""
    from seehear.errors import UsageError
    from seehear.runs.evaluation import evaluate
    from seehear.runs.finetuning import finetune, prepare
    from seehear.runs.show import TrainingBar

    preset = _preset(arguments)
    options = parse(_options(preset), list(arguments), "finetune", EXAMPLES)
    recipe = dataclasses.replace(preset, **vars(options.recipe))
    if recipe.data.table not in ("", options.table):
        raise UsageError(
            f"--data.table names {recipe.data.table} and TABLE is {options.table}", expected="one of them", cure="TABLE"
        )
    folder = options.out or _folder(options.run, recipe.name)
    first = os.environ.get("RANK", "0") == "0"  # under torchrun one process speaks for all
    prepared = prepare(options.run, options.table, recipe, console.note if first else lambda _: None)
    with console.progress(recipe.name, prepared.config.training.steps, "steps") as bar:
        summary = finetune(
            prepared,
            folder,
            progress=TrainingBar(bar, console),
            device=options.device,
            accept_changes=options.accept_change,
        )
    if not first:
        return dataclasses.asdict(summary)
    found = evaluate(folder, tell=console.note)
    console.figures(f"{folder} on clips of split {found.split!r}", found.figures)
    console.line(f"next: seehear report {folder}")
    return {**dataclasses.asdict(summary), "split": found.split, "figures": found.figures}


def _folder(start: Path, recipe: str) -> Path:
    """Beside the pretrained run; in runs/ for a released file."""
    from seehear.runs.finetuning import released_file

    _, file = released_file(start)
    return Path("runs") / f"{Path(file).stem}-{recipe}" if file else start.with_name(f"{start.name}-{recipe}")


def _preset(arguments: Sequence[str]) -> "FineTuning":
    """The preset that the words name, before its fields can be options."""
    from seehear.recipes import finetuning
    from seehear.runs.finetuning import method_of

    words = [part for word in arguments for part in word.split("=", 1)]
    name = dict(itertools.pairwise(words)).get("--preset", DEFAULT_PRESET)
    method = ""
    if name not in finetuning.FINE_TUNING and arguments and not arguments[0].startswith("-"):
        method = method_of(arguments[0])
    preset = finetuning.get(name, method)
    return dataclasses.replace(preset, epochs=None) if "--training.steps" in words else preset


def _options(preset: "FineTuning") -> type:
    """The verb's options: its own, and every field of the preset with the preset's value as default."""
    fields = [(f.name, f.type, getattr(preset, f.name)) for f in dataclasses.fields(preset) if f.name != "name"]
    config = dataclasses.make_dataclass("PresetFields", fields, frozen=True)
    config.__doc__ = type(preset).__doc__
    options = dataclasses.make_dataclass(
        "Options", [("recipe", Overrides[config], config())], bases=(Options,), frozen=True
    )
    options.__doc__ = Options.__doc__
    return options
