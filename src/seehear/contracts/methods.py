"""The method: one system of the field, and what some of them can do besides."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from seehear.contracts.batches import Batch
from seehear.contracts.features import Branch, Features, Losses, Modality, Progress, Reconstruction
from seehear.contracts.needs import Needs
from seehear.errors import UsageError
from seehear.randomness import Randomness

Contrast = Callable[[Mapping[str, Tensor]], Tensor]  # embeddings by name -> a scalar


class Method(nn.Module):
    """One system of the field: its configuration, its parameters, its losses.

    A subclass nests a frozen dataclass `Config` with a class attribute `method` (its file in `seehear.methods`), takes
    it as only argument, keeps all state in submodules and buffers, and registers a shared backbone exactly once.
    """

    Config: ClassVar[type]
    config: Any
    fusion_parts: ClassVar[tuple[str, ...]] = ()
    """Submodules that join sound and picture: fine-tuning can give them a rate of their own."""
    pretraining_parts: ClassVar[tuple[str, ...]] = ()
    """Submodules that `encode` never calls: fine-tuning leaves them out."""

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

        A group's rate can also rise from 0 over the first share `rise` of a run, by half a cosine. By default: all
        parameters in two groups, weight decay on matrices only.
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

    def after_training(self) -> None:
        """Called once on weights that were loaded to be used: averaged ones take the place of the last ones."""

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """Deterministic features of what the batch carries: "audio", "image", "audiovisual"; see `Features.layers`."""
        raise NotImplementedError


class PartsMethod(Method):
    """A method whose `encode` is its parts, one after the other: a base for those that offer `Encodes`."""

    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """See `Encodes`."""
        raise NotImplementedError

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """See `Encodes`."""
        raise NotImplementedError

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """See `Encodes`."""
        raise NotImplementedError

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """Unmasked features of the modalities that the batch carries, and of both together.

        Raises:
            UsageError: if the batch carries neither.
        """
        patches = self.patches(batch, keys=None)
        if not patches:
            raise UsageError(f"nothing to encode in {batch}", expected="`waveform`, `frames` or both")
        return self.features(self.branches(patches, with_layers))


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
class Encodes(Protocol):
    """A method whose encoder can be called part by part: what fine-tuning and released weights ask for.

    `encode` is `features(branches(patches(batch)))`. Sound and picture go through branches of their own first, so that
    one sound can be joined with several frames.
    """

    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Normalised patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given."""
        ...

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """Each modality on its own, nothing hidden."""
        ...

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """What `encode` returns, or `only` some of it. Tokens of "audiovisual" are those of sound, then of picture."""
        ...


@runtime_checkable
class Localizes(Protocol):
    """A method that says of its own where in a picture a sound comes from."""

    def localize(self, batch: Batch) -> Tensor:
        """How well each place of a clip's picture goes with its sound, `[B, h, w]`; scales may differ by method."""
        ...


@runtime_checkable
class Separates(Protocol):
    """A method that takes out of a mixture what belongs to a picture."""

    def separate(self, mixture: Tensor, frames: Tensor) -> Tensor:
        """The sound `[B, S]` of what `frames [B, T, 3, H, W]` (uint8) show, out of `mixture [B, S]`.

        The mixture is floating point, nominally -1 to 1, and has the length and rate that the method `needs`.
        """
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """A method that can show what it draws of what was hidden from it."""

    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """Original, drawing and mask of each modality of `batch`; nothing where this configuration draws none."""
        ...


@runtime_checkable
class Classifies(Protocol):
    """A method that names the classes of a clip, by its sound, its picture, or both.

    Attributes:
        classes: names of the classes, `[C]`.
        single_label: every clip has one class (scores are a softmax), not any number of them (sigmoids).
        test_frames: frames of a clip whose scores are averaged.
        weights_in_use: which weights these are, for people.
    """

    classes: tuple[str, ...]
    single_label: bool
    test_frames: int
    weights_in_use: str

    def classify(self, batch: Batch) -> dict[Modality, Tensor]:
        """Logits of what the batch carries, `[B, C]`; `[B, k, C]` of its k pictures, and of its sound with each."""
        ...

    def scores(self, logits: Tensor) -> Tensor:
        """Class scores `[B, C]` from 0 to 1: of each picture, then their mean."""
        ...
