"""Multi-ratio masking: each clip gets one of K masking ratios, clips of equal ratio form a group of equal length.

Source: AVSiam, arXiv 2403.19638, sec. 3 (five ratios over 0 to 0.5), independently for sound and picture. Ratios come
from keyed permutations of aligned blocks of K clips, so every group has the same size.

Legend: B batch, K ratios, N token places, n visible ones, V values of a patch, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.layers.masking import MaskKind, kept, visible_first
from seehear.layers.packing import Group
from seehear.layers.patches import gather_patches
from seehear.randomness import Randomness


@dataclass(frozen=True)
class MaskingConfig:
    """Which tokens are hidden; see `seehear.layers.masking`."""

    ratios: tuple[float, ...] = (0.0, 0.125, 0.25, 0.375, 0.5)
    """Multi-ratio masking of the contrastive pass; the paper says five ratios over 0 to 0.5, the spacing is ours."""
    audio: MaskKind = "unstructured"
    image: MaskKind = "unstructured"
    reconstruction_ratio: float = 0.75
    """Of both modalities in the reconstruction pass, always unstructured."""

    def __post_init__(self) -> None:
        if not self.ratios or not all(0 <= ratio < 1 for ratio in self.ratios):
            raise UsageError(f"masking.ratios is {self.ratios}", expected="at least one ratio, each 0 to below 1")
        if not 0 < self.reconstruction_ratio < 1:
            raise UsageError(
                f"masking.reconstruction_ratio is {self.reconstruction_ratio}", expected="above 0, below 1"
            )


def groups(
    modality: str,
    patches: Tensor,
    keys: Tensor,
    index: Tensor,
    grid: tuple[int, int],
    ratios: Sequence[float],
    kind: MaskKind,
) -> list[Group]:
    """The visible patches of K groups of B / K clips, one ratio each.

    Args:
        modality: of the patches.
        patches: `[B, N, V]`.
        keys: `[B]`, one for each clip.
        index: `[B]`, which ratio each clip has (`ratio_index`).
        grid: how the N patches lie.
        ratios: K of them.
        kind: how to mask.
    """
    order, found = visible_first(keys, grid, ratios, index, kind, f"mask/{modality}"), []
    for ratio, rows in zip(ratios, index.argsort(stable=True).chunk(len(ratios)), strict=True):
        places = order[rows, : kept(order.shape[1], ratio)]
        found.append(Group(modality, gather_patches(patches, rows, places), places))
    return found


def ratio_index(modality: str, positions: Tensor, randomness: Randomness, count: int) -> Tensor:
    """Which of `count` ratios each clip at `positions [B]` has."""
    return randomness.ratio_index(positions, count, f"ratio/{modality}")


def pooled(tokens: Sequence[Tensor], index: Tensor) -> Tensor:
    """Mean token of each sequence of K groups `[B / K, n, D]`, back in the order of the batch: `[B, D]`."""
    back = index.argsort(stable=True).argsort()
    return torch.cat([t.mean(dim=1) for t in tokens])[back]
