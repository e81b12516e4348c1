"""From a scene to arrays: pictures, sound, stems, masks and truth. Needs NumPy and scipy.signal only.

Legend: T frames, H W picture, S samples, N bodies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

from seehear.world import altering
from seehear.world.painting.picture import paint
from seehear.world.presets import Preset, resolve
from seehear.world.sampling import scene as sample
from seehear.world.scenes import Scene
from seehear.world.sounds.mixing import mix
from seehear.world.splits import instances
from seehear.world.truth.facts import truth
from seehear.world.truth.nuisance import nuisance


@dataclass(frozen=True)
class Rendered:
    """One clip as arrays.

    Attributes:
        scene: what was rendered.
        pixels: `[T, H, W, 3]` uint8.
        waveform: `[S]` float32 in -1 to 1: the exact sum of the stems.
        stems: `[S]` float32 per source ("source 0", ...) and "background".
        masks: visible pixels of each body, bool `[N, T, H, W]`; no pixel belongs to two bodies.
        whole: the same with what others hide of it.
        truth: objects with boxes, sources, events, room, noise, knobs.
        nuisance: features that must not tell the class.
    """

    scene: Scene
    pixels: ndarray
    waveform: ndarray
    stems: dict[str, ndarray]
    masks: ndarray
    whole: ndarray
    truth: dict[str, Any]
    nuisance: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the clip, unique in its world."""
        return self.scene.id

    @property
    def labels(self) -> tuple[str, ...]:
        """Classes that sound."""
        return self.scene.labels

    @property
    def caption(self) -> str:
        """A sentence about the clip."""
        return self.scene.caption


def render(scene: Scene) -> Rendered:
    """Draw and sound a scene; a pure function."""
    pictures = altering.seen(scene, paint(scene))
    waveform, stems = mix(scene)
    facts = truth(scene, pictures, stems)
    waveform, stems = altering.heard(scene, waveform, stems)
    return Rendered(
        scene=scene,
        pixels=pictures.pixels,
        waveform=waveform,
        stems=stems,
        masks=pictures.masks,
        whole=pictures.whole,
        truth=altering.told(scene, facts, stems),
        nuisance=nuisance(scene, pictures, waveform, stems["background"]),
    )


def memory_clips(
    preset: str | Preset,
    split: str,
    seed: int = 0,
    count: int | None = None,
    *,
    start: int = 0,
    **choices: Any,
) -> Iterator[Rendered]:
    """Clips of a split one after the other, without files or codecs.

    Args:
        preset: a preset or its name.
        split: "train", "val", "test", "test_iid" or "test_ood".
        seed: root seed.
        count: how many (default: as many as the preset has).
        start: index of the first.
        choices: replace the preset's: fields of `presets.Choices`, such as `level=2, size=128, track="L"`.

    Raises:
        UsageError: on an unknown preset or split, or choices that cannot be.
    """
    chosen = resolve(preset, **choices)
    instances(split, 1)  # an unknown split is refused at once, not at the first clip
    last = start + (chosen.clips[split if split in chosen.clips else "test"] if count is None else count)
    return (render(sample(chosen, split, index, seed)) for index in range(start, last))
