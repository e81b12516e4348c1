"""The scene model: everything a clip shows and sounds like, as plain numbers, before anything is drawn.

A scene is background + camera + objects + sources + events + noise + picture grade. It is a pure function of
(seed, split, track, index), holds no arrays, and turns into JSON as it stands; its hash names the clip's content.

Lengths are fractions of the picture's width, positions fractions of width and height from the top left, times
seconds, angles radians, colours (hue, saturation, value) in 0 to 1.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

LATER = {
    "later": True
}  # marks a field that came after worlds were published: left out of the plain values at its default

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Format:
    """Picture and sound format of a clip; sample and frame counts are whole numbers on purpose."""

    size: int = 96
    seconds: float = 3.2
    frames_per_second: tuple[int, int] = (25, 2)
    sample_rate: int = 16_000

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return round(self.seconds * self.frames_per_second[0] / self.frames_per_second[1])

    @property
    def samples(self) -> int:
        """Number of sound samples."""
        return round(self.seconds * self.sample_rate)


@dataclass(frozen=True)
class Instance:
    """One individual of a class: its shape code, its shine (which also sets how long it rings), its private seed."""

    kind: str
    number: int
    code: tuple[float, ...]
    gloss: float
    seed: int


@dataclass(frozen=True)
class Body:
    """A visible object: `pitch_hz` follows from its size.

    `palette` holds the colours of the roles in `colour.ROLES`, drawn by one law for all classes. `manner` is what it
    shows beyond its kind: of a face, the emotion.
    """

    instance: Instance
    size: float
    pitch_hz: float
    x: float
    y: float
    angle: float
    flip: bool
    palette: tuple[Colour, ...]
    texture_seed: int
    manner: str = field(default="", metadata=LATER)


@dataclass(frozen=True)
class Source:
    """A sounding thing: the body it belongs to, or None where it is off screen.

    `near`: off screen, yet heard as if it stood in the picture. `manner`: what is heard beyond its kind: of a voice,
    the emotion.
    """

    instance: Instance
    body: int | None
    pitch_hz: float
    gain_db: float
    seed: int
    near: bool = field(default=False, metadata=LATER)
    manner: str = field(default="", metadata=LATER)


@dataclass(frozen=True)
class Event:
    """One sounding event of a source. `strength` is 0 to 1; `side` alternates (bow direction, left or right stick)."""

    source: int
    kind: str
    start_seconds: float
    stop_seconds: float
    strength: float
    side: int


@dataclass(frozen=True)
class Background:
    """A room seen in one-point perspective. Depth and hardness are visible and set the reverberation time."""

    instance: int
    depth: float
    hardness: float
    pattern: float
    vanish_x: float
    vanish_y: float
    reverberation_seconds: float
    palette: tuple[Colour, ...]
    seed: int


@dataclass(frozen=True)
class Noise:
    """Background noise: spectral slope in dB per octave, and its level below the sounding mixture in dB."""

    instance: int
    slope_db: float
    snr_db: float
    seed: int


@dataclass(frozen=True)
class Grade:
    """Class-independent picture and sound levels that every clip is brought to."""

    mean_rgb: Colour
    contrast: float
    loudness_db: float
    light: float
    shake: float
    seed: int


@dataclass(frozen=True)
class Shot:
    """What the camera sees from `start_seconds` on, until the next shot or the clip's end.

    `first` and `last` are views (x, y of the middle, zoom; zoom 1 shows the whole picture), passed at even speed.
    """

    start_seconds: float
    first: tuple[float, float, float]
    last: tuple[float, float, float]


@dataclass(frozen=True)
class Board:
    """A plain board that slides before one body and hides it whole from `start_seconds` to `stop_seconds`."""

    body: int
    start_seconds: float
    stop_seconds: float
    from_left: bool
    colour: Colour
    seed: int


@dataclass(frozen=True)
class Mime:
    """A silent body that moves at `events`: as if it sounded, or, where they are of kind "miss", missing its target."""

    body: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Intervention:
    """One thing of a clip changed on purpose (see `interventions`).

    Attributes:
        name: which.
        parameters: how, JSON-ready.
        other: the scene that gives the sound (swap).
    """

    name: str
    parameters: dict[str, Any]
    other: "Scene | None" = None


@dataclass(frozen=True)
class Scene:
    """A whole clip as numbers.

    Attributes:
        labels: what the clip counts as, without repeats: in tracks of things, classes that sound.
        style: how it is painted (see `styles`).
        facts: truth that belongs to the clip's track, JSON-ready; it becomes part of the clip's truth.
        margins_seconds: for how long the scene goes on before its first and after its last picture; events may lie
            there.
        sound_offset_seconds: how much later everything is heard than seen, within the margins; negative is sooner.
        intervention: what was changed of the clip that it would otherwise be.
    """

    id: str
    seed: int
    split: str
    track: str
    index: int
    level: int
    format: Format
    background: Background
    noise: Noise
    grade: Grade
    bodies: tuple[Body, ...]
    sources: tuple[Source, ...]
    events: tuple[Event, ...]
    labels: tuple[str, ...]
    caption: str
    caption_template: int
    shots: tuple[Shot, ...] = field(default=(), metadata=LATER)
    board: Board | None = field(default=None, metadata=LATER)
    mimes: tuple[Mime, ...] = field(default=(), metadata=LATER)
    style: str = field(default="textured", metadata=LATER)
    facts: dict[str, Any] = field(default_factory=dict, metadata=LATER)
    margins_seconds: tuple[float, float] = field(default=(0.0, 0.0), metadata=LATER)
    sound_offset_seconds: float = field(default=0.0, metadata=LATER)
    intervention: Intervention | None = field(default=None, metadata=LATER)

    def to_dict(self) -> dict[str, Any]:
        """The scene as plain JSON-ready values."""
        return plain(self)

    def hash(self, version: int) -> str:
        """A short hash of the scene under one version of the generator."""
        text = json.dumps([version, self.to_dict()], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def plain(value: Any) -> Any:
    """A dataclass as nested plain values, without `LATER` fields at their default."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    own = {f: getattr(value, f.name) for f in dataclasses.fields(value)}
    return {f.name: plain(held) for f, held in own.items() if not (f.metadata.get("later") and held == _default(f))}


def _default(own: dataclasses.Field) -> Any:
    return own.default if own.default_factory is dataclasses.MISSING else own.default_factory()
