"""Plain ViT files: the tensors that timm, DINOv2, MAE and AudioMAE name alike, as a trunk of one modality.

Sources: Dosovitskiy et al., "An image is worth 16x16 words" (2021); registers: Darcet et al. (2024); LayerScale:
Touvron et al., "Going deeper with image transformers" (2021). All LayerNorms have the epsilon 1e-6.

Tokens stand in the order class token, registers, patches. A position for the class token (or, in timm, for the
registers too) is added to it here once and for all; LayerScale is folded into the matrices before it.

Legend: B batch, N patches, K tokens before them, D width, p patch side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.backbones.siamese_vit import SiameseViT
from seehear.errors import DataError, UsageError
from seehear.layers.packing import whole
from seehear.layers.patches import conv_to_linear, cut_picture, cut_spectrogram_by_time
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.published_blocks import Named, norm, stack
from seehear.weights.released.reading import Reading
from seehear.weights.released.shapes import refuse_shape
from seehear.weights.released.sizes import heads_of
from seehear.weights.released.state import StateReader

EPS = 1e-6
MEL_BINS = 128
CHANNELS = {"audio": 1, "image": 3}
REGISTERS = ("reg_token", "register_tokens")  # timm's name and DINOv2's
HEADS = ("head.", "head_dist.", "fc_norm.", "pre_logits.", "attn_pool.")
CHANGES = ("blocks.", "patch_embed.", "norm.", "norm_pre.", "dist_token", "rel_pos", "rope", "cls_token", "pos_embed")


class ViTEncoder(ReleasedEncoder):
    """A plain ViT of one modality; see `ReleasedEncoder`.

    Args:
        trunk: the network.
        patch: p.
        reading: what became of the file's keys.
        preprocessing: what the inputs must have gone through; their size is the trunk's.
        average_after: return the mean of the normed tokens after every block beyond this number, counted from 0, in the
            place of those after the last (see `audiomae`).
    """

    def __init__(
        self,
        trunk: SiameseViT,
        patch: int,
        reading: Reading,
        preprocessing: Preprocessing,
        average_after: int | None = None,
    ):
        ((modality, grid),) = trunk.grids.items()
        rows, columns = (side * patch for side in grid)
        if modality == "audio":
            preprocessing = replace(preprocessing, audio_frames=rows, mel_bins=columns)
        else:
            preprocessing = replace(preprocessing, image_size=(rows, columns))
        super().__init__(reading, preprocessing)
        self.trunk, self.modality, self.patch = trunk, modality, patch
        self.shape = (rows, columns) if modality == "audio" else (3, rows, columns)
        self.average_after = average_after
        if average_after is not None and not 0 <= average_after < len(trunk.blocks) - 1:
            raise UsageError(f"a mean over blocks after number {average_after} of {len(trunk.blocks)}")

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Tokens `[B, K + N, D]` after the final norm: class token, registers, patches (the first two as far as the
        file has them). "image" of `image [B, 3, H, W]`, row-major; of AudioMAE "audio" of `spectrogram [B, T, F]`, time
        by time.

        Raises:
            UsageError: if the other modality is given or this one is not, or the shape does not fit.
        """
        given = {"audio": spectrogram, "image": image}
        values = given.pop(self.modality)
        ((other, foreign),) = given.items()
        if foreign is not None or values is None:
            found = f"{'an' if other == 'audio' else 'a'} {other} input" if foreign is not None else "no input"
            raise UsageError(f"{found} for {self.layout} weights", expected=f"{self.modality} alone")
        refuse_shape("spectrogram" if self.modality == "audio" else "image", values, self.shape)
        cut = cut_spectrogram_by_time if self.modality == "audio" else cut_picture
        groups = [whole(self.modality, cut(values, self.patch))]
        if self.average_after is None:
            return {self.modality: self.trunk(groups).tokens[0]}
        norm, layers = self.trunk.norm[self.modality], self.trunk(groups, with_layers=True).layers
        averaged = torch.stack([norm(layer[0]) for layer in layers[self.average_after + 1 :]]).mean(dim=0)
        return {self.modality: averaged}


@dataclass(frozen=True)
class Sizes:
    """Read off a file: D, p, blocks, the token grid, registers, and how many leading tokens have a position."""

    width: int
    patch: int
    depth: int
    grid: tuple[int, int]
    registers: int
    placed: int


