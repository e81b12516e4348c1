"""Random weights under AVSiam's and CAV-MAE's published names, and what networks with them compute, from equations."""

import math

import torch
from torch.nn import functional as F

WIDTH, HEADS, NARROW, DRAWING_HEADS, PATCH, SIDE = 64, 1, 32, 4, 16, 3
PLACES = {"a": 512, "v": SIDE * SIDE}
VALUES = {"a": PATCH**2, "v": 3 * PATCH**2}


def made(shapes, seed=0):
    """Random tensors of these shapes; weights of norms lie around 1."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) / math.sqrt(shape[-1]) + (len(shape) == 1) * ("norm" in name)
        for name, shape in shapes.items()
    }


def linear(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norms(name, width):
    return {f"{name}.{part}": (width,) for part in ("weight", "bias")}


def block(prefix, width):
    shapes = {}
    for pair in ("norm1", "norm2"):
        for suffix in ("", "_a", "_v"):
            shapes |= norms(prefix + pair + suffix, width)
    shapes |= linear(f"{prefix}attn.qkv", 3 * width, width) | linear(f"{prefix}attn.proj", width, width)
    return shapes | linear(f"{prefix}mlp.fc1", 4 * width, width) | linear(f"{prefix}mlp.fc2", width, 4 * width)


def drawing(depth=2):
    shapes = linear("decoder_embed", NARROW, WIDTH) | norms("decoder_norm", NARROW) | {"mask_token": (1, 1, NARROW)}
    for letter in "av":
        shapes |= {f"decoder_pos_embed_{letter}": (1, PLACES[letter], NARROW)}
        shapes |= {f"decoder_modality_{letter}": (1, 1, NARROW)}
        shapes |= linear(f"decoder_pred_{letter}", VALUES[letter], NARROW)
    for number in range(depth):
        shapes |= block(f"decoder_blocks.{number}.", NARROW)
    return shapes


def _vit(prefix, depth):
    shapes = {f"{prefix}cls_token": (1, 1, WIDTH), f"{prefix}pos_embed": (1, 1 + PLACES["v"], WIDTH)}
    shapes |= {f"{prefix}pos_embed_a": (1, 512, WIDTH)} | linear(f"{prefix}head", 21, WIDTH)
    for name, channels in (("patch_embed", 3), ("patch_embed_a", 1)):
        shapes |= {
            f"{prefix}{name}.proj.weight": (WIDTH, channels, PATCH, PATCH),
            f"{prefix}{name}.proj.bias": (WIDTH,),
        }
    for number in range(depth):
        shapes |= block(f"{prefix}blocks.{number}.", WIDTH)
    return shapes | norms(f"{prefix}norm", WIDTH) | norms(f"{prefix}norm_a", WIDTH)


def avsiam(depth=3, whole=True, seed=0):
    """A pretraining file: whole, or without separate trunk and fusion blocks as the released one."""
    shapes = _vit("vit_base.", depth) | drawing()
    if whole:
        shapes |= _vit("ast_base.", depth) | block("mm_layer_1.", WIDTH) | block("mm_layer_2.", WIDTH)
    return _with_copies(made(shapes, seed))


def avsiam_finetuned(classes=7, together=True, seed=0):
    """A fine-tuned file; without a head of both as Huge ones."""
    shapes = _vit("vit_base.", 3) | block("mm_layer_1.", WIDTH) | block("mm_layer_2.", WIDTH)
    heads = {"mlp_head": WIDTH, "mlp_head_a": WIDTH}
    for name, width in (heads | ({"mlp_head_mm": 2 * WIDTH, "mlp_head_mm_v2": WIDTH} if together else {})).items():
        shapes |= {f"{name}.0.{part}": (width,) for part in ("weight", "bias")} | linear(f"{name}.1", classes, width)
    return _with_copies(made(shapes, seed))


def _with_copies(state):
    copies = {k.replace("vit_base.blocks", "my_blocks"): v for k, v in state.items() if k.startswith("vit_base.blocks")}
    old = {f"my_{k.removeprefix('vit_base.')}": v + 1 for k, v in state.items() if k.startswith("vit_base.patch_embed")}
    return {f"module.{name}": value for name, value in (state | copies | old).items()}


def cav_mae(classes=None, joint=1, seed=0):
    """A pretraining file, or a fine-tuned one of so many classes."""
    shapes = {}
    for letter, channels in (("a", 1), ("v", 3)):
        shapes |= {f"modality_{letter}": (1, 1, WIDTH), f"pos_embed_{letter}": (1, PLACES[letter], WIDTH)}
        shapes |= {f"patch_embed_{letter}.proj.weight": (WIDTH, channels, PATCH, PATCH)}
        shapes |= {f"patch_embed_{letter}.proj.bias": (WIDTH,)}
        for number in range(2):
            shapes |= block(f"blocks_{letter}.{number}.", WIDTH)
    for number in range(joint):
        shapes |= block(f"blocks_u.{number}.", WIDTH)
    for suffix in ("", "_a", "_v"):
        shapes |= norms(f"norm{suffix}", WIDTH)
    if classes is None:
        shapes |= drawing()
    else:
        shapes |= {f"mlp_head.0.{part}": (WIDTH,) for part in ("weight", "bias")} | linear("mlp_head.1", classes, WIDTH)
    return {f"module.{name}": value for name, value in made(shapes, seed).items()}


class Oracle:
    """What the published networks compute, in float64, tensor by tensor."""

    def __init__(self, state):
        self.state = {name.removeprefix("module."): value.double() for name, value in state.items()}

    def norm(self, x, name, eps=1e-5):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + eps) * self.state[f"{name}.weight"] + self.state[f"{name}.bias"]

    def linear(self, x, name):
        return torch.einsum("bni,oi->bno", x, self.state[f"{name}.weight"]) + self.state[f"{name}.bias"]

    def block(self, x, prefix, suffix="", heads=HEADS):
        batch, tokens, width = x.shape
        qkv = self.linear(self.norm(x, f"{prefix}norm1{suffix}"), f"{prefix}attn.qkv")
        q, k, v = qkv.view(batch, tokens, 3, heads, width // heads).unbind(2)
        scores = torch.einsum("bihd,bjhd->bhij", q, k) / math.sqrt(width // heads)
        mixed = torch.einsum("bhij,bjhd->bihd", torch.softmax(scores, -1), v).reshape(batch, tokens, width)
        x = x + self.linear(mixed, f"{prefix}attn.proj")
        hidden = self.linear(self.norm(x, f"{prefix}norm2{suffix}"), f"{prefix}mlp.fc1")
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
        return x + self.linear(hidden, f"{prefix}mlp.fc2")

    def stack(self, x, prefix, suffix="", heads=HEADS):
        number = 0
        while f"{prefix}{number}.norm1.weight" in self.state:
            x, number = self.block(x, f"{prefix}{number}.", suffix, heads), number + 1
        return x

    def patches(self, values, name):
        """A spectrogram `[B, T, F]` becomes a picture `[B, 1, F, T]`, then both are convolved."""
        picture = values.double().transpose(1, 2)[:, None] if values.ndim == 3 else values.double()
        kernel, bias = self.state[f"{name}.proj.weight"], self.state[f"{name}.proj.bias"]
        return F.conv2d(picture, kernel, bias, stride=PATCH).flatten(2).transpose(1, 2)

    def head(self, x, name):
        return self.linear(self.norm(x, f"{name}.0")[:, None], f"{name}.1")[:, 0]

    def reconstruction(self, fused, masks, targets, standardised):
        """Decode visible tokens put back in place among mask tokens; squared errors over removed patches."""
        x, parts = self.linear(fused, "decoder_embed"), []
        start = 0
        for letter in "av":
            visible, placed = int((masks[letter][0] == 0).sum()), []
            for row, mask in enumerate(masks[letter]):
                own = self.state["mask_token"][0].expand(len(mask), -1).clone()
                own[mask == 0] = x[row, start : start + visible]
                placed.append(own)
            start += visible
            parts.append(
                torch.stack(placed)
                + self.state[f"decoder_pos_embed_{letter}"]
                + self.state[f"decoder_modality_{letter}"]
            )
        y = self.norm(self.stack(torch.cat(parts, 1), "decoder_blocks.", heads=DRAWING_HEADS), "decoder_norm")
        losses = {}
        for letter, part in zip("av", y.split([PLACES["a"], PLACES["v"]], dim=1), strict=True):
            target = targets[letter]
            if standardised:
                target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
            error = ((self.linear(part, f"decoder_pred_{letter}") - target) ** 2).mean(-1)
            losses[letter] = (error * masks[letter]).sum() / masks[letter].sum()
        return {"audio": losses["a"], "image": losses["v"]}


def cut(values):
    """Patch values, channel fastest: pictures (row, column, channel), spectrograms (mel bin, frame)."""
    picture = values.double().transpose(1, 2)[:, None] if values.ndim == 3 else values.double()
    blocks = F.unfold(picture, PATCH, stride=PATCH).transpose(1, 2)
    return blocks.unflatten(2, (picture.shape[1], -1)).transpose(2, 3).flatten(2)


def inputs(clips=2, frames=None):
    """A normalised spectrogram and picture, or several frames."""
    generator = torch.Generator().manual_seed(11)
    shape = (clips, 3, 48, 48) if frames is None else (clips, frames, 3, 48, 48)
    return torch.randn(clips, 1024, 128, generator=generator), torch.randn(shape, generator=generator)


def masks(clips=2):
    """Three quarters of the patches removed, others for each clip."""
    generator = torch.Generator().manual_seed(12)
    found = {}
    for letter, places in PLACES.items():
        order = torch.rand(clips, places, generator=generator).argsort(1)
        found[letter] = (order >= places - int(places * 0.25)).logical_not().float()
    return found


def difference(ours, theirs):
    """||ours - theirs|| / ||theirs||."""
    return float((ours.detach().double() - theirs).norm() / theirs.norm())
