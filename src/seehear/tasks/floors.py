"""Puts the untrained network and the baselines, measured the same way, beside each figure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from seehear.contracts import Figure

Subject = TypeVar("Subject")


def with_floors(
    measure: Callable[[Subject], Iterable[Figure]],
    subject: Subject,
    untrained: Subject | None = None,
    baselines: Mapping[str, Subject] | None = None,
) -> Iterator[Figure]:
    """The figures of `measure(subject)`, each with the same figure of the untrained network and of each baseline.

    A floor that lacks a figure (a baseline of sound only, say) is left out beside that figure.
    """
    floor = {} if untrained is None else {f.name: f.value for f in measure(untrained)}
    others = {name: {f.name: f.value for f in measure(other)} for name, other in (baselines or {}).items()}
    for figure in measure(subject):
        found = {name: values[figure.name] for name, values in others.items() if figure.name in values}
        yield replace(figure, untrained=floor.get(figure.name), baselines={**figure.baselines, **found})
