"""What tagging studies ask for: a long tail of classes in training, parent labels, and labels that are missing.

The classes' order in the tail is drawn once per root seed. Their shares fall geometrically, so that the most frequent
class is shown `long_tail` times as often as the rarest; validation and test stay balanced.
"""

from typing import Any

import numpy as np
from numpy.random import Generator

from seehear.world.classes import kind
from seehear.world.presets import Preset
from seehear.world.streams import stream

GOLDEN = (5**0.5 - 1) / 2  # multiples of it, modulo 1, fill the unit interval evenly from the first on


def shares(preset: Preset, seed: int) -> dict[str, float]:
    """The share of training clips that each class of a long tail gets, in the preset's order of classes."""
    names = list(preset.classes)
    rank = stream(seed, "long tail").permutation(len(names))
    weight = preset.long_tail ** (-rank / max(1, len(names) - 1))
    return dict(zip(names, (weight / weight.sum()).tolist(), strict=True))


def class_of(preset: Preset, split: str, index: int, seed: int) -> str:
    """The class of clip `index` of a single-label split; any prefix of a split is as balanced as it can be."""
    if preset.long_tail == 1 or split not in ("train", "test_iid"):
        return preset.classes[index % len(preset.classes)]
    edges = np.cumsum(list(shares(preset, seed).values()))
    place = int(np.searchsorted(edges, (0.5 + index * GOLDEN) % 1.0, side="right"))
    return preset.classes[min(place, len(edges) - 1)]


def shuffled(rng: Generator, preset: Preset, split: str, seed: int) -> list[str]:
    """The classes in random order; in a long tail, frequent ones come first more often (Efraimidis and Spirakis)."""
    order = list(preset.classes)
    rng.shuffle(order)
    if preset.long_tail == 1 or split not in ("train", "test_iid"):
        return order
    weight = shares(preset, seed)
    waits = {name: rng.exponential() / weight[name] for name in order}
    return sorted(order, key=waits.__getitem__)


def tags(rng: Generator, preset: Preset, split: str, labels: tuple[str, ...]) -> dict[str, Any]:
    """The labels of a clip with their parents, less those that are removed; as fields of its scene.

    Where parents are labels, the facts hold `labels_complete`, and of single-label clips `label_single`.
    """
    if not preset.parent_labels:
        return {"labels": labels}
    complete = (*labels, *dict.fromkeys(kind(name).group for name in labels))
    lost = [rng.uniform() < preset.removed_labels and split == "train" for _ in complete]
    kept = [name for name, gone in zip(complete, lost, strict=True) if name in labels or not gone]
    facts: dict[str, Any] = {"labels_complete": list(complete)}
    if preset.labelling == "single":
        facts["label_single"] = labels[0]
    return {"labels": kept, "facts": facts}
