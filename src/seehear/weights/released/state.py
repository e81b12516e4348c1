"""Reading a published dictionary of tensors: every key ends up used, as a duplicate, or unused with a reason.

Sizes are read off tensors, then each tensor is taken by its published name in the shape that these sizes ask for. What
is missing or of another shape does not stop the reading: all of it is named together at the end.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from seehear.errors import DataError
from seehear.weights.released.names import folded
from seehear.weights.released.reading import Reading as Reading

WRAPPER = "module."
INSPECT = "seehear weights inspect FILE"


class StateReader:
    """A dictionary of tensors under published names.

    Args:
        state: the dictionary; every `module.` of its keys is stripped.
        layout: what it is read as.

    Raises:
        DataError: if it is empty, an entry is no tensor, or a key occurs with and without `module.`.
    """

    def __init__(self, state: Mapping[str, Tensor], layout: str):
        self.layout = layout
        self._state = unwrapped(state)
        self._used: dict[str, tuple[int, ...]] = {}
        self._unused: dict[str, str] = {}
        self._duplicates: dict[str, str] = {}
        self._stands_in: dict[str, str] = {}
        self._lacking: list[str] = []
        self._refused: dict[str, str] = {}

    def has(self, prefix: str) -> bool:
        """Some key begins so."""
        return any(name.startswith(prefix) for name in self._state)

    def names(self, prefix: str = "") -> list[str]:
        """The keys that begin so, in the file's order."""
        return [name for name in self._state if name.startswith(prefix)]

    def count_blocks(self, prefix: str) -> int:
        """How many numbers follow `prefix` in keys such as `blocks.11.norm1.weight`: the largest, and one."""
        found = [name.removeprefix(prefix).split(".")[0] for name in self.names(prefix)]
        return max((int(number) for number in found if number.isdecimal()), default=-1) + 1

    def sizes(self, axes: Mapping[str, int]) -> list[tuple[int, ...]]:
        """Shapes of the tensors that tell a network's sizes; each is still to be taken.

        Args:
            axes: how many each must have, by published name.

        Raises:
            DataError: if some are missing, empty or have other numbers of axes, naming all of these.
        """
        found = {name: self._state.get(name) for name in axes}
        missing = [name for name, value in found.items() if value is None]
        unlike = [
            f"{name} is {list(value.shape)}, expected {axes[name]} axes, none of them empty"
            for name, value in found.items()
            if value is not None and (value.ndim != axes[name] or not value.numel())
        ]
        self._refuse(missing, unlike, " from which sizes are read")
        return [tuple(self._state[name].shape) for name in axes]

    def take(self, name: str, shape: Sequence[int]) -> Tensor:
        """The tensor of that name in float32; of one that is missing or has another shape, zeros stand in until
        `finish` refuses it.
        """
        value = self._state.get(name)
        if value is None:
            self._lacking.append(name)
        elif not value.is_floating_point():
            self._refused[name] = f"{name} holds {value.dtype}, expected floating point"
        elif tuple(value.shape) != tuple(shape):
            self._refused[name] = f"{name} is {list(value.shape)}, expected {list(shape)}"
        else:
            self._used[name] = tuple(value.shape)
            self._unused.pop(name, None)
            return value.detach().to(torch.float32)
        return torch.zeros(()).expand(tuple(shape))

    def optional(self, name: str, shape: Sequence[int]) -> Tensor | None:
        """As `take`, but None where the file does not have it."""
        return self.take(name, shape) if name in self._state else None

    def count(self, name: str) -> Tensor:
        """The count of that name, an int64 scalar of any type in the file; 0 where it is missing, which is told."""
        value = self._state.get(name)
        if value is None:
            self.fallback([name], "0: nothing is computed from it")
        elif value.numel() != 1:
            self._refused[name] = f"{name} is {list(value.shape)}, expected one number"
        else:
            self._used[name] = tuple(value.shape)
            return value.detach().reshape(()).to(torch.int64)
        return torch.zeros((), dtype=torch.int64)

    def drop(self, prefix: str, reason: str) -> None:
        """Report every key that begins so and is not taken as unused for that reason."""
        for name in self.names(prefix):
            if name not in self._used:
                self._unused.setdefault(name, reason)

    def same(self, copies: str, originals: str) -> None:
        """Keys under the prefix `copies` must hold the tensors of those under `originals`.

        A copy of what the file lacks otherwise is left over: it ends up unused.

        Raises:
            DataError: naming the first that differs.
        """
        for name in self.names(copies):
            original = originals + name.removeprefix(copies)
            if original not in self._state:
                continue
            if not torch.equal(self._state[name], self._state[original]):
                raise DataError(
                    f"{name} differs from {original}",
                    expected="two names of one tensor",
                    cause="a damaged file, or weights put together from several",
                )
            self._duplicates[name] = original

    def refuse(self, *prefixes: str) -> None:
        """Refuse what changes the function and is not built here.

        Raises:
            DataError: if a key that is neither taken nor dropped begins with one of the prefixes, naming all that do.
        """
        known = {**self._used, **self._duplicates, **self._unused, **self._refused}
        found = [name for prefix in prefixes for name in self.names(prefix) if name not in known]
        if found:
            raise DataError(
                f"{_counted(len(found), 'key')} that change what {self.layout} weights compute: {_listed(found)}",
                expected="a network without them",
                cause="a variant of this architecture that is not built here",
            )

    def fallback(self, names: Sequence[str], instead: str) -> None:
        """Report what the file lacks, and what happens instead."""
        self._stands_in |= dict.fromkeys(names, instead)

    def finish(self) -> Reading:
        """What became of every key.

        Raises:
            DataError: if necessary keys are missing or have other shapes; all of them are counted and named.
        """
        self._refuse(self._lacking, self._refused.values())
        told = {**self._used, **self._duplicates, **self._unused}
        rest = [name for name in self._state if name not in told]
        unused = self._unused | dict.fromkeys(rest, f"not part of the {self.layout} layout")
        return Reading(self.layout, dict(self._used), unused, dict(self._duplicates), dict(self._stands_in))

    def _refuse(self, missing: Iterable[str], unlike: Iterable[str], which: str = "") -> None:
        """Refuse what is missing, or else what has another shape."""
        missing, unlike = list(dict.fromkeys(missing)), list(unlike)
        if missing:
            raise DataError(
                f"{_counted(len(missing), 'key')} of the {self.layout} layout{which} missing: {_listed(missing)}",
                expected="all that the network needs",
                cause="weights of another layout, or half of a file",
                cure=INSPECT,
            )
        if unlike:
            raise DataError(
                f"{_counted(len(unlike), 'tensor')} unlike those of {self.layout} weights: {_listed(unlike)}",
                cause="weights of another layout, or a damaged file",
                cure=INSPECT,
            )


def unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The dictionary without any `module.` of its keys.

    Raises:
        DataError: if it is empty, an entry is no tensor, or a key occurs with and without `module.`.
    """
    if not state:
        raise DataError("an empty dictionary in place of weights", expected="tensors by their published names")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DataError(
                f"entry {name!r} is of type {type(value).__name__}",
                expected="names and tensors only",
                cause="a training state, in which the weights are one entry",
                cure="seehear.weights.open_weights(FILE), which looks for that entry",
            )
    result: dict[str, Tensor] = {}
    twice = []
    for name, value in state.items():
        bare = without_wrappers(name)
        twice += [name] if bare in result else []
        result[bare] = value
    if twice:
        raise DataError(f"{_counted(len(twice), 'key')} with and without {WRAPPER!r}: {_listed(twice)}")
    return result


def without_wrappers(name: str) -> str:
    """A key without what data-parallel training puts around modules, at any depth."""
    return ".".join(part for part in name.split(".") if part != WRAPPER.rstrip("."))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(folded(names))
