"""Track L: two or more things of different classes are seen, one or two of them sound; where is the sound?

The region to be found is what the visible boxes of the sounding bodies cover at the middle frame. Its share of the
picture has three strata, drawn evenly. `large` is where a map of half the picture can reach an overlap of 0.5 wherever
the body stands, so figures are given per stratum.

What must not tell which body sounds:

- motion: silent bodies mostly move as if they sounded; in some clips a loudspeaker sounds, which never moves, and
  about as often one stands there silent;
- size: in half of the clips the largest body is silent;
- that there is a sound: in some clips the only source is off screen, in some nothing sounds, with bodies as ever.

What is heard comes from the visible body of its class if there is one, else from a loudspeaker, else from off screen.

`facts["localisation"]`: `negative` (None, "off-screen" or "silent"), `static_source`, and read off the painted boxes
`area` (of the region), `stratum` (both None where nothing seen sounds) and `largest_silent`.
"""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.random import Generator

from seehear.errors import DataError
from seehear.world.drawing.cells import attempts, exhausted
from seehear.world.drawing.draws import PITCH_SIZES, Draws
from seehear.world.drawing.tagging import class_of, shuffled
from seehear.world.painting.picture import Pictures
from seehear.world.scenes import Body, Mime, Scene, Source
from seehear.world.streams import stream
from seehear.world.truth.facts import boxes

