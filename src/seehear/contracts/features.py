"""What comes out of a network: features, losses, drawings.

Legend: B batch, T frames, F mel bins, H W picture, N tokens, D width.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

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


@dataclass(frozen=True)
class Branch:
    """One modality's tokens `[B, N, D]` before anything joins it with the other, and every layer's where asked for."""

    tokens: Tensor
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
        lent: every hidden patch was lent its true mean and deviation, as the network draws standardised patches only.
    """

    original: Tensor
    reconstruction: Tensor
    mask: Tensor
    patch: tuple[int, int]
    lent: bool = False
