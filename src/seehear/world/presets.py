"""Presets: named, frozen choices of track, level, labelling, format and clip counts."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from seehear.configuration import unknown_name
from seehear.errors import UsageError
from seehear.world.classes import CORE, NAMES
from seehear.world.levels import LEVELS, level_of
from seehear.world.levels import level as knobs
from seehear.world.scenes import Format
from seehear.world.splits import SPLITS

SIZES = (64, 96, 128, 224)
SECONDS = (1.6, 3.2, 4.8)


@dataclass(frozen=True)
class Preset:
    """What to build.

    Attributes:
        name: the preset's name.
        clips: number of clips per split.
        level: difficulty level.
        labelling: "single" (one labelled class per clip, classes exactly balanced) or "multi".
        format: picture and sound format.
        track: which sampler of the world; "A" is the audio-visual core.
        classes: labels in order.
        cells: whether splits are disjoint in parameter cells too (see `cells`).
    """

    name: str
    clips: Mapping[str, int]
    level: int = 0
    labelling: Literal["single", "multi"] = "single"
    format: Format = field(default_factory=Format)
    track: str = "A"
    classes: tuple[str, ...] = CORE
    cells: bool = False

    def to_dict(self) -> dict:
        """The preset as plain JSON-ready values."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if not self.cells:  # worlds from before there were cells keep their name
            del values["cells"]
        return values | {
            "clips": dict(self.clips),
            "format": dataclasses.asdict(self.format),
            "classes": list(self.classes),
        }


def _counts(train: int, val: int, test: int, **views: int) -> Mapping[str, int]:
    return MappingProxyType({"train": train, "val": val, "test": test, **views})


_VIEWS = {"test_iid": 400, "test_ood": 400}


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("unit", _counts(32, 16, 16), format=Format(size=64, seconds=1.6)),
        Preset("tiny", _counts(1_920, 200, 400)),
        Preset("small", _counts(6_000, 400, 1_000)),
        Preset("multi", _counts(1_920, 200, 400), level=1, labelling="multi"),
        Preset("base", _counts(2_000, 400, 400, **_VIEWS), level=1, classes=NAMES, cells=True),
        Preset("large", _counts(20_000, 400, 400, **_VIEWS), level=1, classes=NAMES, cells=True),
    )
}


def resolve(
    preset: str | Preset,
    *,
    level: int | None = None,
    size: int | None = None,
    seconds: float | None = None,
    clips: int | Mapping[str, int] | None = None,
) -> Preset:
    """A preset by name, with some of its choices replaced.

    Args:
        preset: a name of `PRESETS`, or a preset.
        level: difficulty level; at the highest one a preset goes without its split `test_ood`.
        size: picture size in pixels, one of `SIZES`.
        seconds: clip length, one of `SECONDS`.
        clips: number of clips per split, or one total that keeps the preset's proportions (rounded to whole rounds
            of the classes, at least one round per split).

    Raises:
        UsageError: on an unknown preset, level, size, length or split.
    """
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise unknown_name(f"preset {preset!r}", preset, PRESETS)
        preset = PRESETS[preset]
    if size is not None and size not in SIZES:
        raise UsageError(f"picture size {size}", expected=f"one of {', '.join(map(str, SIZES))}")
    if seconds is not None and seconds not in SECONDS:
        raise UsageError(f"clip length {seconds} s", expected=f"one of {', '.join(map(str, SECONDS))}")
    form = Format(size or preset.format.size, seconds or preset.format.seconds)
    chosen = preset.level if level is None else level
    knobs(chosen)
    if not isinstance(clips, Mapping):
        preset = dataclasses.replace(preset, clips=_reachable(preset.clips, chosen))
    counts = preset.clips if clips is None else _asked_counts(preset, clips)
    for split in counts:
        knobs(level_of(chosen, split))
    return dataclasses.replace(preset, level=chosen, format=form, clips=counts)


def _reachable(clips: Mapping[str, int], chosen: int) -> Mapping[str, int]:
    """The splits that a level can have: the highest has no harder one for `test_ood`."""
    return {split: count for split, count in clips.items() if level_of(chosen, split) in LEVELS}


def _asked_counts(preset: Preset, clips: int | Mapping[str, int]) -> Mapping[str, int]:
    if isinstance(clips, int):
        classes, total = len(preset.classes), sum(preset.clips.values())
        if clips < classes * len(preset.clips):
            least = classes * len(preset.clips)
            raise UsageError(f"{clips} clips", expected=f"at least {least}: one of every class in every split")
        return {s: max(1, round(clips * n / total / classes)) * classes for s, n in preset.clips.items()}
    for split, count in clips.items():
        if split not in SPLITS:
            raise unknown_name(f"split {split!r}", split, SPLITS)
        if count < 1:
            raise UsageError(f"{count} clips in split {split!r}", expected="at least 1")
    return dict(clips)
