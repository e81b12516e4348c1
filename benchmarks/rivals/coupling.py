"""The one place where the rivals touch the package: its weights, its masks, and inputs that are already made.

Everything here rests on `AVSiam`'s configuration, its parameters' names, and the shapes of `Group` and `HiddenGroup`.

Legend: B batch, N token places, V values of a patch.
"""

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.rivals.plain import Plain
from benchmarks.rivals.reference import Reference
from benchmarks.rivals.shape import AUDIO, IMAGE, Masks, Shape
from seehear.contracts import Batch, declare_field
from seehear.layers.inputs import pictures, spectrograms
from seehear.layers.patches import cut_picture, cut_spectrogram
from seehear.methods.avsiam import AVSiam, Config
from seehear.randomness import Randomness

declare_field("bench_spectrogram", ("B", "T", "F"), torch.float32, "normalised log-mel spectrogram, made beforehand")
declare_field("bench_picture", ("B", 3, "H", "W"), torch.float32, "normalised picture, made beforehand")


class Prepared(AVSiam):
    """AVSiam on normalised spectrograms and pictures that were made beforehand, as its rivals get them."""

    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Patch values `[B, N, V]` of the prepared inputs."""
        patch, dtype = self.config.patch, next(self.parameters()).dtype
        return {
            AUDIO: cut_spectrogram(batch["bench_spectrogram"].to(dtype), patch),
            IMAGE: cut_picture(batch["bench_picture"].to(dtype), patch),
        }


def prepared(batch: Batch, config: Config, randomness: Randomness | None) -> Batch:
    """`batch` with waveforms and frames made what the network reads, augmented where a randomness is given."""
    keys = None if randomness is None else randomness.keys(batch.positions, batch.sample_ids)
    fields = {
        "bench_spectrogram": spectrograms(batch, config.inputs, keys),
        "bench_picture": pictures(batch, config.inputs, keys),
    }
    return Batch(batch.sample_ids, batch.positions, fields)


def shape_of(config: Config) -> Shape:
    """The rivals' sizes for a configuration of ours."""
    recipe = config.reconstruction
    kind = config.masking.audio
    if kind not in ("tf", "unstructured") or config.masking.image != "unstructured" or recipe.per_patch_targets:
        raise ValueError(f"the rivals have no masks like {config.masking}, or no targets per patch")
    return Shape(
        grids=config.inputs.grids(config.patch),
        patch=config.patch,
        width=config.width,
        depth=config.depth,
        heads=config.heads,
        fusion_depth=recipe.fusion_depth,
        decoder_width=recipe.width_for(config.width),
        decoder_depth=recipe.depth,
        decoder_heads=recipe.heads,
        stem=config.stem,
        double_embed=config.double_embed,
        ratios=config.masking.ratios,
        audio_mask=kind,
        reconstruction_ratio=config.masking.reconstruction_ratio,
        temperature=config.temperature,
    )


def masks_of(ours: AVSiam, batch: Batch, randomness: Randomness) -> Masks:
    """The masks that `ours` draws for `batch`: patches that hold their own row and place show what it takes."""
    keys, device = randomness.keys(batch.positions, batch.sample_ids), batch.positions.device
    marked = {}
    for modality, (rows, columns) in ours.grids.items():
        clips = torch.arange(len(batch), device=device)[:, None].expand(-1, rows * columns)
        marked[modality] = torch.stack([clips, torch.arange(rows * columns, device=device).expand_as(clips)], dim=-1)
    contrast: dict[str, list[tuple[Tensor, Tensor]]] = {m: [] for m in marked}
    for group in ours._contrast_groups(marked, batch, randomness, keys):
        contrast[group.modality].append((group.patches[:, 0, 0], group.places))
    hidden = {group.modality: group for group in ours._hidden(marked, keys, share=1.0)}
    return Masks(contrast, {m: g.places for m, g in hidden.items()}, {m: g.hidden for m, g in hidden.items()})


def load_reference(rival: Reference, ours: AVSiam) -> None:
    """Copy the weights of `ours` into both trunks of R0."""
    _load(rival, ours, reference_names)


