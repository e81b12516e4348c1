"""Hiding patches from an encoder, and putting back what a decoder draws of them.

Legend: B batch, N token places, n visible ones, m hidden ones to draw, V values of a patch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from seehear.contracts import Reconstruction
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.layers.masking import MaskKind, kept, visible_first
from seehear.layers.packing import Group
from seehear.layers.patches import gather_patches, join_picture, join_spectrogram


@dataclass(frozen=True)
class HiddenGroup(Group):
    """A group to reconstruct: also the hidden places `[B, m]` to draw and their values `[B, m, V]`."""

    hidden: Tensor
    targets: Tensor


def hide(
    modality: str,
    patches: Tensor,
    keys: Tensor,
    grid: tuple[int, ...],
    ratio: float,
    kind: MaskKind = "unstructured",
    share: float = 1.0,
    purpose: str = "hide",
) -> HiddenGroup:
    """Hide a share `ratio` of `patches [B, N, V]`, another choice for each of `keys [B]`.

    Args:
        modality: of the patches.
        patches: all of them.
        keys: one for each clip.
        grid: how the N patches lie.
        ratio: share to hide.
        kind: how (see `seehear.layers.masking`).
        share: of the hidden patches that is to be drawn.
        purpose: keeps draws of different use apart.
    """
    first = torch.zeros_like(keys)
    order = visible_first(keys, grid, (ratio,), first, kind, f"{purpose}/{modality}")
    visible, hidden = order.tensor_split([kept(order.shape[1], ratio)], dim=1)
    return _group(modality, patches, visible, hidden[:, : max(1, round(hidden.shape[1] * share))])


def hidden_by(modality: str, patches: Tensor, mask: Tensor) -> HiddenGroup:
    """Hide the patches where `mask [B, N]` is not 0 (1 = removed).

    Raises:
        UsageError: if the mask has another shape, hides not equally many patches of each clip, or all or none.
    """
    if mask.shape != patches.shape[:2]:
        raise UsageError(
            f"a mask {tuple(mask.shape)} of the {modality}", expected=f"one entry per patch, {tuple(patches.shape[:2])}"
        )
    removed = mask != 0
    counts = removed.sum(dim=1)
    count = int(counts[0])
    if (counts != count).any() or not 0 < count < mask.shape[1]:
        raise UsageError(
            f"the {modality} mask hides {sorted(set(counts.tolist()))} of {mask.shape[1]} patches",
            expected="equally many of each clip, not all and not none",
        )
    order = removed.to(torch.uint8).argsort(dim=1, stable=True)
    visible, hidden = order.split([mask.shape[1] - count, count], dim=1)
    return _group(modality, patches, visible, hidden)


def _group(modality: str, patches: Tensor, visible: Tensor, hidden: Tensor) -> HiddenGroup:
    rows = torch.arange(len(patches), device=patches.device)
    seen, targets = (gather_patches(patches, rows, places) for places in (visible, hidden))
    return HiddenGroup(modality, seen, visible, hidden, targets)


def stacked(views: Sequence[HiddenGroup]) -> HiddenGroup:
    """Groups of one modality and equal lengths as one, one below the other."""
    parts = [torch.cat([getattr(view, name) for view in views]) for name in ("patches", "places", "hidden", "targets")]
    return HiddenGroup(views[0].modality, *parts)


def drawing(
    group: HiddenGroup,
    patches: Tensor,
    drawn: Tensor,
    inputs: InputConfig,
    patch: int,
    per_patch: bool = False,
    join: Callable[[Tensor], Tensor] | None = None,
) -> Reconstruction:
    """Drawn values `[B, m, V]` in place among `patches [B, N, V]`, in pictures of 0 to 1 or log-mel units.

    `join` puts patches `[B, N, V]` together; by default it undoes `patches_of`.
    A network that learnt standardised patches (`per_patch`) cannot know their brightness: it is lent the true mean and
    deviation of each, as MAE's figures are made; for in-painting train with raw targets.
    """
    if per_patch:
        variance, mean = torch.var_mean(group.targets, dim=-1, keepdim=True)
        drawn = drawn * (variance + 1e-6).sqrt() + mean
    place = group.hidden[..., None].expand_as(drawn)
    filled = patches.scatter(1, place, drawn.to(patches.dtype))
    mask = torch.zeros_like(patches).scatter(1, place, 1.0)
    image = group.modality == "image"
    show = inputs.picture_units if image else inputs.spectrogram_units
    if join is None:
        grid = inputs.grids(patch)[group.modality]
        join = partial(join_picture if image else join_spectrogram, patch=patch, grid=grid)
    original, reconstruction, hidden = (join(values) for values in (patches, filled, mask))
    return Reconstruction(show(original), show(reconstruction), hidden.bool(), (patch, patch), per_patch)
