"""The demonstration: from a world that it makes, or a folder of videos, to a trained and measured network on a page.

Every stage takes up what an earlier start left: a finished stage is not done again.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from seehear import clips, recipes, world
from seehear.contracts import Figure
from seehear.reports.page import Skipped
from seehear.runs.evaluation import evaluate
from seehear.runs.pretraining import build_method, pretrain
from seehear.runs.reporting import report
from seehear.runs.show import Show, TrainingBar
from seehear.runs.splits import open_split
from seehear.training import RunConfig

RECIPE = "avsiam_tiny"
PRESET = "tiny"
MOST_EPOCHS, FEWEST_STEPS = 150, 200  # on few clips
FRAMES = 8  # pictures kept of each clip
WORLD, TABLE = "world", "clips.lance"


@dataclass(frozen=True)
class Demonstration:
    """What came out.

    Attributes:
        folder: of the run.
        report: the page.
        figures: every figure.
        split: the clips that they were measured on.
        seconds: by stage, of this start.
    """

    folder: Path
    report: Path
    figures: list[Figure]
    split: str
    seconds: dict[str, float]


def demonstrate(
    folder: Path, show: Show, *, videos: Path | None = None, steps: int | None = None, seed: int = 0
) -> Demonstration:
    """Make or take clips, pack them, pretrain a tiny AVSiam, evaluate it, write the page.

    Args:
        folder: where everything is put.
        show: where progress is shown.
        videos: a folder of media; None: the embedded world.
        steps: of training; by default the recipe's.
        seed: of the world and of training.

    Raises:
        SeeHearError: whatever one of the stages refuses.
    """
    watch = _Watch()
    config = _config(folder, seed)
    facts: dict[str, str | int | float] = {}
    with watch("clips"):
        if videos is None:
            videos, facts["world"] = _make_world(folder / WORLD, show, seed)
    with watch("pack"):
        skipped = _pack(videos, folder / TABLE, config, show)
    config = _fit(config, steps)
    with watch("pretrain"), show.progress("training", config.training.steps, "steps") as bar:
        trained = pretrain(config, folder, progress=TrainingBar(bar, show))
    with watch("evaluate"):
        found = evaluate(folder, tell=show.note)
    with watch("report"):
        whole = trained.resumed_from is None  # times of a start that took up an earlier one say little
        spent = {f"seconds to {stage}": round(s) for stage, s in watch.seconds.items() if whole}
        page = report(folder, facts=facts | spent, skipped=skipped)
    return Demonstration(folder, page, found.figures, found.split, watch.seconds)


def _config(folder: Path, seed: int) -> RunConfig:
    recipe = recipes.get(RECIPE)
    return replace(
        recipe,
        data=replace(recipe.data, table=str(folder / TABLE)),
        training=replace(recipe.training, seed=seed),
    )


def _fit(config: RunConfig, steps: int | None) -> RunConfig:
    """Smaller batches and fewer steps for few clips: at most `MOST_EPOCHS` passes, and no clip twice in a batch.

    Both have a floor: `FEWEST_STEPS`, and a batch of twice what the method deals out (then clips repeat in it).
    """
    count = len(open_split(config.data, config.data.train_split, build_method(config).needs))
    multiple = build_method(config).batch_multiple
    batch = min(config.data.global_batch, max(2 * multiple, count // multiple * multiple))
    most = max(FEWEST_STEPS, MOST_EPOCHS * count // batch)
    training = replace(config.training, steps=steps or min(config.training.steps, most))
    return replace(
        config,
        data=replace(config.data, global_batch=batch),
        training=training,
    )


def _make_world(root: Path, show: Show, seed: int) -> tuple[Path, str]:
    """Build the embedded world; returns its folder and its fingerprint."""
    with show.progress("making the world", unit="clips") as bar:
        built = world.build(root, PRESET, seed=seed, progress=bar)
    return root, str(built.datasheet["fingerprint"])


def _pack(videos: Path, table: Path, config: RunConfig, show: Show) -> tuple[Skipped, ...]:
    """Pack the clips as the recipe reads them; returns what was left out."""
    inputs = config.method.inputs
    with show.progress("packing", unit="files") as bar:
        packed = clips.pack(
            videos,
            str(table),
            clip_seconds=inputs.audio_seconds,
            hop=inputs.audio_seconds,
            frames=FRAMES,
            size=min(inputs.image_height, inputs.image_width),
            progress=lambda p: bar(p.files_done, p.files_total, f"{p.clips} clips, {p.skipped} skipped"),
        )
    for reason, count in packed.skipped.items():
        show.note(f"skipped {count}: {reason}")
    return tuple(Skipped(skip.file, skip.reason, skip.detail) for skip in packed.skips)


class _Watch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._start = "", 0.0

    def __call__(self, stage: str) -> "_Watch":
        self._stage = stage
        return self

    def __enter__(self) -> None:
        self._start = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds[self._stage] = time.monotonic() - self._start
