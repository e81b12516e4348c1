"""Random weights under the names that timm, DINOv2, MAE and AudioMAE share, and what they compute, from the equations.

The oracle convolves with the published kernel, splits heads by hand and sums over keys with einsum; it shares nothing
with the package.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-6


def shapes(width: int, depth: int, patch: int, places: int, channels: int = 3) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a ViT whose `pos_embed` has so many places."""
    found: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, places, width),
        "patch_embed.proj.weight": (width, channels, patch, patch),
        "patch_embed.proj.bias": (width,),
    }
    for number in range(depth):
        for name, outputs, inputs in (
            ("attn.qkv", 3 * width, width),
            ("attn.proj", width, width),
            ("mlp.fc1", 4 * width, width),
            ("mlp.fc2", width, 4 * width),
        ):
            found[f"blocks.{number}.{name}.weight"] = (outputs, inputs)
            found[f"blocks.{number}.{name}.bias"] = (outputs,)
        for name in ("norm1", "norm2"):
            found |= {f"blocks.{number}.{name}.{part}": (width,) for part in ("weight", "bias")}
    return found | {f"norm.{part}": (width,) for part in ("weight", "bias")}


def made(names: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Random tensors; the weights of norms and LayerScales lie around 1.

    All values are multiples of 1 / 1024: sums and products of two of them are exact in float32.
    """
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, shape in names.items():
        around = 1.0 if ("norm" in name and name.endswith("weight")) or name.endswith("gamma") else 0.0
        values = around + torch.randn(shape, generator=generator) / math.sqrt(max(shape[-1], 1))
        result[name] = (values * 1024).round() / 1024
    return result


def tiny(places: int = 10, **others: int) -> dict[str, Tensor]:
    """Width 128, depth 2, patch 16, a class token and nine patches."""
    return made(shapes(**{"width": 128, "depth": 2, "patch": 16, "places": places, **others}))


def tokens(state: dict[str, Tensor], values: Tensor, heads: int, depth: int | None = None) -> Tensor:
    """Class token, registers and patches after the final norm, `[B, K + N, D]`.

    Positions go to all tokens that they are enough for, counted from the patches back: registers of DINOv2 and of timm
    with positions for the class token alone have none.
    """
    kernel, width = state["patch_embed.proj.weight"], state["pos_embed"].shape[-1]
    cells = F.conv2d(values, kernel, state["patch_embed.proj.bias"], stride=kernel.shape[-1])
    patches = cells.reshape(len(values), width, -1).permute(0, 2, 1)
    positions = state["pos_embed"]
    patches = patches + positions[:, positions.shape[1] - patches.shape[1] :]
    spare = positions[0, : positions.shape[1] - patches.shape[1]]
    registers = next((state[name][0] for name in ("reg_token", "register_tokens") if name in state), None)
    leading = [state["cls_token"][0]] if "cls_token" in state else []
    leading += [registers] if registers is not None else []
    if leading:
        first = torch.cat(leading).clone()
        for place in range(len(spare)):
            first[place] += spare[place]
        patches = torch.cat([first.expand(len(values), -1, -1), patches], dim=1)
    x = patches
    for number in range(depth or sum(name.endswith("attn.proj.weight") for name in state)):
        x = x + _scaled(
            state, f"blocks.{number}.ls1", _attention(state, number, _normed(state, f"blocks.{number}.norm1", x), heads)
        )
        x = x + _scaled(state, f"blocks.{number}.ls2", _mlp(state, number, _normed(state, f"blocks.{number}.norm2", x)))
    return _normed(state, "norm", x)


def _normed(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], EPS)


def _scaled(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    return x * state[f"{name}.gamma"] if f"{name}.gamma" in state else x


def _attention(state: dict[str, Tensor], number: int, x: Tensor, heads: int) -> Tensor:
    prefix, size = f"blocks.{number}.attn.", x.shape[-1] // heads
    rows = torch.einsum("bnd,ed->bne", x, state[f"{prefix}qkv.weight"]) + state[f"{prefix}qkv.bias"]
    outputs = []
    for head in range(heads):
        start = head * size
        q, k, v = (rows[..., part * x.shape[-1] + start :][..., :size] for part in range(3))
        scores = torch.einsum("bid,bjd->bij", q, k) / math.sqrt(size)
        weights = scores.exp() / scores.exp().sum(dim=-1, keepdim=True)
        outputs.append(torch.einsum("bij,bjd->bid", weights, v))
    joined = torch.cat(outputs, dim=-1)
    return torch.einsum("bnd,ed->bne", joined, state[f"{prefix}proj.weight"]) + state[f"{prefix}proj.bias"]


def _mlp(state: dict[str, Tensor], number: int, x: Tensor) -> Tensor:
    prefix = f"blocks.{number}.mlp."
    hidden = torch.einsum("bnd,ed->bne", x, state[f"{prefix}fc1.weight"]) + state[f"{prefix}fc1.bias"]
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    return torch.einsum("bnd,ed->bne", hidden, state[f"{prefix}fc2.weight"]) + state[f"{prefix}fc2.bias"]
