"""Galleries for retrieval with equally many clips of each class, as CAV-MAE and AVSiam use them (5 of each).

Which clips those papers drew is known only from their lists (see `id_list`); this draws a new gallery in the same way
for everybody: each clip has a rank by (seed, id), and a class takes its first clips by rank. Rare classes choose first,
and a clip with several classes is taken once. The order of the clips does not matter.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from seehear.errors import UsageError
from seehear.randomness import stable_hash

PER_CLASS = 5


def retrieval_subset(labels: Mapping[str, Sequence[str]], per_class: int = PER_CLASS, seed: int = 0) -> dict[str, str]:
    """Clips for a gallery.

    Args:
        labels: classes by clip id.
        per_class: clips of each class; a class with fewer gives those that it has.
        seed: of the draw.

    Returns:
        The chosen ids, sorted, each with the class that it was chosen for.

    Raises:
        UsageError: on fewer than one clip per class.
    """
    if per_class < 1:
        raise UsageError(f"{per_class} clips per class", expected="at least 1")
    members: dict[str, list[str]] = {}
    for clip in sorted(labels, key=lambda name: (stable_hash(f"retrieval subset {seed} {name}"), name)):
        for label in set(labels[clip]):
            members.setdefault(label, []).append(clip)
    chosen: dict[str, str] = {}
    for label in sorted(members, key=lambda name: (len(members[name]), name)):
        free = (clip for clip in members[label] if clip not in chosen)
        chosen |= {clip: label for clip, _ in zip(free, range(per_class), strict=False)}
    return dict(sorted(chosen.items()))


def short_classes(chosen: Mapping[str, str], classes: Sequence[str], per_class: int) -> dict[str, int]:
    """Classes for which fewer than `per_class` clips were chosen, with their number."""
    counts = Counter(chosen.values())
    return {name: counts[name] for name in classes if counts[name] < per_class}
