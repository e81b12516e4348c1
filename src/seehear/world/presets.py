"""Presets: named, frozen choices of track, level, labelling, format and clip counts."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from seehear.configuration import unknown_name
from seehear.errors import UsageError
from seehear.world.classes import CORE, NAMES, kind
from seehear.world.interventions import INTERVENTIONS
from seehear.world.levels import LEVELS, level_of
from seehear.world.levels import level as knobs
from seehear.world.painting.styles import STYLES
from seehear.world.scenes import LATER, Format, plain
from seehear.world.speech import ENGINES
from seehear.world.splits import SPLITS
from seehear.world.tracks import track as track_of

SIZES = (32, 48, 64, 96, 128, 224)
SECONDS = (1.6, 3.2, 4.8)
SPOKEN = ("K", "N")  # tracks with words


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
        ambiguous: share of single-label clips that sound alone, and of others that the picture alone, cannot tell
            (see `tracks.core`).
        style: how pictures are painted (see `styles`).
        speech: who speaks, one of `speech.ENGINES`.
        intervention: what is changed of every clip (see `interventions`); "" is nothing.
        long_tail: how many times as often training clips show the most frequent class as the rarest; 1 is balanced.
        parent_labels: whether the classes' groups are labels too.
        removed_labels: share of the parent labels that training clips lack.
    """

    name: str
    clips: Mapping[str, int]
    level: int = 0
    labelling: Literal["single", "multi"] = "single"
    format: Format = field(default_factory=Format)
    track: str = "A"
    classes: tuple[str, ...] = CORE
    cells: bool = field(default=False, metadata=LATER)
    ambiguous: float = field(default=0.0, metadata=LATER)
    style: str = field(default="textured", metadata=LATER)
    speech: str = field(default="built-in", metadata=LATER)
    intervention: str = field(default="", metadata=LATER)
    long_tail: float = field(default=1.0, metadata=LATER)
    parent_labels: bool = field(default=False, metadata=LATER)
    removed_labels: float = field(default=0.0, metadata=LATER)

    def to_dict(self) -> dict:
        """The preset as plain JSON-ready values; worlds from before an option keep their name."""
        return plain(dataclasses.replace(self, clips=dict(self.clips)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a clip can have, in order."""
        if not self.parent_labels:
            return self.classes
        return (*self.classes, *dict.fromkeys(kind(name).group for name in self.classes))


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
        Preset("base", _counts(2_000, 400, 400, **_VIEWS), level=1, classes=NAMES, cells=True, ambiguous=0.4),
        Preset("large", _counts(20_000, 400, 400, **_VIEWS), level=1, classes=NAMES, cells=True, ambiguous=0.4),
    )
}


@dataclass(frozen=True)
class Choices:
    """What replaces a preset's own choices; None keeps them.

    Attributes:
        level: difficulty level; at the highest one a preset goes without its split `test_ood`.
        size: picture size in pixels, one of `SIZES`.
        seconds: clip length, one of `SECONDS`.
        clips: number of clips per split, or one total that keeps the preset's proportions (rounded to whole rounds
            of the labels, at least one round per split).
        track: a letter of `tracks.TRACKS`, which brings its own labels and format.
        labelling, ambiguous, style, speech, intervention, long_tail, parent_labels, removed_labels: as in `Preset`.
    """

    level: int | None = None
    size: int | None = None
    seconds: float | None = None
    clips: int | Mapping[str, int] | None = None
    track: str | None = None
    labelling: Literal["single", "multi"] | None = None
    ambiguous: float | None = None
    style: str | None = None
    speech: str | None = None
    intervention: str | None = None
    long_tail: float | None = None
    parent_labels: bool | None = None
    removed_labels: float | None = None


def resolve(preset: str | Preset, choices: Choices = Choices(), **given: Any) -> Preset:
    """A preset by name, with some of its choices replaced.

    Args:
        preset: a name of `PRESETS`, or a preset.
        choices: what to replace.
        given: fields of `Choices`, in place of `choices`.

    Raises:
        UsageError: on an unknown preset, track, style, level, size, length or split, or options that do not go
            together.
    """
    choices = dataclasses.replace(choices, **given)
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise unknown_name(f"preset {preset!r}", preset, PRESETS)
        preset = PRESETS[preset]
    preset = _on_track(preset, choices.track)
    form = _form(preset.format, choices.size, choices.seconds)
    chosen = preset.level if choices.level is None else choices.level
    knobs(chosen)
    if not isinstance(choices.clips, Mapping):
        preset = dataclasses.replace(preset, clips=_reachable(preset.clips, chosen))
    counts = preset.clips if choices.clips is None else _asked_counts(preset, choices.clips)
    for split in counts:
        knobs(level_of(chosen, split))
    names = (
        "labelling",
        "ambiguous",
        "style",
        "speech",
        "intervention",
        "long_tail",
        "parent_labels",
        "removed_labels",
    )
    others = {name: own for name in names if (own := getattr(choices, name)) is not None}
    if choices.labelling == "multi":
        others.setdefault("ambiguous", 0.0)
    return _checked(dataclasses.replace(preset, level=chosen, format=form, clips=counts, **others))


def _on_track(preset: Preset, letter: str | None) -> Preset:
    """The preset on a track, with the track's labels and format."""
    if letter is None or letter == preset.track:
        return preset
    own = track_of(letter)
    form = Format(
        preset.format.size,
        own.seconds or preset.format.seconds,
        own.frames_per_second or preset.format.frames_per_second,
    )
    if own.labels is None:
        return dataclasses.replace(preset, track=letter, format=form, ambiguous=0.0)
    return dataclasses.replace(
        preset, track=letter, format=form, classes=own.labels, labelling="single", ambiguous=0.0, cells=False
    )


def _form(form: Format, size: int | None, seconds: float | None) -> Format:
    if size is not None and size not in SIZES:
        raise UsageError(f"picture size {size}", expected=f"one of {', '.join(map(str, SIZES))}")
    if seconds is not None and seconds not in SECONDS:
        raise UsageError(f"clip length {seconds} s", expected=f"one of {', '.join(map(str, SECONDS))}")
    return dataclasses.replace(form, size=size or form.size, seconds=seconds or form.seconds)


def _checked(preset: Preset) -> Preset:
    """The preset, if its options go together.

    Raises:
        UsageError: if they do not.
    """
    if preset.style not in STYLES:
        raise unknown_name(f"style {preset.style!r}", preset.style, STYLES)
    if preset.speech not in ENGINES:
        raise unknown_name(f"speech engine {preset.speech!r}", preset.speech, ENGINES)
    if preset.speech != ENGINES[0] and preset.track not in SPOKEN:
        raise UsageError(f"speech by {preset.speech} on track {preset.track}", expected=f"track {' or '.join(SPOKEN)}")
    if preset.intervention and preset.intervention not in INTERVENTIONS:
        raise unknown_name(f"intervention {preset.intervention!r}", preset.intervention, INTERVENTIONS)
    if not 0 <= preset.ambiguous <= 0.5:
        raise UsageError(f"a share of {preset.ambiguous} ambiguous clips", expected="0 to 0.5, per modality")
    if preset.long_tail < 1:
        raise UsageError(f"a long tail of {preset.long_tail}", expected="at least 1")
    if not 0 <= preset.removed_labels < 1:
        raise UsageError(f"a share of {preset.removed_labels} removed labels", expected="0 or more, below 1")
    if preset.removed_labels and not preset.parent_labels:
        raise UsageError("labels to be removed, but no parent labels", expected="both", cure="--parent-labels")
    if preset.track != "A" and (preset.ambiguous or preset.long_tail > 1 or preset.parent_labels):
        raise UsageError(
            f"ambiguous clips, a long tail or parent labels on track {preset.track}", expected="track A, which has them"
        )
    if preset.ambiguous and preset.labelling == "multi":
        raise UsageError("ambiguous clips with several labels", expected="one label, or no ambiguous clips")
    return preset


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
