"""One figure of class scores at a time, with chance, the majority class and the ceiling beside it.

Legend: N clips, C classes.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from seehear.contracts import Figure
from seehear.errors import DataError
from seehear.metrics import (
    chance_top_k,
    d_prime,
    jackknife_lower_bound,
    mean_area_under_roc,
    mean_average_precision,
    top_k_correct,
    wilson_lower_bound,
)


def top_1(name: str, scores: np.ndarray, labels: np.ndarray, train_counts: np.ndarray, note: str) -> Figure:
    """Share of clips whose best class is one of theirs.

    Classes that no training clip has cannot be named: they lower the ceiling.

    Args:
        name: of the figure.
        scores: `[N, C]`.
        labels: bool `[N, C]`, at least one each.
        train_counts: `[C]`, training clips of each class.
        note: the protocol.
    """
    seen, value = train_counts > 0, float(top_k_correct(scores, labels, 1).mean())
    return Figure(
        name=name,
        value=value,
        chance=chance_top_k(labels[:, seen], 1, int(seen.sum())),
        ceiling=float(labels[:, seen].any(axis=1).mean()),
        baselines={"majority class": float(labels[:, int(train_counts.argmax())].mean())},
        note=note,
        lower_bound=wilson_lower_bound(value, len(labels)),
    )


def mean_ap(name: str, scores: np.ndarray, labels: np.ndarray, note: str, bounded: bool = False) -> Figure:
    """mAP over the classes that a test clip has; chance is that of constant scores, whatever they are.

    Args:
        name: of the figure.
        scores: `[N, C]`.
        labels: bool `[N, C]`.
        note: the protocol.
        bounded: also the lower bound (twenty times the work).
    """
    found = mean_average_precision(scores, labels)
    if found.excluded:
        note += f", {found.excluded} of {labels.shape[1]} classes without test clips do not count"
    chance = mean_average_precision(np.zeros_like(scores), labels).value
    figure = Figure(name=name, value=found.value, chance=chance, ceiling=1.0, note=note)
    if not bounded:
        return figure
    bound = _bound(lambda rows: mean_average_precision(scores[rows], labels[rows]).value, len(labels))
    return replace(figure, lower_bound=bound)


def area_and_d_prime(name: str, scores: np.ndarray, labels: np.ndarray, note: str) -> Iterator[Figure]:
    """AUC, the mean over the classes that some test clips have and some have not, and d' of it.

    Nothing is yielded where there is no such class, and no d' of an AUC of 0 or 1, where it is infinite.
    """
    if not (labels.any(axis=0) & ~labels.all(axis=0)).any():
        return
    found = mean_area_under_roc(scores, labels)
    if found.excluded:
        note += f", {found.excluded} of {labels.shape[1]} classes that none or all test clips have do not count"
    bound = _bound(lambda rows: mean_area_under_roc(scores[rows], labels[rows]).value, len(labels))
    infinite = found.value in (0.0, 1.0)
    told = f"{note}, d' is infinite" if infinite else note
    yield Figure(f"{name}/AUC", found.value, chance=0.5, ceiling=1.0, note=told, lower_bound=bound)
    if not infinite:
        least = None if bound is None or not 0 < bound < 1 else d_prime(bound)
        yield Figure(f"{name}/d'", d_prime(found.value), chance=0.0, note=note, lower_bound=least)


def _bound(measure: Callable[[np.ndarray], float], clips: int) -> float | None:
    """The jackknife's lower bound; None where leaving clips out leaves nothing to measure."""
    try:
        bound = jackknife_lower_bound(measure, clips)
    except DataError:
        return None
    return max(0.0, bound) if math.isfinite(bound) else None