def load_plain(rival: Plain, ours: AVSiam) -> None:
    """Copy the weights of `ours` into R1."""
    _load(rival, ours, lambda name: (name,))


def gradients(rival: nn.Module, ours: AVSiam) -> dict[str, Tensor]:
    """The rival's gradients under the names and in the shapes of ours; those of copies of one weight add up."""
    names = reference_names if isinstance(rival, Reference) else lambda name: (name,)
    parameters, result = dict(rival.named_parameters()), {}
    for name, value in ours.named_parameters():
        total = torch.zeros_like(value)
        for theirs in names(name):
            gradient = parameters[theirs].grad
            if gradient is not None:
                total += _view(theirs, gradient).reshape(value.shape)
        result[name] = total
    return result


def reference_names(name: str) -> tuple[str, ...]:
    """R0's parameters that hold our parameter `name`."""
    for pattern, targets in _RULES:
        if re.fullmatch(pattern, name):
            return tuple(re.sub(pattern, target, name) for target in targets)
    raise KeyError(name)


# norms of sound are a set of its own in the first trunk, the neutral set in the second
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"trunk\.patch_embed\.audio\.(.*)", (r"vit_base.patch_embed_a.\1",)),
    (r"trunk\.patch_embed\.image\.(.*)", (r"vit_base.patch_embed.\1",)),
    (r"trunk\.positions\.audio", ("vit_base.pos_embed_a",)),
    (r"trunk\.positions\.image", ("vit_base.pos_embed",)),
    (r"trunk\.(blocks\.\d+\.norm\d)\.audio\.(.*)", (r"vit_base.\1_a.\2", r"ast_base.\1.\2")),
    (r"trunk\.(blocks\.\d+\.norm\d)\.image\.(.*)", (r"vit_base.\1_v.\2",)),
    (r"trunk\.(blocks\..*)", (r"vit_base.\1", r"ast_base.\1")),
    (r"trunk\.norm\.audio\.(.*)", (r"vit_base.norm_a.\1", r"ast_base.norm_a.\1")),
    (r"trunk\.norm\.image\.(.*)", (r"vit_base.norm.\1",)),
    (r"fusion\.(\d+\.norm\d)\.joint\.(.*)", (r"mm_layer.\1_a.\2",)),
    (r"fusion\.(.*)", (r"mm_layer.\1",)),
    (r"decoder\.embed\.(.*)", (r"decoder_embed.\1",)),
    (r"decoder\.mask_token", ("mask_token",)),
    (r"decoder\.positions\.audio", ("decoder_pos_embed_a",)),
    (r"decoder\.positions\.image", ("decoder_pos_embed_v",)),
    (r"decoder\.modalities\.audio", ("decoder_modality_a",)),
    (r"decoder\.modalities\.image", ("decoder_modality_v",)),
    (r"decoder\.(blocks\.\d+\.norm\d)\.joint\.(.*)", (r"decoder_\1.\2",)),
    (r"decoder\.(blocks\..*)", (r"decoder_\1",)),
    (r"decoder\.norm\.(.*)", (r"decoder_norm.\1",)),
    (r"decoder\.heads\.audio\.(.*)", (r"decoder_pred_a.\1",)),
    (r"decoder\.heads\.image\.(.*)", (r"decoder_pred_v.\1",)),
)


@torch.no_grad()
def _load(rival: nn.Module, ours: AVSiam, names: Callable[[str], tuple[str, ...]]) -> None:
    parameters = dict(rival.named_parameters())
    for name, value in ours.named_parameters():
        for theirs in names(name):
            target = _view(theirs, parameters[theirs])
            target.copy_(value.reshape(target.shape))


def _view(name: str, value: Tensor) -> Tensor:
    """A rival's parameter, or its gradient, in the order of our values."""
    if value.ndim == 4:  # a kernel [D, C, p, p]: we hold (row, column, channel)
        return value.permute(0, 2, 3, 1)
    return value[:, 1:] if name == "vit_base.pos_embed" else value  # without the class token's position
