"""R0: AVSiam's pretraining in the compute pattern of its published code, told in our own words from its description.

What it does as published, and what each costs: two whole forward, backward and optimiser passes per batch, with two
Adams that hold all parameters; a second trunk for the sound of the reconstruction pass; embedding of all patches, then
masking; five chunks of the batch through every block one after another; masks and permutations by Python loops; the
full matrix of similarities with the accuracies beside it, read on the host; a decoder over every place; parameters
that nothing uses. No line is copied. Attention is torch's fused one, or matrices held in full (`attention="matrix"`).

Legend: B batch, T frames, F mel bins, N token places, n visible ones, D width, K ratios.
"""

import copy
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.rivals.reference_masks import hide, inverse, noise, order_of
from benchmarks.rivals.shape import AUDIO, IMAGE, Masks, Shape
from benchmarks.rivals.stem import PatchEmbed, cut

Attending = Literal["fused", "matrix"]
SUFFIX = {AUDIO: "_a", IMAGE: "_v", "neutral": ""}


class Attention(nn.Module):
    """Multi-head self-attention of `[B, N, D]`."""

    def __init__(self, width: int, heads: int, attending: Attending):
        super().__init__()
        self.heads, self.attending = heads, attending
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, N, D]` to `[B, N, D]`."""
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)
        if self.attending == "fused":
            mixed = F.scaled_dot_product_attention(query, key, value)
        else:
            scores = (query * (width // self.heads) ** -0.5) @ key.transpose(-2, -1)
            mixed = scores.softmax(dim=-1) @ value
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Mlp(nn.Module):
    """Linear, GELU, linear."""

    def __init__(self, width: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """`[B, N, D]` to `[B, N, D]`."""
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm block with three pairs of norms: neutral, of sound, of pictures."""

    def __init__(self, width: int, heads: int, attending: Attending):
        super().__init__()
        for suffix in SUFFIX.values():
            self.add_module(f"norm1{suffix}", nn.LayerNorm(width))
            self.add_module(f"norm2{suffix}", nn.LayerNorm(width))
        self.attn = Attention(width, heads, attending)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor, norms: str) -> Tensor:
        """`[B, N, D]` to `[B, N, D]` with the norms of "audio", "image" or "neutral"."""
        suffix = SUFFIX[norms]
        x = x + self.attn(getattr(self, f"norm1{suffix}")(x))
        return x + self.mlp(getattr(self, f"norm2{suffix}")(x))


class Trunk(nn.Module):
    """A ViT as the image library makes it, with a second set of patch embedding, positions and final norm."""

    def __init__(self, shape: Shape, attending: Attending):
        super().__init__()
        width = shape.width
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + shape.places(IMAGE), width))
        self.pos_embed_a = nn.Parameter(torch.zeros(1, shape.places(AUDIO), width))
        self.patch_embed, self.patch_embed_a = PatchEmbed(shape, IMAGE), PatchEmbed(shape, AUDIO)
        self.blocks = nn.ModuleList(Block(width, shape.heads, attending) for _ in range(shape.depth))
        self.norm, self.norm_a = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, shape.classes)


class Reference(nn.Module):
    """The network of both passes."""

    def __init__(self, shape: Shape, attention: Attending = "fused"):
        super().__init__()
        self.shape = shape
        width, narrow = shape.width, shape.decoder_width
        self.vit_base = Trunk(shape, attention)
        self.ast_base = copy.deepcopy(self.vit_base)
        self.my_patch_embed = copy.deepcopy(self.vit_base.patch_embed)
        self.my_patch_embed_a = copy.deepcopy(self.vit_base.patch_embed_a)
        self.mm_layer = nn.ModuleList(Block(width, shape.heads, attention) for _ in range(shape.fusion_depth))
        self.decoder_embed = nn.Linear(width, narrow)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, narrow))
        self.decoder_pos_embed_a = nn.Parameter(torch.zeros(1, shape.places(AUDIO), narrow))
        self.decoder_pos_embed_v = nn.Parameter(torch.zeros(1, shape.places(IMAGE), narrow))
        self.decoder_modality_a = nn.Parameter(torch.zeros(1, 1, narrow))
        self.decoder_modality_v = nn.Parameter(torch.zeros(1, 1, narrow))
        self.decoder_blocks = nn.ModuleList(
            Block(narrow, shape.decoder_heads, attention) for _ in range(shape.decoder_depth)
        )
        self.decoder_norm = nn.LayerNorm(narrow)
        self.decoder_pred_a = nn.Linear(narrow, shape.values(AUDIO))
        self.decoder_pred_v = nn.Linear(narrow, shape.values(IMAGE))

    # ------------------------------------------------------------------------------------------------ first pass
    def contrast(self, audio: Tensor, image: Tensor, masks: Masks | None = None) -> tuple[Tensor, Tensor]:
        """Loss and accuracy of the contrast of `[B, T, F]` and `[B, 3, H, W]`."""
        embedded = {AUDIO: self._embed_audio(audio), IMAGE: self._embed_image(image)}
        chunks, orders = {}, {}
        for modality, tokens in embedded.items():
            given = None if masks is None else masks.contrast[modality]
            chunks[modality], orders[modality] = self._chunks(tokens, modality, given)
        for block in self.vit_base.blocks:
            for modality, parts in chunks.items():
                chunks[modality] = [block(part, modality) for part in parts]
        pooled = {m: self._pooled(parts, m)[inverse(orders[m])] for m, parts in chunks.items()}
        return self._similarity_loss(pooled[AUDIO], pooled[IMAGE])

    def _embed_audio(self, audio: Tensor) -> Tensor:
        tokens = self.vit_base.patch_embed_a(audio.unsqueeze(1).transpose(2, 3)) + self.vit_base.pos_embed_a
        return tokens + tokens if self.shape.double_embed else tokens

    def _embed_image(self, image: Tensor) -> Tensor:
        tokens = self.vit_base.patch_embed(image) + self.vit_base.pos_embed[:, 1:]
        return tokens + tokens if self.shape.double_embed else tokens

    def _chunks(
        self, tokens: Tensor, modality: str, given: list[tuple[Tensor, Tensor]] | None
    ) -> tuple[list[Tensor], Tensor]:
        """Visible tokens of each chunk, and the order in which the chunks hold the batch."""
        if given is not None:
            parts = [torch.gather(tokens[rows], 1, _wide(places, tokens)) for rows, places in given]
            return parts, torch.cat([rows for rows, _ in given])
        shape = self.shape
        kind = shape.audio_mask if modality == AUDIO else "unstructured"
        permutation = torch.randperm(len(tokens), device=tokens.device)
        parts = []
        for ratio, rows in zip(shape.ratios, permutation.chunk(len(shape.ratios)), strict=False):
            order, restore = order_of(noise(len(rows), shape.grids[modality], ratio, kind, tokens.device))
            parts.append(hide(tokens[rows], order, restore, shape.kept(modality, ratio))[0])
        return parts, permutation

    def _pooled(self, parts: list[Tensor], modality: str) -> Tensor:
        norm = self.vit_base.norm_a if modality == AUDIO else self.vit_base.norm
        return torch.cat([norm(part).mean(dim=1) for part in parts])

    def _similarity_loss(self, audio: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        audio, image = F.normalize(audio, dim=-1), F.normalize(image, dim=-1)
        logits = torch.mm(audio, image.transpose(0, 1)) / self.shape.temperature
        by_audio = -torch.mean(torch.diag(F.log_softmax(logits, dim=1)))
        by_image = -torch.mean(torch.diag(F.log_softmax(logits, dim=0)))
        truth = torch.arange(len(logits), device=logits.device)
        hits = [torch.argmax(F.softmax(logits, dim=d), dim=d) == truth for d in (0, 1)]
        return (by_audio + by_image) / 2, torch.stack(hits).float().mean()

    # ----------------------------------------------------------------------------------------------- second pass
    def reconstruction(self, audio: Tensor, image: Tensor, masks: Masks | None = None) -> tuple[Tensor, Tensor]:
        """Losses of the drawn sound and pictures."""
        sound, sound_mask, sound_back = self._hidden(self._embed_audio(audio), AUDIO, masks)
        sight, sight_mask, sight_back = self._hidden(self._embed_image(image), IMAGE, masks)
        for block in self.ast_base.blocks:
            sound = block(sound, "neutral")
        for block in self.vit_base.blocks:
            sight = block(sight, IMAGE)
        tokens = torch.cat([self.ast_base.norm_a(sound), self.vit_base.norm(sight)], dim=1)
        for block in self.mm_layer:
            tokens = block(tokens, AUDIO)
        drawn_sound, drawn_sight = self._decode(tokens, (sound_mask, sound_back), (sight_mask, sight_back))
        patch = self.shape.patch
        targets = cut(audio.unsqueeze(1).transpose(2, 3), patch), cut(image, patch)
        return _masked_error(drawn_sound, targets[0], sound_mask), _masked_error(drawn_sight, targets[1], sight_mask)

    def _hidden(self, tokens: Tensor, modality: str, masks: Masks | None) -> tuple[Tensor, Tensor, Tensor]:
        """Visible tokens, mask, and the order that puts tokens back."""
        ratio = self.shape.reconstruction_ratio
        if masks is None:
            order, back = order_of(noise(len(tokens), self.shape.grids[modality], ratio, "unstructured", tokens.device))
        else:
            order = torch.cat([masks.visible[modality], masks.hidden[modality]], dim=1)
            back = torch.argsort(order, dim=1)
        visible, mask = hide(tokens, order, back, self.shape.kept(modality, ratio))
        return visible, mask, back

    def _decode(
        self, tokens: Tensor, sound: tuple[Tensor, Tensor], sight: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Every place of both modalities through the decoder; mask tokens stand for the hidden ones."""
        x = self.decoder_embed(tokens)
        places = self.shape.places(AUDIO)
        seen = places - int(sound[0][0].sum())
        sound_tokens = self._put_back(x[:, :seen], *sound) + self.decoder_pos_embed_a + self.decoder_modality_a
        sight_tokens = self._put_back(x[:, seen:], *sight) + self.decoder_pos_embed_v + self.decoder_modality_v
        x = torch.cat([sound_tokens, sight_tokens], dim=1)
        for block in self.decoder_blocks:
            x = block(x, "neutral")
        x = self.decoder_norm(x)
        return self.decoder_pred_a(x[:, :places]), self.decoder_pred_v(x[:, places:])

    def _put_back(self, visible: Tensor, mask: Tensor, back: Tensor) -> Tensor:
        hidden = self.mask_token.repeat(len(visible), int(mask[0].sum()), 1)
        together = torch.cat([visible, hidden.to(visible.dtype)], dim=1)
        return torch.gather(together, 1, _wide(back, together))

    # ------------------------------------------------------------------------------------------------ both passes
    def step_losses(self, audio: Tensor, image: Tensor, masks: Masks | None = None) -> dict[str, Tensor]:
        """The three losses of one batch, from the same weights, for comparison."""
        sound, sight = self.reconstruction(audio, image, masks)
        contrast, _ = self.contrast(audio, image, masks)
        return {"contrast": contrast, "reconstruction_audio": sound, "reconstruction_image": sight}

    @torch.no_grad()
    def embed(self, audio: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Unmasked embeddings `[B, D]` of sound and picture, for retrieval."""
        found = []
        for modality, tokens in ((AUDIO, self._embed_audio(audio)), (IMAGE, self._embed_image(image))):
            for block in self.vit_base.blocks:
                tokens = block(tokens, modality)
            found.append(F.normalize(self._pooled([tokens], modality), dim=-1))
        return found[0], found[1]

    def load(self, ours: Any) -> "Reference":
        """Take the weights of a `seehear.methods.avsiam.AVSiam`; its shared blocks fill both trunks."""
        from benchmarks.rivals.coupling import load_reference

        load_reference(self, ours)
        return self


class ReferenceTraining:
    """The published step: contrast with one Adam, then reconstruction with another, each over all parameters."""

    def __init__(
        self, network: Reference, rate: float = 2e-4, betas: tuple[float, float] = (0.95, 0.999), decay: float = 5e-7
    ):
        self.network = network
        self._adams = [
            torch.optim.Adam(network.parameters(), lr=rate, betas=betas, weight_decay=decay) for _ in range(2)
        ]

    def __call__(self, audio: Tensor, image: Tensor, rate: float | None = None) -> dict[str, float]:
        """Train on one batch; returns its losses, read on the host after each pass."""
        for adam in self._adams:
            for group in adam.param_groups:
                group["lr"] = group["lr"] if rate is None else rate
        contrasting, drawing = self._adams
        contrasting.zero_grad()
        contrast, accuracy = self.network.contrast(audio, image)
        contrast.backward()
        contrasting.step()
        values = {"contrast": contrast.item(), "accuracy": accuracy.item()}
        drawing.zero_grad()
        sound, sight = self.network.reconstruction(audio, image)
        (sound + sight).backward()
        drawing.step()
        return values | {"reconstruction_audio": sound.item(), "reconstruction_image": sight.item()}


def _wide(places: Tensor, tokens: Tensor) -> Tensor:
    return places.unsqueeze(-1).repeat(1, 1, tokens.shape[2])


def _masked_error(drawn: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    error = ((drawn - target) ** 2).mean(dim=-1)
    return (error * mask).sum() / mask.sum()