SPEAKER = "loudspeaker"
LARGE, SMALL = 0.25, 0.1  # areas from which a region is large, and below which it is small
AREAS = {"small": (0.055, 0.09), "medium": (0.12, 0.225), "large": (0.277, 0.303)}  # drawn with room to the limits
LEAST_AREA, MOST_AREA, MOST_FILLED = 0.045, 0.34, 0.75  # of one body, and of all together
SIDE_SPREAD = 0.03  # of a body's size about that of its area: more than one parameter cell
APART = 1.12  # the largest body has at least this many times the area of what it is compared with
OFF_SCREEN, SILENT, STATIC = 0.1, 0.1, 0.15  # shares of all clips
SPEAKER_BESIDE = 0.2  # share of clips that could hold a silent loudspeaker and do
TWO_SOURCES, MOVING = 0.4, 0.95  # share of clips with room for a second source; share of silent bodies that move
SPARE = 0.5  # share of clips with one silent body more
GRID = 64  # points a side on which regions are compared
BOX_FILL = {  # area of the visible box, in squares of the body's size
    "bell": 0.91, "wood bar": 0.9, "drum": 0.99, "lute": 1.21, "fiddle": 0.85, "rain": 1.01, "engine": 0.99,
    "bird": 0.9, "glass cup": 0.85, "ceramic bell": 0.92, "harp": 0.98, "flute": 0.84, "horn": 0.75, "fan": 0.75,
    "fire": 0.86, "shaker": 0.48, "dog": 0.84, "frog": 0.91, "ball": 1.03, "walker": 0.87, SPEAKER: 0.87,
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ sampling
@dataclass(frozen=True)
class Cast:
    """Who is seen and heard: (class, area) of every body, the first `sounding` of which sound, or would in a negative.

    `played`: the class that the first body plays where that is a loudspeaker. `unseen`: what sounds off screen.
    """

    seen: tuple[tuple[str, float], ...]
    sounding: int
    negative: str | None
    played: str | None
    unseen: str | None


def sample(draws: Draws) -> Scene:
    """A clip of track L."""
    cast, bodies = _seen(draws)
    sources = draws.sources(bodies, 0 if cast.negative else cast.sounding, cast.unseen)
    if cast.played is not None:
        sources = (_playing(draws, cast.played, sources[0]), *sources[1:])
    facts = {
        "localisation": {
            "stratum": None,
            "negative": cast.negative,
            "static_source": cast.played is not None,
            "largest_silent": True,
            "area": None,
        }
    }
    return draws.scene(bodies, sources, facts=facts, mimes=_movers(draws, bodies, sources))


def _seen(draws: Draws) -> tuple[Cast, tuple[Body, ...]]:
    """The cast and its bodies, with other areas where a body of these has no parameter cell in the split."""
    for path in attempts(("areas",)):
        cast = _cast(draws, draws.stream(*path))
        with suppress(DataError):
            return cast, draws.placed([_body(draws, k, *own, len(cast.seen)) for k, own in enumerate(cast.seen)])
    raise exhausted("a clip of track L", draws.split)


def _body(draws: Draws, number: int, name: str, area: float, count: int) -> Body:
    side = (area / BOX_FILL[name]) ** 0.5
    return draws.body(number, name, count, sizes=(side * (1 - SIDE_SPREAD), side * (1 + SIDE_SPREAD)))


def _cast(draws: Draws, areas_rng: Generator) -> Cast:
    preset, rng = draws.preset, draws.stream("cast")
    first = class_of(preset, draws.split, draws.index, draws.seed)
    order = [first, *(name for name in shuffled(rng, preset, draws.split, draws.seed) if name != first)]
    place = rng.uniform()
    negative = "off-screen" if place < OFF_SCREEN else "silent" if place < OFF_SCREEN + SILENT else None
    static = negative is None and place < OFF_SCREEN + SILENT + STATIC
    beside = rng.uniform() < SPEAKER_BESIDE and not static and negative != "off-screen"
    sounding, areas = _areas(areas_rng)
    heard, silent = order[:sounding], order[sounding : len(areas)]
    unseen = order[len(areas)] if negative == "off-screen" else None
    if beside:
        silent[int(rng.integers(len(silent)))] = SPEAKER
    names = [SPEAKER if static and name == first else name for name in heard] + silent
    return Cast(tuple(zip(names, areas, strict=True)), sounding, negative, first if static else None, unseen)


def _areas(rng: Generator) -> tuple[int, list[float]]:
    """How many bodies sound, and the area of every body, sounding ones first; at least one is silent."""
    stratum = str(rng.choice(list(AREAS)))
    total = rng.uniform(*AREAS[stratum])
    largest_silent, spare = rng.uniform() < 0.5, rng.uniform() < SPARE
    shares = [1.0]
    if stratum != "small" and rng.uniform() < TWO_SOURCES:
        half = rng.uniform(0.42, 0.58)
        shares = [half, 1 - half]
    heard = [total * share for share in shares]
    if largest_silent:
        silent = [rng.uniform(APART * max(heard), MOST_AREA)]
    else:
        silent = [rng.uniform(LEAST_AREA, max(heard) / APART)]
    room = min(MOST_FILLED - total - silent[0], max(silent[0], max(heard) / APART))
    if spare and room > LEAST_AREA:
        silent.append(rng.uniform(LEAST_AREA, room))
    return len(heard), [round(float(area), 6) for area in (*heard, *silent)]


def _playing(draws: Draws, name: str, silent: Source) -> Source:
    """A loudspeaker's source, playing an individual of a class at any pitch that the class has."""
    unseen = draws.body("played", name, 1, sizes=PITCH_SIZES, unseen=True)
    return dataclasses.replace(silent, instance=unseen.instance, pitch_hz=unseen.pitch_hz)


def _movers(draws: Draws, bodies: Sequence[Body], sources: Sequence[Source]) -> tuple[Mime, ...]:
    """The silent bodies that move as if they sounded."""
    rng, sounding = draws.stream("movers"), {source.body for source in sources}
    moving = [rng.uniform() < MOVING for _ in bodies]
    return tuple(
        Mime(k, tuple(draws.rhythm(body.instance, -1, "events", "mime", k)))
        for k, body in enumerate(bodies)
        if moving[k] and k not in sounding and body.instance.kind != SPEAKER
    )


# --------------------------------------------------------------------------------------------------------------- truth
def measure(scene: Scene, pictures: Pictures, stems: dict[str, ndarray]) -> dict[str, Any]:
    """The facts that are read off the painted boxes at the middle frame."""
    del stems
    found = boxes(pictures.masks[:, pictures.masks.shape[1] // 2])
    sounding = [k for k in range(len(found)) if any(source.body == k for source in scene.sources)]
    sizes = (found[:, 2:] - found[:, :2]).prod(axis=1)
    area = covered_area(found[sounding])
    return {
        "localisation": scene.facts["localisation"]
        | {
            "stratum": stratum_of(area) if area else None,
            "largest_silent": int(sizes.argmax()) not in sounding,
            "area": round(area, 4) if area else None,
        }
    }


def stratum_of(area: float) -> str:
    """The stratum of a region that covers a share `area` of the picture."""
    return "large" if area >= LARGE else "small" if area < SMALL else "medium"


def covered_area(found: ndarray) -> float:
    """Share of the picture under any of some boxes `[N, 4]`, exact."""
    xs, ys = (np.unique(found[:, k::2]) for k in (0, 1))
    x, y = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    return float(np.diff(ys) @ _under(found, x, y) @ np.diff(xs))


def _under(found: ndarray, x: ndarray, y: ndarray) -> ndarray:
    """Which points of a grid `[y, x]` lie in any of some boxes `[N, 4]`."""
    wide = (found[:, 0, None] <= x) & (x < found[:, 2, None])
    high = (found[:, 1, None] <= y) & (y < found[:, 3, None])
    return np.any(high[:, :, None] & wide[:, None], axis=0)


# ----------------------------------------------------------------------------------------------------------- baselines
def baselines(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What answers without listening reach, over manifest records of this track.

    "ciou" is the share of clips in which the answered region overlaps the true one by half or more (intersection over
    union), "pointing" the share in which its middle, for the whole picture any point, lies in the true one. Clips in
    which nothing seen sounds at the middle frame count only under "negatives".

    Returns:
        Per answer ("centre_disc" of half the picture's area, "whole_image", "random_box" between two random corners,
        "largest_object", "shuffled_audio": any object, each equally likely, exact) and per stratum, with "all":
        `ciou` and `pointing`; of "negatives" their `share`, the `false_positive_rate` of always answering, and the
        average precision `ap` of a constant confidence.
    """
    clips = [item["truth"] for item in records]
    positive = [clip for clip in clips if clip["localisation"]["stratum"] is not None]
    scores = [_answers(clip, stream(clip["seed"], "random box", clip["index"])) for clip in positive]
    strata = [clip["localisation"]["stratum"] for clip in positive]
    found: dict[str, dict[str, Any]] = {name: {} for name in (scores[0] if scores else ())}
    for stratum in ("all", *AREAS):
        own = [score for score, where in zip(scores, strata, strict=True) if stratum in ("all", where)]
        for name in found if own else ():
            ciou, pointing = np.mean([score[name] for score in own], axis=0)
            found[name][stratum] = {"ciou": round(float(ciou), 4), "pointing": round(float(pointing), 4)}
    share = 1 - len(positive) / len(clips) if clips else 0.0
    found["negatives"] = {"share": round(share, 4), "false_positive_rate": 1.0, "ap": round(1 - share, 4)}
    return found


def _answers(clip: dict[str, Any], rng: Generator) -> dict[str, tuple[float, float]]:
    """Whether each answer overlaps the true region by half, and hits it: (0 or 1, 0 or 1), or their expectation."""
    middle = len(clip["objects"][0]["boxes"]) // 2
    every = np.array([item["boxes"][middle] for item in clip["objects"]])
    sounding = every[[item["sounding"] for item in clip["objects"]]]
    points = (np.arange(GRID) + 0.5) / GRID
    true = _under(sounding, points, points)
    disc = np.hypot(points[:, None] - 0.5, points - 0.5) < (0.5 / np.pi) ** 0.5
    area = (every[:, 2:] - every[:, :2]).prod(axis=1)
    corners = np.sort(rng.uniform(size=(2, 2)), axis=0)
    objects = [_scored(box[None], sounding, true) for box in every[area > 0]]
    return {
        "centre_disc": (_overlap(disc, true), float(_under(sounding, np.array([0.5]), np.array([0.5]))[0, 0])),
        "whole_image": (_overlap(np.ones_like(true), true), float(true.mean())),
        "random_box": _scored(corners.reshape(1, 4), sounding, true),
        "largest_object": _scored(every[[area.argmax()]], sounding, true),
        "shuffled_audio": (float(np.mean([a for a, _ in objects])), float(np.mean([b for _, b in objects]))),
    }


def _scored(box: ndarray, sounding: ndarray, true: ndarray) -> tuple[float, float]:
    """The scores of a box `[1, 4]` as an answer."""
    points = (np.arange(GRID) + 0.5) / GRID
    x, y = (box[0, :2] + box[0, 2:]) / 2
    return _overlap(_under(box, points, points), true), float(_under(sounding, np.array([x]), np.array([y]))[0, 0])


def _overlap(answer: ndarray, true: ndarray) -> float:
    """1 where two regions overlap by half or more."""
    return float((answer & true).sum() >= 0.5 * (answer | true).sum())
