"""Sampling: one clip's scene as a pure function of (preset, split, index, seed), by the sampler of its track."""

from seehear.errors import UsageError
from seehear.world.drawing.draws import Draws
from seehear.world.interventions import intervene
from seehear.world.presets import Preset, resolve
from seehear.world.scenes import Scene
from seehear.world.splits import instances
from seehear.world.tracks import sampler


def scene(preset: str | Preset, split: str, index: int, seed: int = 0) -> Scene:
    """The scene of one clip.

    Args:
        preset: a preset or its name.
        split: "train", "val", "test", "test_iid" or "test_ood" (one level above the preset's).
        index: number of the clip in its split, from 0.
        seed: root seed of the world.

    Raises:
        UsageError: on an unknown preset, track or split, or a negative index or seed.
    """
    preset = resolve(preset)
    if index < 0 or seed < 0:
        raise UsageError(f"index {index}, seed {seed}", expected="both 0 or more")
    instances(split, 1)
    draw = sampler(preset.track)
    found = draw(Draws(preset, split, index, seed))
    if not preset.intervention:
        return found
    return intervene(found, preset.intervention, lambda other: draw(Draws(preset, split, other, seed)))
