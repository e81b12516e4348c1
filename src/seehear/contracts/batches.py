"""Batches: some clips as tensors, every field declared once with its shape and dtype.

Legend: B batch, T frames, H W picture, S samples of sound, C classes. A field is declared here, or by whoever brings a
new kind of data.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from seehear.errors import UsageError

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class FieldSpec:
    """Declaration of one batch field: its axes (letters are free, digits fixed) and dtype (None: a list of str)."""

    name: str
    shape: tuple[str | int, ...]
    dtype: torch.dtype | None
    meaning: str


FIELDS: dict[str, FieldSpec] = {}


def declare_field(name: str, shape: tuple[str | int, ...], dtype: torch.dtype | None, meaning: str) -> None:
    """Declare a batch field.

    Raises:
        UsageError: if the name is already declared otherwise.
    """
    spec = FieldSpec(name, shape, dtype, meaning)
    if FIELDS.setdefault(name, spec) != spec:
        raise UsageError(f"batch field {name!r} is declared twice", expected=f"{FIELDS[name]}")


declare_field("waveform", ("B", "S"), torch.int16, "sound at 16 kHz, mono, zero after its valid length")
declare_field("waveform_samples", ("B",), torch.int64, "valid length of each waveform")
declare_field("frames", ("B", "T", 3, "H", "W"), torch.uint8, "RGB pictures")
declare_field("has_audio", ("B",), torch.bool, "the clip has sound")
declare_field("has_image", ("B",), torch.bool, "the clip has pictures")
declare_field("labels", ("B", "C"), torch.float32, "class membership, 0 to 1")
declare_field("caption", ("B",), None, "text of each clip")


@dataclass(frozen=True)
class Replacement:
    """A bad sample whose place another clip took: never a constant, never a shorter batch.

    `attempt` counts from 0 how often the sampler's replacement rule was asked for this position.
    """

    position: int
    sample_id: int
    reason: str
    attempt: int
    replaced_by: int


@dataclass
class Batch:
    """Some clips as tensors.

    Attributes:
        sample_ids: `[B]` int64, the 63-bit BLAKE2b number of each clip's id.
        positions: `[B]` int64, each clip's place in the endless stream of the run (epoch = position // N).
        fields: the declared fields that the method asked for.
        replacements: the samples of this batch that could not be read, and what took their places.

    Raises:
        UsageError: on an undeclared field, or one of another shape or dtype than declared.
    """

    sample_ids: Tensor
    positions: Tensor
    fields: dict[str, Any] = field(default_factory=dict)
    replacements: tuple[Replacement, ...] = ()

    def __post_init__(self) -> None:
        axes: dict[str, int] = {"B": len(self.sample_ids)}
        if self.positions.shape != self.sample_ids.shape:
            raise UsageError(f"{len(self.positions)} positions for {len(self.sample_ids)} sample ids")
        for name, value in self.fields.items():
            if name not in FIELDS:
                raise UsageError(f"batch field {name!r} is not declared", expected=", ".join(sorted(FIELDS)))
            _check_field(FIELDS[name], value, axes)

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __getitem__(self, name: str) -> Any:
        """The field `name`.

        Raises:
            UsageError: if this batch does not carry it.
        """
        if name not in self.fields:
            raise UsageError(
                f"this batch has no {name!r}", expected=f"one of {', '.join(sorted(self.fields)) or 'none'}"
            )
        return self.fields[name]

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device (without waiting, where the memory is pinned)."""
        moved = {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in self.fields.items()
        }
        ids, positions = (t.to(device, non_blocking=True) for t in (self.sample_ids, self.positions))
        return Batch(ids, positions, moved, self.replacements)

    def __repr__(self) -> str:
        shapes = {n: tuple(v.shape) if isinstance(v, Tensor) else f"{len(v)} str" for n, v in self.fields.items()}
        return f"Batch({len(self)} clips, {shapes})"


def _check_field(spec: FieldSpec, value: Any, axes: dict[str, int]) -> None:
    if spec.dtype is None:
        if len(value) != axes["B"]:
            raise UsageError(f"{spec.name} has {len(value)} entries", expected=f"{axes['B']}")
        return
    matches = value.dtype == spec.dtype and value.ndim == len(spec.shape)
    for axis, size in zip(spec.shape, value.shape, strict=False):
        wanted = axis if isinstance(axis, int) else axes.setdefault(axis, size)
        matches &= wanted == size
    if not matches:
        raise UsageError(
            f"{spec.name} is {tuple(value.shape)} {value.dtype}", expected=f"{spec.shape} {spec.dtype} with {axes}"
        )
