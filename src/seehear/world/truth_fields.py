"""What the truth of a clip holds: every field declared once, for the check, the readers and the documentation.

Legend: N bodies, K sources, E events, T frames. A shape's letter stands for the same number all over one clip; "*" is
any number. Other letters count what the field itself is about.

To add a field: enter it here (a track's own under `FACTS`) and raise `SCHEMA_VERSION` if old readers would go wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        name: its key.
        kind: of one value; a "record" has `fields`, "any" is some JSON value.
        meaning: one clause.
        shape: of a list of values, such as "[T, 4]"; "" for a single value. Records have one axis at most.
        unit: of the value, or "".
        tracks: letters of the tracks that have it; "" for all.
        optional: it may be missing.
        nullable: it may be null.
        range: least and greatest value.
        fields: what a record holds.
    """

    name: str
    kind: Literal["number", "integer", "text", "flag", "record", "any"]
    meaning: str
    shape: str = ""
    unit: str = ""
    tracks: str = ""
    optional: bool = False
    nullable: bool = False
    range: tuple[float, float] | None = None
    fields: tuple["Field", ...] = ()

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of its shape."""
        return tuple(self.shape.strip("[]").split(", ")) if self.shape else ()


_SHARE = (0.0, 1.0)
_LENGTH = "picture widths"

OBJECT = (
    Field("id", "integer", "its place in the list"),
    Field("class", "text", "what it is"),
    Field("instance", "integer", "which individual of its class"),
    Field("size", "number", "its size", unit=_LENGTH),
    Field("pitch_hz", "number", "the pitch that its size gives it", unit="Hz"),
    Field("gloss", "number", "how much it shines", range=_SHARE),
    Field("sounding", "flag", "whether a source belongs to it"),
    Field("visible", "flag", "whether any pixel of it is seen in any frame"),
    Field("occlusion", "number", "hidden share of all its pixels over the clip", range=_SHARE),
    Field(
        "boxes",
        "number",
        "x0, y0, x1, y1 around what is seen of it, all 0 where nothing is",
        shape="[T, 4]",
        unit="shares of width and height, from the top left",
        range=_SHARE,
    ),
)

SOURCE = (
    Field("id", "integer", "its place in the list"),
    Field("object", "integer", "the body that sounds, null off screen", nullable=True),
    Field("class", "text", "what is heard"),
    Field("instance", "integer", "which individual of its class"),
    Field("on_screen", "flag", "whether it is a body of the picture"),
    Field("near", "flag", "off screen, yet as loud and dry as a body of the picture", optional=True),
    Field("pitch_hz", "number", "its pitch", unit="Hz"),
    Field("rms_db", "number", "level of its stem", unit="dB of full scale"),
)

EVENT = (
    Field("source", "integer", "the source that sounds"),
    Field("kind", "text", "what happens"),
    Field("t_on", "number", "when it begins, exact, between frames", unit="s"),
    Field("t_off", "number", "when its cause ends (what rings may go on)", unit="s"),
    Field("strength", "number", "how hard", range=_SHARE),
)

ROOM = (
    Field("background", "integer", "which room"),
    Field("depth", "number", "how deep it looks", range=_SHARE),
    Field("hardness", "number", "0 hung with cloth, 1 tiled", range=_SHARE),
    Field("reverberation_seconds", "number", "time in which sound falls by 60 dB", unit="s"),
)

NOISE = (
    Field("instance", "integer", "which noise"),
    Field("slope_db", "number", "tilt of its spectrum", unit="dB per octave"),
    Field("snr_db", "number", "level of what sounds above it, null where nothing does", unit="dB", nullable=True),
)

SHOT = (
    Field("start_seconds", "number", "from when on", unit="s"),
    Field("first", "number", "view at its beginning: x and y of the middle, zoom (1 shows all)", shape="[3]"),
    Field("last", "number", "view at its end", shape="[3]"),
)

BOARD = (
    Field("body", "integer", "the body that it hides"),
    Field("start_seconds", "number", "from when on the body is hidden whole", unit="s"),
    Field("stop_seconds", "number", "until when", unit="s"),
    Field("from_left", "flag", "which side it slides in from"),
    Field("colour", "number", "hue, saturation, value", shape="[3]", range=_SHARE),
    Field("seed", "integer", "of its grain"),
)

MIME = (
    Field("object", "integer", "the silent body that moves"),
    Field("times", "number", "when it moves as if it sounded, or stops short of its target", shape="[*]", unit="s"),
)

KNOBS = (
    Field("level", "integer", "difficulty", range=(0, 3)),
    Field("bodies", "integer", "least and most bodies", shape="[2]"),
    Field("sources", "integer", "least and most sources of clips with several labels", shape="[2]"),
    Field("silent_share", "number", "clips that may hold silent bodies besides", range=_SHARE),
    Field("off_screen_share", "number", "clips with a source off screen", range=_SHARE),
    Field("sizes", "number", "of a body alone", shape="[2]", unit=_LENGTH),
    Field("snr_db", "number", "as in `noise`", shape="[2]", unit="dB"),
    Field("most_covered", "number", "share of a body that another may cover, both as squares", range=_SHARE),
    Field("shake", "number", "of the camera", unit=_LENGTH),
    Field("spread", "number", "how much individuals differ; 1 is all of the shape code"),
    Field("twin_share", "number", "clips with a silent twin of what sounds", optional=True, range=_SHARE),
    Field("mime_share", "number", "clips in which a silent striker moves but misses", optional=True, range=_SHARE),
    Field("camera_moves", "integer", "how many of pan and zoom a shot makes", optional=True),
    Field("shots", "integer", "number of shots", optional=True),
    Field("hidden_seconds", "number", "for how long a board hides one body", unit="s", optional=True),
)

INTERVENTION = (
    Field("name", "text", "which"),
    Field("parameters", "any", "how: `clip`, `labels` (swap), `seconds` (shift), `order` (shuffle), `removed`"),
    Field("before", "any", "fields that it changed or took away, as they were"),
)

COMMON = (
    Field("schema", "integer", "version of this table"),
    Field("track", "text", "letter of the clip's track"),
    Field("seed", "integer", "root seed of the world"),
    Field("index", "integer", "number of the clip in its split"),
    Field("objects", "record", "what is seen", shape="[N]", fields=OBJECT),
    Field("sources", "record", "what is heard", shape="[K]", fields=SOURCE),
    Field("events", "record", "when what sounds", shape="[E]", fields=EVENT),
    Field("occlusion", "number", "hidden share of each body in each frame", shape="[N, T]", range=_SHARE),
    Field("room", "record", "the room", fields=ROOM),
    Field("noise", "record", "the background noise", fields=NOISE),
    Field("knobs", "record", "the difficulty and what it sets (see `levels`)", fields=KNOBS),
    Field("caption_template", "integer", "which template the caption was made from"),
    Field("shots", "record", "the camera's path; levels 2 and 3", shape="[*]", optional=True, fields=SHOT),
    Field("board", "record", "what hides a body; level 3", optional=True, nullable=True, fields=BOARD),
    Field("mimes", "record", "silent bodies that move", shape="[*]", optional=True, fields=MIME),
    Field("intervention", "record", "what was changed of the clip", optional=True, fields=INTERVENTION),
)

CANDIDATES = (
    Field("sound", "text", "to the sound alone", "[*]"),
    Field("picture", "text", "to the picture alone", "[*]"),
)

FACTS = (
    Field("label_single", "text", "the one class that the clip counts as", tracks="A", optional=True),
    Field("labels_complete", "text", "labels with parents, before any was removed", "[*]", tracks="A", optional=True),
    Field(
        "ambiguous_in",
        "text",
        '"sound" or "picture": which alone cannot tell',
        tracks="A",
        optional=True,
        nullable=True,
    ),
    Field("candidates", "record", "the classes that are left", tracks="A", optional=True, fields=CANDIDATES),
)

FIELDS = (*COMMON, *FACTS)


def lines(fields: tuple[Field, ...] = FIELDS, under: str = "") -> Iterator[tuple[str, Field]]:
    """Every field with its path, records before what they hold."""
    for own in fields:
        yield under + own.name, own
        yield from lines(own.fields, f"{under}{own.name}{'[]' if own.shape else ''}.")


def table() -> str:
    """All fields as a Markdown table."""
    rows = ["| field | type | unit | tracks | meaning |", "|---|---|---|---|---|"]
    for path, own in lines():
        kind = " ".join([own.kind, *([own.shape] if own.shape else [])])
        notes = "".join([", or null" if own.nullable else "", ", optional" if own.optional else ""])
        limits = "{:g} to {:g}".format(*own.range) if own.range else ""
        unit = "; ".join(part for part in (own.unit, limits) if part)
        rows.append(f"| `{path}` | {kind}{notes} | {unit} | {own.tracks or 'all'} | {own.meaning} |")
    return "\n".join(rows) + "\n"
