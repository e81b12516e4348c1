"""Random weights under DeepAVFusion's published names, and what a network with them computes, step by step in float64.

As published: every block runs over fusion tokens and its modality's, what comes out in the fusion tokens' places is
thrown away; all pairs of aggregators are laid out; fusion blocks add to the normed tokens.
"""

import math

import torch
from torch.nn import functional as F

PATCH = 16
PLACES = {"image": 196, "audio": 96}
CHANNELS = {"image": 3, "audio": 1}


def _linear(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name, width):
    return {f"{name}.{part}": (width,) for part in ("weight", "bias")}


def _block(prefix, width, ratio):
    shapes = _norm(f"{prefix}norm1", width) | _norm(f"{prefix}norm2", width)
    shapes |= _linear(f"{prefix}attn.qkv", 3 * width, width) | _linear(f"{prefix}attn.proj", width, width)
    return (
        shapes | _linear(f"{prefix}mlp.fc1", ratio * width, width) | _linear(f"{prefix}mlp.fc2", width, ratio * width)
    )


def _fusion_block(prefix, width, narrow, hidden):
    shapes = {}
    for name in ("norm1_mm", "norm1_aud", "norm1_img", "norm2"):
        shapes |= _norm(prefix + name, width)
    for name in ("attn_v", "attn_a"):
        shapes |= _linear(f"{prefix}attn.{name}.q", width, width) | _linear(f"{prefix}attn.{name}.kv", 2 * width, width)
        shapes |= _linear(f"{prefix}attn.{name}.proj", width, width)
    shapes |= _linear(f"{prefix}attn.q", narrow, width) | _linear(f"{prefix}attn.k", narrow, 2 * width)
    shapes |= _linear(f"{prefix}attn.v", width, 2 * width) | _linear(f"{prefix}attn.proj", width, width)
    return shapes | _linear(f"{prefix}mlp.fc1", hidden, width) | _linear(f"{prefix}mlp.fc2", width, hidden)


def deepavfusion(
    width=64, depth=2, ratio=1.0, mlp_ratio=1.0, tokens=32, fused=None, decoders=True, prefix="", seed=0, scale=1.0
):
    """A file's `state_dict`; `fused` names the layers with a fusion block, all by default."""
    shapes = {"encoder.fusion_tokens": (1, tokens, width)} | _norm("encoder.fusion_norm", width)
    for modality, places in PLACES.items():
        name = f"encoder.{modality}."
        shapes |= {f"{name}pos_embed": (1, places, width), f"{name}patch_embed.proj.bias": (width,)}
        shapes |= {f"{name}patch_embed.proj.weight": (width, CHANNELS[modality], PATCH, PATCH)}
        for number in range(depth):
            shapes |= _block(f"{name}blocks.{number}.", width, 4)
        shapes |= _norm(f"{name}norm", width)
        if decoders:
            shapes |= _decoder(f"{modality}_decoder_", modality, width, 32)
    for number in range(depth) if fused is None else fused:
        sizes = (width, round(ratio * width), round(mlp_ratio * width))
        shapes |= _fusion_block(f"encoder.fusion_blocks.{number}.", *sizes)
    generator, state = torch.Generator().manual_seed(seed), {}
    for name, shape in shapes.items():
        gain = scale / math.sqrt(shape[-1]) if name.endswith("weight") and len(shape) == 2 else 0.3
        value = gain * torch.randn(shape, generator=generator)
        state[prefix + name] = value + ("norm" in name and name.endswith("weight"))
    return state


def _decoder(name, modality, width, narrow):
    shapes = _linear(f"{name}embed", narrow, width) | _norm(f"{name}norm", narrow)
    shapes |= {f"{name}mask_token": (1, 1, narrow), f"{name}pos_embed": (1, PLACES[modality], narrow)}
    shapes |= _linear(f"{name}pred", PATCH**2 * CHANNELS[modality], narrow)
    return shapes | _block(f"{name}blocks.0.", narrow, 4) | _block(f"{name}blocks.1.", narrow, 4)


