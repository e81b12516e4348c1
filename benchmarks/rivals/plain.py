"""R1: AVSiam's pretraining in good plain PyTorch, as a competent engineer writes it in an afternoon.

One shared trunk; each batch embedded once; masks drawn for the whole batch at once; sequences of different length
padded to the longest, with a key padding mask through torch's fused attention; one call per modality and pass; both
losses summed, one backward pass, one fused AdamW step; bf16 by autocast where asked for. No packing of sequences.

Legend: B batch, T frames, F mel bins, N token places, n visible ones, m hidden ones, D width.
"""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.rivals.shape import AUDIO, IMAGE, Masks, Shape
from benchmarks.rivals.stem import PatchEmbed, cut


class Attention(nn.Module):
    """Multi-head self-attention of `[B, N, D]`; `allowed [B, 1, 1, N]` are the keys that are no padding."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor, allowed: Tensor | None) -> Tensor:
        """`[B, N, D]` to `[B, N, D]`."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        return self.proj(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Pre-norm block with one pair of norms per name."""

    def __init__(self, width: int, heads: int, norms: tuple[str, ...]):
        super().__init__()
        self.norm1 = nn.ModuleDict({name: nn.LayerNorm(width) for name in norms})
        self.norm2 = nn.ModuleDict({name: nn.LayerNorm(width) for name in norms})
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Linear(width, 4 * width))
        self.mlp.add_module("act", nn.GELU())
        self.mlp.add_module("fc2", nn.Linear(4 * width, width))

    def forward(self, x: Tensor, norms: str, allowed: Tensor | None = None) -> Tensor:
        """`[B, N, D]` to `[B, N, D]`."""
        x = x + self.attn(self.norm1[norms](x), allowed)
        return x + self.mlp(self.norm2[norms](x))


