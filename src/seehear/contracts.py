"""The contracts that every room hangs on: Batch, Needs, Features, Losses, Method, Sampler, Stream, Figure.

Legend: B batch, T frames, H W picture, S samples of sound, C classes, N tokens, D width.
A field of a batch is declared once, here or by whoever brings a new kind of data, with its shape and dtype.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from seehear.errors import UsageError
from seehear.randomness import Randomness

SAMPLE_RATE = 16_000
Contrast = Callable[[Mapping[str, Tensor]], Tensor]  # embeddings by name -> a scalar


# ---------------------------------------------------------------------------------------------------------- batches
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


class Stream(Protocol):
    """Batches of one rank, step by step: what the trainer reads. `clips.Loader` is one.

    Attributes:
        sampler: chooses the clips.
        global_batch: clips per step over all ranks.
        clips_per_epoch: N, for epoch = position // N.
        fingerprint: identity of the data (table version, clip ids): a resume with another one is refused.
    """

    sampler: "Sampler"
    global_batch: int
    clips_per_epoch: int
    fingerprint: str

    def batches(self, first_step: int, last_step: int) -> Iterator[Batch]:
        """This rank's batches of steps `first_step` to `last_step - 1`."""
        ...


# ------------------------------------------------------------------------------------------------------------ needs
@dataclass(frozen=True)
class AudioNeed:
    """Sound of a fixed length: longer clips are cut, shorter ones zero-padded (`waveform_samples` says how far)."""

    seconds: float
    sample_rate: int = SAMPLE_RATE


@dataclass(frozen=True)
class FrameNeed:
    """Pictures: `count` frames of `height` x `width` pixels.

    `fit` is "squash" (aspect ratio not kept, as AVSiam) or "crop" (shorter side resized, centre kept).
    """

    count: int
    height: int
    width: int
    fit: Literal["squash", "crop"] = "squash"


@dataclass(frozen=True)
class Needs:
    """What a method reads of a clip; only that is decoded."""

    audio: AudioNeed | None = None
    frames: FrameNeed | None = None
    labels: bool = False
    caption: bool = False


# ----------------------------------------------------------------------------------------------- features and losses
Modality = Literal["audio", "image", "audiovisual"]


@dataclass
class Features:
    """What an encoder makes of one modality.

    Attributes:
        tokens: `[B, N, D]` after the final norm.
        grid: how the N tokens lie, e.g. (8, 64) for frequency x time or (14, 14) for rows x columns.
        pooled: `[B, D]`.
        embedding: `[B, D]`, L2-normalised: the vector to compare by cosine.
        layers: every layer's tokens, where asked for (widths may differ).
    """

    tokens: Tensor
    grid: tuple[int, ...]
    pooled: Tensor
    embedding: Tensor
    layers: tuple[Tensor, ...] = ()


Losses = dict[str, Tensor]  # the key "loss" is differentiated, every other entry is logged by name


@dataclass(frozen=True)
class Progress:
    """Where a run stands, for `Method.after_step`: a step is one batch, whatever the number of phases."""

    step: int
    total_steps: int
    epoch: float


@dataclass
class Reconstruction:
    """What a masked autoencoder saw and drew, for people to look at.

    Attributes:
        original: pictures `[B, 3, H, W]` in 0 to 1, or log-mel spectrograms `[B, T, F]`.
        reconstruction: the same shape: drawn where masked, original elsewhere.
        mask: bool, the same shape (True = hidden from the encoder), constant within each patch.
        patch: size of a patch in the last two axes: (height, width) in pixels, or (frames, mel bins).
    """

    original: Tensor
    reconstruction: Tensor
    mask: Tensor
    patch: tuple[int, int]


# ---------------------------------------------------------------------------------------------------------- methods
class Method(nn.Module):
    """One system of the field: its configuration, its parameters, its losses.

    A subclass nests a frozen dataclass `Config` with a class attribute `method` (its file in `seehear.methods`), takes
    it as only argument, keeps all state in submodules and buffers, and registers a shared backbone exactly once.
    """

    Config: ClassVar[type]
    config: Any

    @property
    def needs(self) -> Needs:
        """What the method reads of a clip."""
        raise NotImplementedError

    @property
    def phases(self) -> tuple[str, ...]:
        """The passes over each batch, in order; each is one forward, backward and optimiser step."""
        return ("joint",)

    def passes_of(self, phase: str) -> tuple[str, ...]:
        """What to call `forward` with in the place of `phase`, one after the other; their losses add up to its own."""
        return (phase,)

    @property
    def batch_multiple(self) -> int:
        """What the batch of one forward must be a multiple of."""
        return 1

    def optimizer_of(self, phase: str) -> str:
        """Name of the optimiser that steps after `phase`; equal names share one set of moments."""
        return "shared"

    def parameter_groups(self, phase: str) -> list[dict[str, Any]]:
        """Parameters that `phase` trains, as groups with `name`, `params`, `lr_scale` and `weight_decay_scale`.

        By default: all of them, weight decay on matrices only.
        """
        matrices = [p for p in self.parameters() if p.requires_grad and p.ndim >= 2]
        vectors = [p for p in self.parameters() if p.requires_grad and p.ndim < 2]
        return [
            {"name": "matrices", "params": matrices, "lr_scale": 1.0, "weight_decay_scale": 1.0},
            {"name": "vectors", "params": vectors, "lr_scale": 1.0, "weight_decay_scale": 0.0},
        ]

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        """Losses of one phase; the key `loss` is the one to differentiate."""
        raise NotImplementedError

    def after_step(self, progress: Progress) -> None:
        """Called once after each step: teachers, queues."""

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """Deterministic features of what the batch carries: "audio", "image", "audiovisual"; see `Features.layers`."""
        raise NotImplementedError


@runtime_checkable
class Embeds(Protocol):
    """A method whose contrastive loss needs the embeddings alone, so that their gradients can be cached.

    The embeddings of a batch's pieces, joined by name, are those of the batch: the loss of many clips is taken without
    history, its gradient sent back by pieces. All else in the loss is a mean over clips; every draw is keyed.
    """

    def embed(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> dict[str, Tensor]:
        """Everything the contrastive loss reads, by name, each with one row per clip; nothing in a phase without it."""
        ...

    def loss_from_embeddings(self, embeddings: Mapping[str, Tensor]) -> Tensor:
        """The contrastive loss, a scalar."""
        ...

    def forward(
        self, batch: Batch, randomness: Randomness, phase: str = "joint", contrast: Contrast | None = None
    ) -> Losses:
        """As `Method.forward`, with `contrast` in the place of `loss_from_embeddings` where it is given."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """A method that can show what it draws of what was hidden from it."""

    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """Original, drawing and mask of each modality of `batch`."""
        ...


# --------------------------------------------------------------------------------------------------------- samplers
@runtime_checkable
class Sampler(Protocol):
    """Chooses the clips of each step, in the main process.

    `plan(s)` sees only observations up to step `s - lag`, and prefetch never exceeds `lag`, so that prefetch depth
    cannot change the order. Ids are sample ids (int64).
    """

    lag: int

    def plan(self, step: int) -> np.ndarray:
        """Ids of the global batch of `step`, `[global batch]` int64."""
        ...

    def replacement(self, position: int, attempt: int) -> int:
        """Another id for the bad sample at a global position: pure, and not already in that batch."""
        ...

    def observe(self, step: int, ids: np.ndarray, features: Mapping[str, Tensor]) -> None:
        """Be told what a step's clips looked like."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """State to resume from."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state."""
        ...


# ---------------------------------------------------------------------------------------------------------- figures
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