class Oracle:
    """The published network in float64."""

    def __init__(self, state, heads=1, counts=(16, 8, 8)):
        self.state = {name.removeprefix("module."): value.double() for name, value in state.items()}
        self.heads, self.counts = heads, counts

    def norm(self, x, name, eps):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + eps) * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def linear(self, x, name):
        return torch.einsum("bni,oi->bno", x, self.state[f"{name}.weight"]) + self.state[f"{name}.bias"]

    def attention(self, q, k, v, scale):
        outputs = []
        for head in range(self.heads):
            mine = [t.chunk(self.heads, dim=-1)[head] for t in (q, k, v)]
            weights = torch.softmax(torch.einsum("bid,bjd->bij", mine[0], mine[1]) * scale, dim=-1)
            outputs.append(torch.einsum("bij,bjd->bid", weights, mine[2]))
        return torch.cat(outputs, dim=-1)

    def mlp(self, x, name):
        hidden = self.linear(x, f"{name}.fc1")
        return self.linear(hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2))), f"{name}.fc2")

    def block(self, x, name):
        q, k, v = self.linear(self.norm(x, f"{name}norm1", 1e-6), f"{name}attn.qkv").chunk(3, dim=-1)
        scale = (x.shape[-1] // self.heads) ** -0.5
        x = x + self.linear(self.attention(q, k, v, scale), f"{name}attn.proj")
        return x + self.mlp(self.norm(x, f"{name}norm2", 1e-6), f"{name}mlp")

    def across(self, tokens, others, name):
        k, v = self.linear(others, f"{name}.kv").chunk(2, dim=-1)
        scale = (tokens.shape[-1] // self.heads) ** -0.5
        return self.linear(self.attention(self.linear(tokens, f"{name}.q"), k, v, scale), f"{name}.proj")

    def fusion(self, tokens, image, audio, name):
        T = self.norm(tokens, f"{name}norm1_mm", 1e-5)
        image, audio = self.norm(image, f"{name}norm1_img", 1e-5), self.norm(audio, f"{name}norm1_aud", 1e-5)
        proper, visual, sound = T.split(self.counts, dim=1)
        V, A = self.across(visual, image, f"{name}attn.attn_v"), self.across(sound, audio, f"{name}attn.attn_a")
        pairs = torch.stack(
            [torch.cat([V[:, i], A[:, j]], dim=-1) for i in range(V.shape[1]) for j in range(A.shape[1])], dim=1
        )
        q, k, v = self.linear(proper, f"{name}attn.q"), *(self.linear(pairs, f"{name}attn.{p}") for p in "kv")
        read = self.linear(self.attention(q, k, v, (T.shape[-1] // self.heads) ** -0.5), f"{name}attn.proj")
        Y = T + torch.cat([read, V, A], dim=1)
        return Y + self.mlp(self.norm(Y, f"{name}norm2", 1e-5), f"{name}mlp")

    def patches(self, picture, modality):
        name = f"encoder.{modality}."
        kernel, bias = (self.state[f"{name}patch_embed.proj.{part}"] for part in ("weight", "bias"))
        x = F.conv2d(picture.double(), kernel, bias, stride=PATCH)
        return x.flatten(2).transpose(1, 2) + self.state[f"{name}pos_embed"]

    def __call__(self, image, logmel):
        x = {"image": self.patches(image, "image"), "audio": self.patches(logmel, "audio")}
        fusion, number = self.state["encoder.fusion_tokens"].expand(len(image), -1, -1), 0
        while f"encoder.image.blocks.{number}.norm1.weight" in self.state:
            name = f"encoder.fusion_blocks.{number}."
            if f"{name}norm2.weight" in self.state:
                count = fusion.shape[1]
                after = {
                    m: self.block(torch.cat([fusion, t], 1), f"encoder.{m}.blocks.{number}.") for m, t in x.items()
                }
                fusion = self.fusion(fusion, x["image"], x["audio"], name)
                x = {m: t[:, count:] for m, t in after.items()}
            else:
                x = {m: self.block(t, f"encoder.{m}.blocks.{number}.") for m, t in x.items()}
            number += 1
        tokens = [self.norm(x[m], f"encoder.{m}.norm", 1e-6) for m in ("image", "audio")]
        return *tokens, self.norm(fusion, "encoder.fusion_norm", 1e-5)