def read_vit(
    state: StateReader,
    modality: str,
    preprocessing: Preprocessing,
    heads: int | None = None,
    grid: Sequence[int] | None = None,
    image_size: int | Sequence[int] | None = None,
    average_after: int | None = None,
) -> ViTEncoder:
    """The encoder of a file.

    Args:
        state: the file.
        modality: "audio" or "image".
        preprocessing: what the inputs must have gone through.
        heads: attention heads; by default those of the file's size.
        grid: the file's token grid (rows, columns) where it is not square, (times, rows of mel bins) for sound.
        image_size: side, or height and width, of pictures to carry positions to; None: the file's.
        average_after: see `ViTEncoder`.

    Raises:
        DataError: if the file lacks something, or holds what changes the function and is not built here.
        UsageError: if the image size is no multiple of the patch side.
    """
    sizes = find_sizes(state, modality, grid)
    tensors = _tensors(state, modality, sizes)
    for prefix in HEADS:
        state.drop(prefix, "reads what the tokens were made into: a class head or its norm")
    for prefix in ("mask_token", "decoder_"):
        state.drop(prefix, "serves pretraining alone")
    state.refuse(*CHANGES)
    if state.has("fc_norm.") and not state.has("norm."):
        raise DataError(
            "fc_norm.* without norm.*",
            expected="a final norm over the tokens",
            cause="a network fine-tuned on the mean of its tokens, which is normed in their place",
            cure="the pretrained file of the same network",
        )
    target = sizes.grid if image_size is None else _grid_of(image_size, sizes.patch)
    if target != sizes.grid:
        key = f"positions.{modality}"
        tensors[key] = carried(tensors[key], sizes.grid, target)
        old, new = (" x ".join(map(str, side)) for side in (sizes.grid, target))
        state.fallback([f"pos_embed of {new}"], f"carried from {old} by bicubic interpolation with antialiasing")
    reading = state.finish()
    leading = tensors[f"first.{modality}"].shape[0] if f"first.{modality}" in tensors else 0
    with torch.device("meta"):  # no draws: every value comes from the file
        trunk = SiameseViT(
            {modality: target},
            {modality: CHANNELS[modality]},
            sizes.patch,
            sizes.width,
            sizes.depth,
            heads or heads_of(sizes.width),
            leading=leading,
            block_eps=EPS,
            final_eps=EPS,
        )
    trunk.to_empty(device="cpu").load_state_dict(tensors)
    return ViTEncoder(trunk, sizes.patch, reading, preprocessing, average_after)


def find_sizes(state: StateReader, modality: str, grid: Sequence[int] | None) -> Sizes:
    """Read off the tensors.

    Raises:
        DataError: if those that tell sizes are missing, or the positions fill no grid.
    """
    extra = {name: 3 for name in REGISTERS if state.has(name)}
    kernel, positions, *others = state.sizes({"patch_embed.proj.weight": 4, "pos_embed": 3} | extra)
    width, patch, count = kernel[0], kernel[2], positions[1]
    registers = others[0][1] if others else 0
    classes = 1 if state.has("cls_token") else 0
    for placed in dict.fromkeys((classes, 0, classes + registers)):
        found = (grid[0], grid[1]) if grid else _grid(count - placed, modality, patch)
        if found is not None and math.prod(found) == count - placed:
            return Sizes(width, patch, max(state.count_blocks("blocks."), 1), found, registers, placed)
    raise DataError(
        f"pos_embed has {count} places, with {classes} class token and {registers} registers",
        expected="a square of patches" if modality == "image" else f"patches of {MEL_BINS} mel bins",
        cause="a picture that is not square" if modality == "image" else "another number of mel bins",
        cure="the option grid=(rows, columns)",
    )


def _grid(places: int, modality: str, patch: int) -> tuple[int, int] | None:
    """The token grid of so many places: a square, or (times, rows of `MEL_BINS`); None: they fill none."""
    if modality == "image":
        side = math.isqrt(max(places, 0))
        return (side, side) if side else None
    rows = max(MEL_BINS // patch, 1)
    return (places // rows, rows) if places >= rows else None


def _grid_of(size: int | Sequence[int], patch: int) -> tuple[int, int]:
    """The token grid of pictures of that size."""
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < patch or height % patch or width % patch:
        raise UsageError(f"pictures of {height} x {width}", expected=f"sides that are multiples of the patch, {patch}")
    return height // patch, width // patch


def _tensors(state: StateReader, modality: str, sizes: Sizes) -> Named:
    """Everything of the network under this project's names."""
    width, patch = sizes.width, sizes.patch
    kernel = state.take("patch_embed.proj.weight", (width, CHANNELS[modality], patch, patch))
    rows = sizes.placed + math.prod(sizes.grid)
    positions = state.take("pos_embed", (1, rows, width))[0]
    found: Named = {
        f"patch_embed.{modality}.proj.weight": conv_to_linear(kernel),
        f"patch_embed.{modality}.proj.bias": state.take("patch_embed.proj.bias", (width,)),
        f"positions.{modality}": positions[sizes.placed :],
    }
    first = [state.take("cls_token", (1, 1, width))[0]] if state.has("cls_token") else []
    first += [state.take(name, (1, sizes.registers, width))[0] for name in REGISTERS if state.has(name)][:1]
    if first:
        leading = torch.cat(first)
        found[f"first.{modality}"] = leading + F.pad(positions[: sizes.placed], (0, 0, 0, len(leading) - sizes.placed))
    found |= stack(state, "blocks.", "blocks", sizes.depth, width, {modality: ""})
    for number in range(sizes.depth):
        for scale, name in (("ls1", "attn.proj"), ("ls2", "mlp.fc2")):
            gamma = state.optional(f"blocks.{number}.{scale}.gamma", (width,))
            if gamma is not None:
                found[f"blocks.{number}.{name}.weight"] = gamma[:, None] * found[f"blocks.{number}.{name}.weight"]
                found[f"blocks.{number}.{name}.bias"] = gamma * found[f"blocks.{number}.{name}.bias"]
    return found | norm(state, "norm", f"norm.{modality}", width)


def carried(positions: Tensor, grid: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Positions `[N, D]` of `grid` on `target`: bicubic with antialiasing, as timm carries them."""
    picture = positions.T.reshape(1, -1, *grid)
    return F.interpolate(picture, size=target, mode="bicubic", antialias=True).flatten(2)[0].T
