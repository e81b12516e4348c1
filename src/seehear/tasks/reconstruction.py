"""Masked reconstruction: error of the network on the patches it did not see, beside fills that need no learning.

Errors are divided by the variance of the hidden values over all clips: 1 is what guessing their mean gives, 0 is
perfect, and the units of the method (pixels, log-mel, normalised or not) do not matter.

Legend: B batch, N places of the patch grid, V values of a patch.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from seehear.contracts import Batch, Figure, Method, Reconstruction, Reconstructs
from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness
from seehear.tasks.collect import MODALITIES, has_modality
from seehear.tasks.fills import FILLS, cut, drawn
from seehear.weights.precision import device_of, evaluating


@dataclass
class _Tally:
    """Sums over the hidden values of one modality."""

    clips: int = 0
    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    errors: dict[str, float] = field(default_factory=dict)
    patch: tuple[int, int] = (0, 0)
    lent: bool = False

    def add(self, seen: Reconstruction, with_fills: bool) -> None:
        """Count the samples of `seen`."""
        patches = cut(seen)
        hidden, self.patch, self.lent = patches.hidden, seen.patch, seen.lent
        truth = patches.values[hidden]
        fills = {name: fill(patches) for name, fill in FILLS.items()} if with_fills else {}
        if with_fills and seen.lent:
            fills["its own true mean"] = patches.values.mean(dim=2, keepdim=True).expand_as(patches.values)
        for name, values in {"network": drawn(seen, patches), **fills}.items():
            error = float((values[hidden] - truth).square().sum())
            self.errors[name] = self.errors.get(name, 0.0) + error
        self.clips += len(hidden)
        self.count += truth.numel()
        self.total += float(truth.sum())
        self.squares += float(truth.square().sum())

    def variance(self, modality: str) -> float:
        """Of the hidden values.

        Raises:
            DataError: if nothing was hidden, the values do not vary, or an error is not finite.
        """
        if self.count == 0:
            raise DataError(f"nothing was hidden in {modality}", expected="a mask with hidden patches")
        variance = self.squares / self.count - (self.total / self.count) ** 2
        if not variance > 1e-12 * max(1.0, self.squares / self.count):
            raise DataError(f"the hidden {modality} values have variance {variance:g}", expected="clips that vary")
        if not all(map(math.isfinite, self.errors.values())):
            raise DataError(f"the reconstruction of {modality} holds NaN or infinity", cause="a network that diverged")
        return variance


def reconstruction(
    method: Method, batches: Iterable[Batch], untrained: Method | None = None, seed: int = 0
) -> Iterator[Figure]:
    """Masked error of `method.reconstruct`, figures `reconstruction/<audio|image>/masked MSE`; lower is better.

    Masks depend on the seed and the sample ids only, so neither order nor size of the batches matters. Clips without a
    modality do not count for it. `chance` is the guess of the mean of all hidden values; baselines are each sample's
    mean visible patch, its nearest visible patch, and a smooth surface through the visible patches; and where a method
    that draws standardised patches is lent the mean and deviation of each, that mean alone.

    Args:
        method: offers `reconstruct(batch, randomness)`.
        batches: batches with the fields of `method.needs`.
        untrained: the same network untrained, measured on the same masks.
        seed: of the masks.

    No figures come of a method that is configured to draw nothing.

    Raises:
        UsageError: if the method does not reconstruct.
        DataError: if there is no clip, nothing is hidden, or a value is not finite.
    """
    tallies = {m: _Tally() for m in MODALITIES}
    floor = {m: _Tally() for m in MODALITIES}
    for batch in batches:
        placed = Batch(batch.sample_ids, torch.zeros_like(batch.positions), batch.fields)
        if not _measure(method, placed, seed, tallies, with_fills=True):
            return
        if untrained is not None:
            _measure(untrained, placed, seed, floor, with_fills=False)
    if not any(t.clips for t in tallies.values()):
        raise DataError("there is no clip to reconstruct", expected="at least one batch")
    for modality, tally in tallies.items():
        if tally.clips:
            yield _figure(modality, tally, floor[modality])


def _measure(method: Method, batch: Batch, seed: int, tallies: dict[str, _Tally], with_fills: bool) -> bool:
    """Count what the method drew of a batch; returns whether it drew anything."""
    drawing: object = method  # by what it offers, not by its class
    if not isinstance(drawing, Reconstructs):
        raise UsageError(f"{type(method).__name__} does not reconstruct", expected="a method with `reconstruct`")
    batch = batch.to(device_of(method))
    with evaluating(method):
        seen = drawing.reconstruct(batch, Randomness(seed))
    for modality, one in seen.items():
        present = has_modality(batch, modality)
        if present.any():
            tallies[modality].add(_rows(one, present), with_fills)
    return bool(seen)


def _rows(seen: Reconstruction, rows: Tensor) -> Reconstruction:
    return replace(seen, original=seen.original[rows], reconstruction=seen.reconstruction[rows], mask=seen.mask[rows])


def _figure(modality: str, tally: _Tally, floor: _Tally) -> Figure:
    variance = tally.variance(modality)
    errors = {name: error / tally.count / variance for name, error in tally.errors.items()}
    note = f"{tally.clips} clips, patches of {tally.patch[0]} x {tally.patch[1]}, in variances of the hidden values"
    if tally.lent:
        note += "; each hidden patch is lent its true mean and deviation: read it against `its own true mean`"
    return Figure(
        name=f"reconstruction/{modality}/masked MSE",
        value=errors.pop("network"),
        chance=1.0,
        untrained=floor.errors["network"] / floor.count / floor.variance(modality) if floor.clips else None,
        ceiling=0.0,
        baselines=errors,
        higher_is_better=False,
        note=note,
    )
