"""Starting points: a released ViT carried into a method's network before its first step.

AVSiam (arXiv 2403.19638, sec. 3, and its released code): sound's patch kernel is the mean of the picture's over the
colours, positions are carried to the spectrogram's grid, LayerNorms are copied for each modality, the last two blocks
become the fusion layers. CAV-MAE (arXiv 2210.07839, appendix; released code): the kernel is the sum over the colours,
each trunk gets the first blocks and the joint blocks the last ones, norms are copied thrice; its positions stay fixed.
DeepAVFusion (arXiv 2312.01017): a ViT becomes the trunk of its own modality, fusion blocks start afresh.
EZ-VSL (arXiv 2203.09324): the picture's tower is an ImageNet ResNet-18.
A ViT that read spectrograms (AudioMAE) goes the other way: each colour gets a third of its kernel.
What only pretraining needs (decoder, separate audio norms of a pass) starts as the method starts it.

Legend: N token places, D width, p patch side.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.backbones.siamese_vit import SiameseViT
from seehear.contracts import Method
from seehear.errors import UsageError
from seehear.layers.block import Block
from seehear.layers.modality_tokens import ModalityTokens
from seehear.layers.positions import carry_bicubic, carry_nearest
from seehear.methods.avsiam import AVSiam
from seehear.methods.cav_mae import CavMae
from seehear.methods.deepavfusion import DeepAVFusion
from seehear.methods.ez_vsl import EzVsl
from seehear.methods.oneavm import OneAVM
from seehear.weights.released.deepavfusion import DeepAVFusionEncoder
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.ez_vsl import EzVslEncoder
from seehear.weights.released.method_encoder import MethodEncoder
from seehear.weights.released.resnet18 import ResNetEncoder
from seehear.weights.released.vit import ViTEncoder

Positions = Literal["nearest", "bicubic"]
Fusion = Literal["last", "repeat"]


def start_from(
    method: Method, encoder: ReleasedEncoder, positions: Positions = "nearest", fusion: Fusion = "last"
) -> None:
    """Carry the weights of `encoder` into `method`.

    Args:
        method: AVSiam, CAV-MAE or DeepAVFusion, of the encoder's width, depth, heads and patch side; or EZ-VSL or
            OneAVM. Of DeepAVFusion a plain ViT fills the trunk of its own modality alone.
        encoder: a plain ViT; for EZ-VSL and OneAVM a ResNet-18; or released weights of the same method, of which all
            that has the same name and shape is taken.
        positions: how positions get to a grid of another shape: as a row of N places, each taking the nearest one's
            (AVSiam's code), or by bicubic interpolation on the grid.
        fusion: the fusion layers start from the last blocks in order, or all from the last one (AVSiam's released
            pretraining).

    Raises:
        UsageError: if the two do not fit together.
    """
    if isinstance(encoder, (MethodEncoder, EzVslEncoder, DeepAVFusionEncoder)):
        _continue(method, encoder)
    elif isinstance(encoder, ResNetEncoder):
        _start_image_tower(method, encoder)
    elif not isinstance(encoder, ViTEncoder):
        raise UsageError(f"{encoder.layout} weights as a starting point", expected="a plain ViT, or the same method")
    elif isinstance(method, AVSiam):
        _start_avsiam(method, encoder, positions, fusion)
    elif isinstance(method, CavMae):
        _start_cav_mae(method, encoder, positions)
    elif isinstance(method, DeepAVFusion):
        _start_deepavfusion(method, encoder)
    else:
        raise UsageError(
            f"{type(method).__name__} from {encoder.layout} weights", expected="AVSiam, CAV-MAE or DeepAVFusion"
        )


# ---------------------------------------------------------------------------------------------------------- methods
@torch.no_grad()
def _start_avsiam(method: AVSiam, encoder: ViTEncoder, positions: Positions, fusion: Fusion) -> None:
    source, trunk = encoder.trunk, method.trunk
    _refuse_other_sizes(encoder, method, method.config.depth)
    _start_tokens(trunk, encoder, positions, _mean)
    stacks = [trunk.blocks] if isinstance(trunk, SiameseViT) else list(trunk.trunks.values())
    for stack in (*stacks, method.separate_audio):
        for block, own in zip(stack or (), source.blocks, strict=False):  # type: ignore[arg-type]
            copy_block(block, own, encoder.modality)  # type: ignore[arg-type]
    for norm in (*trunk.norm.values(), method.separate_norm):  # type: ignore[union-attr]
        if norm is not None:
            norm.load_state_dict(source.norm[encoder.modality].state_dict())
    last = list(source.blocks)[-len(method.fusion) :] if fusion == "last" else [source.blocks[-1]] * len(method.fusion)
    for block, own in zip(method.fusion, last, strict=True):
        copy_block(block, own, encoder.modality)  # type: ignore[arg-type]


@torch.no_grad()
def _start_cav_mae(method: CavMae, encoder: ViTEncoder, positions: Positions) -> None:
    source, depth = encoder.trunk, method.config.depth
    _refuse_other_sizes(encoder, method, depth + method.config.joint_depth)
    _start_tokens(method.trunk, encoder, positions, _sum)
    for stack in method.trunk.trunks.values():
        for block, own in zip(stack, list(source.blocks)[:depth], strict=True):  # type: ignore[arg-type]
            copy_block(block, own, encoder.modality)  # type: ignore[arg-type]
    for block, own in zip(method.joint, list(source.blocks)[depth:], strict=True):
        copy_block(block, own, encoder.modality)  # type: ignore[arg-type]
    for norm in method.norm.values():
        norm.load_state_dict(source.norm[encoder.modality].state_dict())


@torch.no_grad()
def _start_deepavfusion(method: DeepAVFusion, encoder: ViTEncoder) -> None:
    """The trunk of the ViT's own modality; positions stay fixed sine-cosine (the release makes AudioMAE's anew)."""
    source, modality, own = encoder.trunk, encoder.modality, method.encoder
    _refuse_other_sizes(encoder, method, method.config.depth)
    given: nn.Linear = source.patch_embed[modality].proj  # type: ignore[assignment, union-attr]
    projection: nn.Linear = own.patch_embed[modality].proj  # type: ignore[assignment, union-attr]
    projection.weight.copy_(_kernels(given.weight, modality, encoder.patch, _sum)[modality])
    projection.bias.copy_(given.bias)
    for block, theirs in zip(own.trunks[modality], source.blocks, strict=True):  # type: ignore[arg-type]
        copy_block(block, theirs, modality)  # type: ignore[arg-type]
    own.norm[modality].load_state_dict(source.norm[modality].state_dict())


@torch.no_grad()
def _start_image_tower(method: Method, encoder: ResNetEncoder) -> None:
    """The picture's tower alone; the sound's starts from scratch (EZ-VSL, arXiv 2203.09324)."""
    if not isinstance(method, (EzVsl, OneAVM)) or method.config.towers != encoder.layout:
        raise UsageError(
            f"{type(method).__name__} from {encoder.layout} weights", expected="EZ-VSL or OneAVM with ResNet-18 towers"
        )
    method.get_submodule("trunk.image").load_state_dict(encoder.trunk.state_dict())


@torch.no_grad()
def _continue(method: Method, encoder: MethodEncoder | EzVslEncoder | DeepAVFusionEncoder) -> None:
    """All that has the same name and shape; the encoder itself must fit in whole."""
    if type(encoder.method) is not type(method):
        raise UsageError(
            f"{encoder.layout} weights for {type(method).__name__}", expected=type(encoder.method).__name__
        )
    own, given = method.state_dict(), encoder.method.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    lost = [name for name in own if name.startswith(("trunk.", "joint.", "encoder.")) and name not in fitting]
    if lost:
        raise UsageError(
            f"{len(lost)} tensors of the encoder have another shape or are missing, first {lost[0]}",
            expected="a recipe with the sizes of the weights",
        )
    method.load_state_dict(own | fitting)


# ------------------------------------------------------------------------------------------------------------ parts
def _refuse_other_sizes(encoder: ViTEncoder, method: AVSiam | CavMae | DeepAVFusion, depth: int) -> None:
    source, config = encoder.trunk, method.config
    found = (encoder.patch, source.width, len(source.blocks), source.blocks[0].attn.heads)  # type: ignore[union-attr]
    wanted = (config.patch, config.width, depth, config.heads)
    if found != wanted or config.stem != "linear":
        raise UsageError(
            f"weights with {_in_words(found)} for a network with {_in_words(wanted)} and a {config.stem} stem",
            expected="the same sizes, and the linear stem",
            cure=_recipe(method, source.width),
        )


def _recipe(method: AVSiam | CavMae | DeepAVFusion, width: int) -> str:
    """Which recipe has the sizes of a ViT of that width."""
    names = {192: "tiny", 384: "small", 768: "base", 1024: "large", 1280: "huge"}
    if isinstance(method, CavMae):
        return "cav_mae_paper_base, for ViT-Base"
    if isinstance(method, DeepAVFusion):
        return "deepavfusion_paper_vggsound, for ViT-Base"
    return f"the recipe avsiam_paper_{names[width]}" if width in names else "a recipe of that size"


def _in_words(sizes: tuple[int, ...]) -> str:
    names = ("patch side", "width", "blocks", "heads")
    return ", ".join(f"{name} {size}" for name, size in zip(names, sizes, strict=True))


Kernel = Callable[[Tensor], Tensor]


def _mean(kernel: Tensor) -> Tensor:
    return kernel.mean(dim=-1)


def _sum(kernel: Tensor) -> Tensor:
    return kernel.sum(dim=-1)


def _start_tokens(tokens: ModalityTokens, encoder: ViTEncoder, positions: Positions, to_grey: Kernel) -> None:
    """Patch kernels and, where they are learnt, positions of both modalities."""
    source, modality, patch = encoder.trunk, encoder.modality, encoder.patch
    own = source.patch_embed[modality].proj  # type: ignore[union-attr]
    kernels = _kernels(own.weight, modality, patch, to_grey)  # type: ignore[arg-type]
    table, grid = source.positions[modality], source.grids[modality]
    if modality == "audio":  # read time by time; ours lie frequency by frequency
        table, grid = table.unflatten(0, grid).transpose(0, 1).flatten(0, 1), (grid[1], grid[0])
    for name, kernel in kernels.items():
        projection: nn.Linear = tokens.patch_embed[name].proj  # type: ignore[assignment, union-attr]
        projection.weight.copy_(kernel)
        projection.bias.copy_(own.bias)  # type: ignore[arg-type]
        if tokens.positions[name].requires_grad:
            tokens.positions[name].copy_(_carried(table, grid, tokens.grids[name], positions))  # type: ignore[arg-type]


def _kernels(kernel: Tensor, modality: str, patch: int, to_grey: Kernel) -> dict[str, Tensor]:
    """Projections `[D, V]` of sound and picture from those of the modality that the ViT read."""
    if modality == "image":
        return {"image": kernel, "audio": to_grey(kernel.unflatten(1, (patch * patch, 3)))}
    sound = kernel.unflatten(1, (patch, patch)).transpose(1, 2).flatten(1)  # (frame, mel bin) to (mel bin, frame)
    return {"audio": sound, "image": (sound / 3).repeat_interleave(3, dim=1)}


def _carried(table: Tensor, grid: tuple[int, int], target: tuple[int, int], positions: Positions) -> Tensor:
    if grid == target:
        return table
    if positions == "nearest":
        return carry_nearest(table, target[0] * target[1])
    return carry_bicubic(table, grid, target)


def copy_block(block: Block, source: Block, norm: str) -> None:
    """Attention and MLP, and the source's norm set `norm` into every set."""
    block.attn.load_state_dict(source.attn.state_dict())
    block.mlp.load_state_dict(source.mlp.state_dict())
    for ours, theirs in ((block.norm1, source.norm1), (block.norm2, source.norm2)):
        for each in ours.values():
            each.load_state_dict(theirs[norm].state_dict())
