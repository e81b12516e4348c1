"""What became of a released file's keys: nothing is taken, left out or made up without its name standing here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seehear.weights.released.names import folded


@dataclass(frozen=True)
class Reading:
    """What became of a file's keys.

    Attributes:
        layout: as what it was read.
        used: shape by key, of the tensors that are in the network.
        unused: reason by key.
        duplicates: the key of the equal tensor that is used, by key.
        missing: what happens instead, by the published name of what the file lacks.
        wrapper: the entry of a training state that held the weights; "" where there was none.
        left: the entries beside it, which are not read.
    """

    layout: str
    used: dict[str, tuple[int, ...]]
    unused: dict[str, str] = field(default_factory=dict)
    duplicates: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    wrapper: str = ""
    left: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people: counts, then every name that is not in the network, those alike but for a number as one."""
        counts = ", ".join(
            f"{len(names)} {word}"
            for names, word in (
                (self.used, "tensors used"),
                (self.duplicates, "duplicates, equal to a used one"),
                (self.unused, "unused"),
                (self.missing, "names missing"),
            )
        )
        beside = f"; beside it, not read: {', '.join(self.left)}" if self.left else ""
        return [
            f"{self.layout}: {counts}",
            *([f"wrapped  in the entry {self.wrapper!r} of a training state{beside}"] if self.wrapper else []),
            *_explained("unused", self.unused),
            *_explained("missing", self.missing),
        ]

    def to_dict(self) -> dict[str, Any]:
        """For machines; `from_dict` reads it."""
        return {
            "layout": self.layout,
            "used": {name: list(shape) for name, shape in self.used.items()},
            "unused": self.unused,
            "duplicates": self.duplicates,
            "missing": self.missing,
            "wrapper": self.wrapper,
            "left": list(self.left),
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Reading":
        """The inverse of `to_dict`."""
        return Reading(
            values["layout"],
            {name: tuple(shape) for name, shape in values["used"].items()},
            dict(values["unused"]),
            dict(values["duplicates"]),
            dict(values["missing"]),
            values["wrapper"],
            tuple(values["left"]),
        )


def _explained(word: str, names: Mapping[str, str]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for name, reason in names.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"{word:8} {name}: {reason}" for reason, alike in by_reason.items() for name in folded(alike)]