class Trunk(nn.Module):
    """The shared trunk."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.double = shape.double_embed
        self.patch_embed = nn.ModuleDict({m: PatchEmbed(shape, m) for m in shape.grids})
        self.positions = nn.ParameterDict(
            {m: nn.Parameter(torch.zeros(shape.places(m), shape.width)) for m in shape.grids}
        )
        self.blocks = nn.ModuleList(Block(shape.width, shape.heads, tuple(shape.grids)) for _ in range(shape.depth))
        self.norm = nn.ModuleDict({m: nn.LayerNorm(shape.width, eps=1e-6) for m in shape.grids})

    def embed(self, x: Tensor, modality: str) -> Tensor:
        """All tokens `[B, N, D]` of inputs `[B, C, H, W]`."""
        tokens = self.patch_embed[modality](x) + self.positions[modality]
        return 2 * tokens if self.double else tokens

    def forward(self, tokens: Tensor, modality: str, allowed: Tensor | None = None) -> Tensor:
        """Blocks and final norm."""
        for block in self.blocks:
            tokens = block(tokens, modality, allowed)
        return self.norm[modality](tokens)


class Decoder(nn.Module):
    """Draws every place of both modalities."""

    def __init__(self, shape: Shape):
        super().__init__()
        width = shape.decoder_width
        self.embed = nn.Linear(shape.width, width)
        self.mask_token = nn.Parameter(torch.zeros(width))
        self.positions = nn.ParameterDict({m: nn.Parameter(torch.zeros(shape.places(m), width)) for m in shape.grids})
        self.modalities = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m in shape.grids})
        self.blocks = nn.ModuleList(Block(width, shape.decoder_heads, ("joint",)) for _ in range(shape.decoder_depth))
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleDict({m: nn.Linear(width, shape.values(m)) for m in shape.grids})

    def forward(self, tokens: dict[str, Tensor], visible: dict[str, Tensor]) -> dict[str, Tensor]:
        """Drawn values `[B, N, V]` from visible tokens `[B, n, D]` at places `visible [B, n]`."""
        parts = []
        for modality, part in tokens.items():
            seen = self.embed(part)
            whole = self.mask_token.to(seen.dtype).expand(len(part), len(self.positions[modality]), -1)
            whole = whole.scatter(1, visible[modality][..., None].expand_as(seen), seen)
            parts.append(whole + self.positions[modality] + self.modalities[modality])
        x = torch.cat(parts, dim=1)
        for block in self.blocks:
            x = block(x, "joint")
        drawn = self.norm(x).split([p.shape[1] for p in parts], dim=1)
        return {m: self.heads[m](part) for m, part in zip(tokens, drawn, strict=True)}


class Plain(nn.Module):
    """The network; `forward` gives the losses of a batch."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(shape)
        self.fusion = nn.ModuleList(Block(shape.width, shape.heads, ("joint",)) for _ in range(shape.fusion_depth))
        self.decoder = Decoder(shape)

    def forward(self, audio: Tensor, image: Tensor, masks: Masks | None = None) -> dict[str, Tensor]:
        """Losses of `[B, T, F]` and `[B, 3, H, W]`."""
        inputs = {AUDIO: audio.transpose(1, 2)[:, None], IMAGE: image}
        tokens = {m: self.trunk.embed(x, m) for m, x in inputs.items()}
        embeddings = {m: self._contrast_embedding(t, m, masks) for m, t in tokens.items()}
        losses = {"contrast": self._contrast(embeddings[AUDIO], embeddings[IMAGE])}
        visible, hidden, encoded = {}, {}, {}
        for modality, all_tokens in tokens.items():
            visible[modality], hidden[modality] = self._hidden(all_tokens, modality, masks)
            encoded[modality] = self.trunk(_take(all_tokens, visible[modality]), modality)
        fused = torch.cat(list(encoded.values()), dim=1)
        for block in self.fusion:
            fused = block(fused, "joint")
        split = fused.split([part.shape[1] for part in encoded.values()], dim=1)
        drawn = self.decoder(dict(zip(encoded, split, strict=True)), visible)
        for modality, x in inputs.items():
            target = _take(cut(x, self.shape.patch), hidden[modality])
            losses[f"reconstruction_{modality}"] = F.mse_loss(
                _take(drawn[modality], hidden[modality]).to(target), target
            )
        return losses

    def _contrast_embedding(self, tokens: Tensor, modality: str, masks: Masks | None) -> Tensor:
        """Mean of the visible tokens of each clip, `[B, D]`, L2-normalised."""
        places, lengths = self._dealt(tokens, modality) if masks is None else _padded(masks.contrast[modality])
        real = torch.arange(places.shape[1], device=tokens.device) < lengths[:, None]
        encoded = self.trunk(_take(tokens, places), modality, real[:, None, None])
        pooled = (encoded * real[..., None]).sum(dim=1) / lengths[:, None]
        return F.normalize(pooled, dim=-1)

    def _dealt(self, tokens: Tensor, modality: str) -> tuple[Tensor, Tensor]:
        """Random places, visible ones first, and how many are visible: `[B, n]` of the longest, `[B]`."""
        shape, device, clips = self.shape, tokens.device, len(tokens)
        counts = torch.tensor([shape.kept(modality, r) for r in shape.ratios], device=device)
        dealt = torch.arange(clips, device=device)[torch.randperm(clips, device=device)] % len(shape.ratios)
        values = torch.rand(clips, shape.places(modality), device=device)
        if modality == AUDIO and shape.audio_mask == "tf":
            rows, columns = shape.grids[modality]
            share = 0.7 * torch.tensor(shape.ratios, device=device)[dealt, None]
            struck_rows = _ranks(clips, rows, device) < (rows * share + 1e-6).long()
            struck_columns = _ranks(clips, columns, device) < (columns * share + 1e-6).long()
            values = values + (struck_rows[:, :, None] | struck_columns[:, None, :]).flatten(1)
        return values.argsort(dim=1)[:, : int(counts.max())], counts[dealt]

    def _hidden(self, tokens: Tensor, modality: str, masks: Masks | None) -> tuple[Tensor, Tensor]:
        if masks is not None:
            return masks.visible[modality], masks.hidden[modality]
        order = _ranks(*tokens.shape[:2], tokens.device)
        count = self.shape.kept(modality, self.shape.reconstruction_ratio)
        return order[:, :count], order[:, count:]

    def _contrast(self, audio: Tensor, image: Tensor) -> Tensor:
        truth = torch.arange(len(audio), device=audio.device)
        with torch.autocast(audio.device.type, enabled=False):  # cosines need more than 8 bits
            audio, image = (z.float() if z.dtype == torch.bfloat16 else z for z in (audio, image))
            logits = audio @ image.T / self.shape.temperature
            return (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2

    def step_losses(self, audio: Tensor, image: Tensor, masks: Masks | None = None) -> dict[str, Tensor]:
        """The three losses of one batch, for comparison."""
        return self(audio, image, masks)

    def load(self, ours: Any) -> "Plain":
        """Take the weights of a `seehear.methods.avsiam.AVSiam`."""
        from benchmarks.rivals.coupling import load_plain

        load_plain(self, ours)
        return self


class PlainTraining:
    """One step: both losses, one backward pass, one fused AdamW."""

    def __init__(
        self,
        network: Plain,
        bf16: bool = False,
        rate: float = 2e-4,
        betas: tuple[float, float] = (0.95, 0.999),
        decay: float = 5e-7,
    ):
        self.network, self._bf16 = network, bf16
        self._adam = torch.optim.AdamW(network.parameters(), lr=rate, betas=betas, weight_decay=decay, fused=True)

    def __call__(self, audio: Tensor, image: Tensor) -> dict[str, Tensor]:
        """Train on one batch; returns its losses, detached."""
        self._adam.zero_grad(set_to_none=True)
        with torch.autocast(audio.device.type, torch.bfloat16) if self._bf16 else nullcontext():
            losses = self.network(audio, image)
        torch.stack([value.float() for value in losses.values()]).sum().backward()
        self._adam.step()
        return {name: value.detach() for name, value in losses.items()}


def _take(values: Tensor, places: Tensor) -> Tensor:
    """`values [B, N, V]` at `places [B, n]`: `[B, n, V]`."""
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[2]))


def _ranks(clips: int, count: int, device: torch.device) -> Tensor:
    """A random order of `count` things for each clip, `[B, count]`."""
    return torch.rand(clips, count, device=device).argsort(dim=1)


def _padded(chunks: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Chunks of given masks as one batch: places padded with 0 to the longest, and the lengths."""
    longest = max(places.shape[1] for _, places in chunks)
    rows = torch.cat([rows for rows, _ in chunks]).argsort()
    padded = torch.cat([F.pad(places, (0, longest - places.shape[1])) for _, places in chunks])
    lengths = torch.cat([torch.full((len(places),), places.shape[1], device=rows.device) for _, places in chunks])
    return padded[rows], lengths[rows]
