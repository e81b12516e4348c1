"""Figures: measured numbers, with what they must be read against."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One measured number with what it must be read against.

    Attributes:
        name: e.g. "retrieval/audio-to-image/R@10".
        value: the figure.
        chance: of a guess, exact.
        untrained: the same figure of the untrained network, measured; None where it was not measured.
        ceiling: a perfect score, or for retrieval that of a perfect class oracle; None where there is none.
        baselines: further floors by name.
        higher_is_better: direction.
        note: protocol in a few words (gallery size, k, ...).
        lower_bound: lower end of the 95 % interval of `value`; None where it was not computed.
    """

    name: str
    value: float
    chance: float | None = None
    untrained: float | None = None
    ceiling: float | None = None
    baselines: dict[str, float] = field(default_factory=dict)
    higher_is_better: bool = True
    note: str = ""
    lower_bound: float | None = None


Figures = Iterator[Figure]
