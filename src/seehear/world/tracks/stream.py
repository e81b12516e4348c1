"""Track S: a correlated, drifting stream, as a replay buffer has to cope with (MinRed, ECCV 2022).

In `train` a clip's index is its position in the stream. Two things set it apart from a shuffled data set:

- correlation: the stream comes in runs of 8 to 32 clips (16 on average) of one individual in one room before one
  camera; only when it sounds differs, while pose and light drift slowly;
- drift: the classes are divided into four groups, by lot for each root seed, which follow each other every 480 clips,
  and again after 1,920. In the first 96 clips of a group's time runs of the group before grow rarer and rarer.

All other splits are independent and balanced, as a probe needs them: every clip is a run of its own.

`facts["stream"]`: `position`, `group` (of the class), `run`, `place_in_run`, `cross_fade` (whether the run lies where
two groups mix). All follow from (seed, split, index); nothing walks through the stream.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.world.drawing.draws import Draws
from seehear.world.drawing.placing import INSIDE
from seehear.world.scenes import Body, Grade, Scene
from seehear.world.streams import stream
from seehear.world.truth.nuisance import THUMBNAIL

BLOCK_CLIPS, BLOCK_RUNS, SHORTEST_RUN = 48, 3, 8  # every block of clips holds so many runs, cut by lot
GROUPS, GROUP_CLIPS, FADE = 4, 480, 0.2  # FADE: share of a group's time in which the group before fades
SHIFT, TURN, LIGHT = 0.08, 0.12, 0.5  # farthest drift over a run: picture widths, radians, radians
NEIGHBOURS = 20


@dataclass(frozen=True)
class Run:
    """Neighbouring clips of one thing: number of the run, its first position, how many clips it has."""

    number: int
    first: int
    length: int


def run_at(seed: int, split: str, index: int) -> Run:
    """The run that a position lies in."""
    if split != "train":
        return Run(index, index, 1)
    block, within = divmod(index, BLOCK_CLIPS)
    spare = BLOCK_CLIPS - BLOCK_RUNS * SHORTEST_RUN
    cuts = np.sort(stream(seed, split, "S", "cuts", block).integers(0, spare + 1, BLOCK_RUNS - 1))
    edges = [0, *(int(cut) + SHORTEST_RUN * (k + 1) for k, cut in enumerate(cuts)), BLOCK_CLIPS]
    number = int(np.searchsorted(edges, within, side="right")) - 1
    first, following = edges[number], edges[number + 1]
    return Run(block * BLOCK_RUNS + number, block * BLOCK_CLIPS + first, following - first)


def groups(seed: int, classes: Sequence[str]) -> list[list[str]]:
    """The classes in four groups, in the order in which the stream shows them."""
    order = stream(seed, "S", "groups").permutation(len(classes))
    return [[classes[k] for k in sorted(part)] for part in np.array_split(order, GROUPS)]


def _subject(seed: int, split: str, run: Run, members: list[list[str]]) -> tuple[str, bool]:
    """The class that a run of the stream shows, and whether it lies where two groups mix."""
    number, since = divmod(run.first, GROUP_CLIPS)
    risen = since / (FADE * GROUP_CLIPS)
    fading = number > 0 and risen < 1
    if fading and stream(seed, split, "S", "fade", run.number).uniform() >= risen:
        number -= 1
    own = members[number % GROUPS]
    order = stream(seed, split, "S", "class", run.number // len(own)).permutation(len(own))
    return own[int(order[run.number % len(own)])], fading


def sample(draws: Draws) -> Scene:
    """A clip of track S."""
    classes, members = draws.preset.classes, groups(draws.seed, draws.preset.classes)
    run = run_at(draws.seed, draws.split, draws.index)
    place = draws.index - run.first
    label, fading = classes[draws.index % len(classes)], False
    if draws.split == "train":
        label, fading = _subject(draws.seed, draws.split, run, members)
    first = dataclasses.replace(draws, index=run.first)  # what a run shares is drawn as for its first clip
    drift = first.stream("drift").uniform(-1, 1, 4) * ((place + 0.5) / run.length - 0.5)
    bodies = [_drifted(body, drift) for body in first.bodies(first.company(label, classes))]
    return draws.scene(
        bodies,
        (draws.source(bodies[0], 0),),
        background=first.background(),
        noise=dataclasses.replace(first.noise(), seed=draws.child_seed("noise", "own")),
        grade=_relit(first.grade(), drift, draws.child_seed("grade")),
        facts={
            "stream": {
                "position": draws.index,
                "group": next(k for k, own in enumerate(members) if label in own),
                "run": run.number,
                "place_in_run": place,
                "cross_fade": fading,
            }
        },
    )


def _drifted(body: Body, drift: ndarray) -> Body:
    """A body moved and turned a little, still inside the picture."""
    edge = INSIDE * body.size
    x, y = (float(np.clip(at + SHIFT * by, edge, 1 - edge)) for at, by in zip((body.x, body.y), drift, strict=False))
    angle = body.angle + TURN * float(drift[2])
    return dataclasses.replace(body, x=round(x, 6), y=round(y, 6), angle=round(angle, 6))


def _relit(grade: Grade, drift: ndarray, seed: int) -> Grade:
    return dataclasses.replace(grade, light=round(grade.light + LIGHT * float(drift[3]), 6), seed=seed)


def baselines(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Accuracy of the class in each split but `train`: chance, and the vote of the nearest training pictures.

    Pictures are the grey thumbnails (8 x 8) of the middle frames, less their mean, compared by cosine.
    """
    classes = sorted({record["labels"][0] for record in records})
    label = np.array([classes.index(record["labels"][0]) for record in records])
    split = np.array([record["split"] for record in records])
    picture = np.array([_thumbnail(record) for record in records])
    known, found = np.flatnonzero(split == "train"), {}
    for name in sorted(set(split) - {"train"}):
        own = np.flatnonzero(split == name)
        accuracy: dict[str, float] = {"chance": round(1 / len(classes), 4)}
        if len(known) >= NEIGHBOURS:
            near = np.argsort(-picture[own] @ picture[known].T, axis=1, kind="stable")[:, :NEIGHBOURS]
            votes = (label[known][near][..., None] == np.arange(len(classes))).sum(axis=1)
            accuracy[f"{NEIGHBOURS} nearest thumbnails"] = round(float(np.mean(votes.argmax(axis=1) == label[own])), 4)
        found[f"class, {name}"] = accuracy
    return found


def _thumbnail(record: dict[str, Any]) -> ndarray:
    """A clip's middle picture `[64]`, mean 0, length 1."""
    grey = np.frombuffer(bytes.fromhex(record["nuisance"]["signature"]), np.uint8)[: THUMBNAIL**2].astype(float)
    grey -= grey.mean()
    return grey / (np.linalg.norm(grey) + 1e-9)
