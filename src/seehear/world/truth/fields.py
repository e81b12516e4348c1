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

# ------------------------------------------------------------------------------------------- what tracks add to it
CANDIDATES = (
    Field("sound", "text", "to the sound alone", "[*]"),
    Field("picture", "text", "to the picture alone", "[*]"),
)

LOCALISATION = (
    Field("negative", "text", '"off-screen" or "silent": why nothing that is seen sounds', nullable=True),
    Field("static_source", "flag", "whether a loudspeaker plays the sound"),
    Field("area", "number", "of the boxes of what sounds, middle frame, in pictures", nullable=True, range=_SHARE),
    Field("stratum", "text", '"small", "medium" or "large", by that area', nullable=True),
    Field("largest_silent", "flag", "whether the largest body is silent"),
)

SEPARATION = (
    Field("solo", "flag", "whether there is one source only"),
    Field("sources", "integer", "how many"),
    Field("mixture_sdr_db", "number", "of the mixture as an estimate of each source, as drawn", "[*]", unit="dB"),
    Field("ideal_ratio_mask_sdr_db", "number", "of the ideal ratio mask, a ceiling", shape="[*]", unit="dB"),
)

FACTORS = (
    Field("shape", "text", "class that is seen"),
    Field("timbre", "text", "class that is heard"),
    Field("material", "text", '"shiny" or "dull"'),
    Field("shape_bin", "integer", "number of the shape in the label"),
    Field("pitch_bin", "integer", "number of the pitch in the label"),
    Field("size_bin", "integer", "0 small, 1 medium, 2 large"),
)

STREAM = (
    Field("position", "integer", "place in the stream; elsewhere the index"),
    Field("group", "integer", "group of the class"),
    Field("run", "integer", "number of the run of clips that show one individual"),
    Field("place_in_run", "integer", "place in it"),
    Field("cross_fade", "flag", "whether two groups mix where the run lies"),
)

STATE = (
    Field("object", "integer", "the thing"),
    Field("hand", "integer", "the body that is the hand, null where none is seen", nullable=True),
    Field("noun", "text", "what the thing is"),
    Field("verb", "text", "what is done, null where nothing is", nullable=True),
    Field("before", "text", "state before"),
    Field("after", "text", "state after"),
    Field("t_change", "number", "when it changes, null where it does not", unit="s", nullable=True),
    Field("audible", "flag", "whether it is heard"),
    Field("changes_state", "flag", "whether the state changes"),
    Field("contact_times", "number", "when the hand touches the thing", shape="[*]", unit="s"),
)

ACTION = (
    Field("verb", "text", "of the last interaction", nullable=True),
    Field("noun", "text", "of the last interaction"),
    Field("sequence", "text", "actions that took place, in order", shape="[*]"),
    Field("next_verb", "text", "what would come next", nullable=True),
    Field("next_noun", "text", "and with what", nullable=True),
    Field("next_action", "text", "both as one label", nullable=True),
)

WORD = (
    Field("word", "text", "as in the transcript"),
    Field("t_on", "number", "begin", unit="s"),
    Field("t_off", "number", "end", unit="s"),
)

VISEME = (
    Field("viseme", "text", "what the mouth shows"),
    Field("t_on", "number", "begin", unit="s"),
    Field("t_off", "number", "end", unit="s"),
)

SPEECH = (
    Field("transcript", "text", "what is said"),
    Field("template", "integer", "number of the sentence's template", tracks="K"),
    Field("words", "record", "when each word is said", shape="[*]", fields=WORD),
    Field("visemes", "record", "when the mouth shows what; none without phoneme times", shape="[*]", fields=VISEME),
    Field("speaker", "integer", "who speaks"),
    Field("object", "integer", "the face that speaks", tracks="K"),
    Field("emotion", "text", "the label", tracks="K"),
    Field("emotion_in", "text", '"both", "voice" or "face"', tracks="K"),
    Field("faces", "text", "emotion that each face shows", shape="[*]", tracks="K"),
    Field("engine", "text", "who synthesised it"),
    Field("mouth_source", "text", '"phonemes" or "envelope": what the mouth follows', nullable=True),
    Field("mouth_boxes", "number", "as `boxes`, of the speaker's mouth", shape="[T, 4]", tracks="K", range=_SHARE),
)

DIGITS = (
    Field("images", "text", '"real"'),
    Field("sounds", "text", '"synthetic"'),
    Field("shown", "text", "digits on the cards", shape="[*]"),
)

FACTS = (
    Field("label_single", "text", "the one class that the clip counts as", tracks="AKN", optional=True),
    Field("labels_complete", "text", "labels with parents, before any was removed", "[*]", tracks="A", optional=True),
    Field(
        "ambiguous_in",
        "text",
        '"sound", "picture" or "each": what alone cannot tell the label',
        tracks="AJKN",
        optional=True,
        nullable=True,
    ),
    Field("candidates", "record", "the labels that are left", tracks="AJKN", optional=True, fields=CANDIDATES),
    Field("localisation", "record", "where what sounds is seen", tracks="L", fields=LOCALISATION),
    Field("separation", "record", "how far trivial answers go", tracks="P", fields=SEPARATION),
    Field("factors", "record", "what the clip is made of", tracks="J", fields=FACTORS),
    Field("sync_offset", "integer", "steps by which the sound is late", unit="80 ms", tracks="Y", range=(-3, 3)),
    Field("sync_offset_seconds", "number", "the same", unit="s", tracks="Y"),
    Field("stream", "record", "where the clip lies in the stream", tracks="S", fields=STREAM),
    Field("mix", "text", "what kind of interactions the clip has", tracks="I"),
    Field("states", "record", "every interaction", shape="[*]", tracks="I", fields=STATE),
    Field("action", "record", "the last interaction, and what would come next", tracks="I", fields=ACTION),
    Field("speech", "record", "what is said, by whom", tracks="KN", fields=SPEECH),
    Field("digits", "record", "what is real of the clip, and what is shown", tracks="N", fields=DIGITS),
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
