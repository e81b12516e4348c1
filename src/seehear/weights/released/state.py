"""Reading a published dictionary of tensors: every key ends up used, as a duplicate, or unused with a reason.

Sizes are read off tensors, then each tensor is taken by its published name in the shape that these sizes ask for. What
is missing does not stop the reading: all of it is named together at the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seehear.errors import DataError

WRAPPER = "module."
NAMES_SHOWN = 12


@dataclass(frozen=True)
class Reading:
    """What became of a file's keys.

    Attributes:
        layout: as what it was read.
        used: keys whose tensors are in the network.
        unused: reason by key.
        duplicates: keys whose tensors equal those of a used one.
        missing: what stands in, by the published name of what the file lacks.
    """

    layout: str
    used: tuple[str, ...]
    unused: dict[str, str] = field(default_factory=dict)
    duplicates: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """For people: counts, then every name that is not used."""
        found = [f"{self.layout}: {len(self.used)} tensors used, {len(self.unused)} unused, "
                 f"{len(self.duplicates)} duplicates, {len(self.missing)} missing"]  # fmt: skip
        found += [f"unused   {name}: {reason}" for name, reason in self.unused.items()]
        return found + [f"missing  {name}: {instead}" for name, instead in self.missing.items()]

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "layout": self.layout,
            "used": list(self.used),
            "unused": self.unused,
            "duplicates": list(self.duplicates),
            "missing": self.missing,
        }


class StateReader:
    """A dictionary of tensors under published names.

    Args:
        state: the dictionary; a leading `module.` of all its keys is stripped.
        layout: what it is read as.

    Raises:
        DataError: if it is empty, or an entry is no tensor.
    """

    def __init__(self, state: Mapping[str, Tensor], layout: str):
        if not state:
            raise DataError(f"an empty dictionary as {layout} weights", expected="tensors by their published names")
        for name, value in state.items():
            if not isinstance(value, Tensor):
                raise DataError(
                    f"entry {name!r} is of type {type(value).__name__}",
                    expected="tensors only",
                    cause="a training state, in which the weights are one entry",
                )
        self.layout = layout
        self._state = {name.removeprefix(WRAPPER): value for name, value in state.items()}
        if len(self._state) != len(state):
            raise DataError(f"{len(state) - len(self._state)} keys occur with and without {WRAPPER!r}")
        self._used: dict[str, None] = {}
        self._unused: dict[str, str] = {}
        self._duplicates: dict[str, None] = {}
        self._stands_in: dict[str, str] = {}
        self._lacking: dict[str, str] = {}
        self._refused: list[str] = []

    def has(self, prefix: str) -> bool:
        """Some key begins so."""
        return any(name.startswith(prefix) for name in self._state)

    def count_blocks(self, prefix: str) -> int:
        """How many numbers follow `prefix` in keys such as `blocks.11.norm1.weight`: the largest, and one."""
        found = [name.removeprefix(prefix).split(".")[0] for name in self._state if name.startswith(prefix)]
        return max((int(number) for number in found if number.isdigit()), default=-1) + 1

    def take(self, name: str, shape: Sequence[int] | None = None) -> Tensor:
        """The tensor of that name in float32; of a missing one zeros stand in until `finish` refuses it.

        Args:
            name: published.
            shape: what it must have; None: any with at least two values in each of its axes read elsewhere.
        """
        value = self._state.get(name)
        if value is None:
            self._lacking[name] = "x".join(map(str, shape or ())) or "its sizes are needed"
            return torch.zeros(tuple(shape) if shape is not None else (2, 2, 2, 2))
        if shape is not None and tuple(value.shape) != tuple(shape):
            self._refused.append(f"{name} is {tuple(value.shape)}, expected {tuple(shape)}")
            return torch.zeros(tuple(shape))
        self._used[name] = None
        self._unused.pop(name, None)
        return value.detach().to(torch.float32)

    def drop(self, prefix: str, reason: str) -> None:
        """Report every key that begins so and was not taken as unused for that reason."""
        for name in self._state:
            if name.startswith(prefix) and name not in self._used:
                self._unused.setdefault(name, reason)

    def same(self, copies: str, originals: str) -> None:
        """Keys under the prefix `copies` must hold the tensors of those under `originals`.

        Raises:
            DataError: if one differs, or has no original.
        """
        for name in [n for n in self._state if n.startswith(copies)]:
            original = originals + name.removeprefix(copies)
            if original not in self._state or not torch.equal(self._state[name], self._state[original]):
                raise DataError(
                    f"{name} differs from {original}",
                    expected="two names of one tensor",
                    cause="a damaged file, or weights put together from several",
                )
            self._duplicates[name] = None

    def fallback(self, names: Sequence[str], instead: str) -> None:
        """Report what the file lacks, and what happens instead."""
        self._stands_in |= dict.fromkeys(names, instead)

    def finish(self) -> Reading:
        """What became of every key.

        Raises:
            DataError: if necessary keys are missing or have other shapes; all of them are counted, many are named.
        """
        if self._refused:
            raise DataError(
                f"{len(self._refused)} tensors of other shapes than {self.layout} weights of this size have: "
                f"{_some(self._refused)}",
                cause="weights of another layout, or a damaged file",
                cure="seehear weights inspect FILE",
            )
        if self._lacking:
            raise DataError(
                f"{len(self._lacking)} keys of the {self.layout} layout are missing: {_some(list(self._lacking))}",
                expected="all that the network needs",
                cause="weights of another layout, or half of a file",
                cure="seehear weights inspect FILE",
            )
        rest = [n for n in self._state if n not in self._used and n not in self._duplicates and n not in self._unused]
        unused = self._unused | dict.fromkeys(rest, f"not part of the {self.layout} layout")
        return Reading(self.layout, tuple(self._used), unused, tuple(self._duplicates), dict(self._stands_in))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more
