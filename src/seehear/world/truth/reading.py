"""The truth of a clip as typed arrays, read from what a manifest, a table or `Rendered.truth` holds.

Legend: N bodies, K sources, E events, T frames.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.truth.schema import check_truth

_HELD = frozenset(
    {"schema", "track", "seed", "index", "objects", "sources", "events", "occlusion", "room", "noise"}
)  # what `Truth` holds under names of its own


@dataclass(frozen=True, eq=False)
class Objects:
    """What is seen, one row per body.

    Attributes:
        classes: `[N]` names.
        instances: int64 `[N]`.
        sizes: float32 `[N]`, in picture widths.
        pitch_hz: float32 `[N]`.
        gloss: float32 `[N]`, 0 to 1.
        sounding: bool `[N]`.
        visible: bool `[N]`: seen in any frame.
        boxes: float32 `[N, T, 4]`: x0, y0, x1, y1 of what is seen, 0 to 1, all 0 where nothing is.
        occlusion: float32 `[N, T]`: hidden share.
    """

    classes: tuple[str, ...]
    instances: ndarray
    sizes: ndarray
    pitch_hz: ndarray
    gloss: ndarray
    sounding: ndarray
    visible: ndarray
    boxes: ndarray
    occlusion: ndarray


@dataclass(frozen=True, eq=False)
class Sources:
    """What is heard, one row per source.

    Attributes:
        classes: `[K]` names.
        instances: int64 `[K]`.
        objects: int64 `[K]`: the body that sounds, -1 off screen.
        near: bool `[K]`: off screen, yet as loud and dry as a body of the picture.
        pitch_hz: float32 `[K]`.
        rms_db: float32 `[K]`: level of the stem.
    """

    classes: tuple[str, ...]
    instances: ndarray
    objects: ndarray
    near: ndarray
    pitch_hz: ndarray
    rms_db: ndarray


@dataclass(frozen=True, eq=False)
class Events:
    """When what sounds, one row per event.

    Attributes:
        kinds: `[E]` names.
        sources: int64 `[E]`.
        t_on: float64 `[E]`, seconds.
        t_off: float64 `[E]`, seconds.
        strength: float32 `[E]`, 0 to 1.
    """

    kinds: tuple[str, ...]
    sources: ndarray
    t_on: ndarray
    t_off: ndarray
    strength: ndarray


@dataclass(frozen=True, eq=False)
class Truth:
    """All that is known of a clip.

    Attributes:
        schema: version of the fields.
        track: letter.
        seed: root seed of the world.
        index: number of the clip in its split.
        level: difficulty, 0 to 3.
        objects: what is seen.
        sources: what is heard.
        events: when what sounds.
        room: `background`, `depth`, `hardness`, `reverberation_seconds`.
        noise: `instance`, `slope_db`, `snr_db`.
        facts: every other field as it stands in the manifest, such as the track's own.
    """

    schema: int
    track: str
    seed: int
    index: int
    level: int
    objects: Objects
    sources: Sources
    events: Events
    room: Mapping[str, float]
    noise: Mapping[str, float]
    facts: Mapping[str, Any]


def read_truth(truth: Mapping[str, Any], *, strict: bool = False) -> Truth:
    """The truth of a clip as arrays.

    Args:
        truth: the `truth` of a manifest line, of a clip of a table, or of `Rendered`.
        strict: refuse fields that are not declared in `truth_fields`.

    Raises:
        DataError: if a field is missing or wrong, or the truth is of another schema version.
    """
    check_truth(truth, strict=strict)
    return Truth(
        schema=truth["schema"],
        track=truth["track"],
        seed=truth["seed"],
        index=truth["index"],
        level=truth["knobs"]["level"],
        objects=_objects(truth),
        sources=_sources(truth["sources"]),
        events=_events(truth["events"]),
        room=truth["room"],
        noise=truth["noise"],
        facts={name: value for name, value in truth.items() if name not in _HELD},
    )


def _objects(truth: Mapping[str, Any]) -> Objects:
    rows = truth["objects"]
    occlusion = np.array(truth["occlusion"], np.float32)
    frames = occlusion.shape[1] if rows else 0
    return Objects(
        classes=_texts(rows, "class"),
        instances=_column(rows, "instance", np.int64),
        sizes=_column(rows, "size"),
        pitch_hz=_column(rows, "pitch_hz"),
        gloss=_column(rows, "gloss"),
        sounding=_column(rows, "sounding", np.bool_),
        visible=_column(rows, "visible", np.bool_),
        boxes=np.array([row["boxes"] for row in rows], np.float32).reshape(len(rows), frames, 4),
        occlusion=occlusion.reshape(len(rows), frames),
    )


def _sources(rows: list[Mapping[str, Any]]) -> Sources:
    return Sources(
        classes=_texts(rows, "class"),
        instances=_column(rows, "instance", np.int64),
        objects=np.array([-1 if row["object"] is None else row["object"] for row in rows], np.int64),
        near=np.array([row.get("near", False) for row in rows], np.bool_),
        pitch_hz=_column(rows, "pitch_hz"),
        rms_db=_column(rows, "rms_db"),
    )


def _events(rows: list[Mapping[str, Any]]) -> Events:
    return Events(
        kinds=_texts(rows, "kind"),
        sources=_column(rows, "source", np.int64),
        t_on=_column(rows, "t_on", np.float64),
        t_off=_column(rows, "t_off", np.float64),
        strength=_column(rows, "strength"),
    )


def _column(rows: list[Mapping[str, Any]], name: str, kind: Any = np.float32) -> ndarray:
    return np.array([row[name] for row in rows], kind)


def _texts(rows: list[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    return tuple(row[name] for row in rows)
