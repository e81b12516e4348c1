"""Interventions: views of the same clips with one thing changed, to see what a network goes by.

A network that only guesses from the picture does not notice that the sound is missing (mute), that it belongs to
another clip (swap) or comes late (shift); one that goes by colour, by the order of frames or by bystanders shows it in
the other three. An intervention is part of the scene, so its clips are as reproducible as any; a view keeps the ids,
indices, labels and captions of the clips it is made from.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from seehear.configuration import unknown_name
from seehear.errors import DataError, UsageError
from seehear.world.scenes import Intervention, Scene
from seehear.world.streams import stream

INTERVENTIONS = {
    "mute": "only the background noise is heard",
    "swap": "the sound is that of another clip of the same split, whose labels are others",
    "shift": "every source sounds 0.16 to 0.64 s later than it moves",
    "grey": "pictures without colour",
    "shuffle": "frames in random order",
    "without_distractors": "silent bodies are not there",
}
SHIFT_SECONDS = (0.16, 0.64)
NEIGHBOURS = 64  # swapped sounds come from the same stretch of that many clips


def intervene(scene: Scene, name: str, clip: Callable[[int], Scene] | None = None) -> Scene:
    """The same scene with one thing changed; `render` carries it out.

    Args:
        scene: a scene without an intervention.
        name: one of `INTERVENTIONS`.
        clip: another scene of the same world and split by its index; only `swap` asks for it.

    Raises:
        UsageError: if there is no such intervention, the scene has one already, `swap` has no `clip`, or the sound is
            to be shifted where the scene's track has shifted it (Y).
        DataError: if no other clip nearby fits (swap).
    """
    if name not in INTERVENTIONS:
        raise unknown_name(f"intervention {name!r}", name, INTERVENTIONS)
    if scene.intervention is not None:
        raise UsageError(f"clip {scene.id} with {scene.intervention.name}", expected="a clip as it was drawn")
    other: Scene | None = None
    parameters: dict[str, Any] = {}
    rng = stream(scene.seed, scene.split, scene.track, scene.index, "intervention", name)
    if name == "swap":
        if clip is None:
            raise UsageError("swap without other clips", expected="`clip`: a scene by its index")
        other = _stranger(scene, clip, rng.permutation(NEIGHBOURS).tolist())
        parameters = {"clip": other.id, "labels": list(other.labels)}
    elif name == "shift":
        if any(scene.margins_seconds):
            raise UsageError(
                f"clip {scene.id}, whose sound track {scene.track} shifts by itself", expected="a clip in step"
            )
        samples = round(rng.uniform(*SHIFT_SECONDS) * scene.format.sample_rate)
        parameters = {"seconds": samples / scene.format.sample_rate}
    elif name == "shuffle":
        parameters = {"order": rng.permutation(scene.format.frames).tolist()}
    elif name == "without_distractors":
        heard = {source.body for source in scene.sources}
        parameters = {"removed": [number for number in range(len(scene.bodies)) if number not in heard]}
    return dataclasses.replace(scene, intervention=Intervention(name, parameters, other))


def _stranger(scene: Scene, clip: Callable[[int], Scene], order: list[int]) -> Scene:
    """A sounding scene nearby with other labels; if one can be found, one whose sources fit no body of the picture."""
    start = scene.index - scene.index % NEIGHBOURS
    seen = {body.instance.kind for body in scene.bodies}
    fallback: Scene | None = None
    for step in order:
        other = clip(start + step)
        if not other.sources or set(other.labels) & set(scene.labels):
            continue
        if not seen & {source.instance.kind for source in other.sources}:
            return other
        fallback = fallback or other
    if fallback is None:
        raise DataError(
            f"every clip near {scene.id} has a label of its own ({', '.join(scene.labels)})",
            expected="a clip with other labels",
            cause="this track or preset has too few labels for swapped sounds",
        )
    return fallback
