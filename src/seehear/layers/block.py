"""Pre-norm transformer block whose weights are shared while its norms are not.

AVSiam (arXiv 2403.19638, sec. 3): attention and MLP are one set for both modalities, each modality has LayerNorms of
its own. With a single norm set this is the plain ViT block (Dosovitskiy et al., 2021): exact GELU, biases, no
LayerScale, no dropout.

To save memory a block can forget what its backward pass needs and compute it again then (activation checkpointing; Chen
et al., "Training deep nets with sublinear memory cost", 2016), in whole or only its MLP, whose four times wider values
are the larger half of it and cost 1/9 of a block's multiplications to have again.

Legend: P packed tokens, D width; a segment is a run of packed tokens that use the same norm set.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from seehear.layers.attention import Attention
from seehear.layers.packing import Layout

Segments = Sequence[tuple[str, int]]  # (norm set, packed tokens), in order
Recompute = Literal["none", "mlp", "block"]


class ModalityNorm(nn.ModuleDict):
    """One LayerNorm per norm set, each applied to its own segment of the packed tokens."""

    def __init__(self, names: Sequence[str], width: int, eps: float):
        super().__init__({name: nn.LayerNorm(width, eps=eps) for name in names})

    def forward(self, x: Tensor, segments: Segments) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        if len(segments) == 1:
            return self[segments[0][0]](x)
        parts = x.split([size for _, size in segments])
        if len(segments) <= len(self):
            return torch.cat([self[name](part) for (name, _), part in zip(segments, parts, strict=True)])
        return self._by_set(parts, segments)

    def _by_set(self, parts: Sequence[Tensor], segments: Segments) -> Tensor:
        """Many short segments: those of one set are normed together."""
        result: list[Tensor] = list(parts)
        for name, norm in self.items():
            own = [place for place, (segment, _) in enumerate(segments) if segment == name]
            if own:
                normed = norm(torch.cat([parts[place] for place in own])).split([segments[place][1] for place in own])
                for place, part in zip(own, normed, strict=True):
                    result[place] = part
        return torch.cat(result)


class Mlp(nn.Module):
    """Linear, exact GELU, linear."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        return self.fc2(nn.functional.gelu(self.fc1(x)))


class Block(nn.Module):
    """`x += attention(norm1(x)); x += mlp(norm2(x))` with the norm set of each segment.

    Args:
        width: D.
        heads: attention heads.
        norms: names of the norm sets, e.g. ("audio", "image").
        mlp_ratio: hidden width of the MLP over D.
        eps: of the LayerNorms (1e-5 in AVSiam's released code).
    """

    def __init__(
        self,
        width: int,
        heads: int,
        norms: Sequence[str] = ("joint",),
        mlp_ratio: float = 4.0,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.norm1 = ModalityNorm(norms, width, eps)
        self.attn = Attention(width, heads)
        self.norm2 = ModalityNorm(norms, width, eps)
        self.mlp = Mlp(width, round(width * mlp_ratio))
        self.recompute: Recompute = "none"

    def forward(self, x: Tensor, layout: Layout, segments: Segments) -> Tensor:
        """`[P, D]` to `[P, D]`."""
        recompute = self.recompute if torch.is_grad_enabled() else "none"
        if recompute == "block":
            return _forgetting(self._whole, x, layout, segments)
        x = self._attended(x, layout, segments)
        return _forgetting(self._mapped, x, segments) if recompute == "mlp" else self._mapped(x, segments)

    def _whole(self, x: Tensor, layout: Layout, segments: Segments) -> Tensor:
        return self._mapped(self._attended(x, layout, segments), segments)

    def _attended(self, x: Tensor, layout: Layout, segments: Segments) -> Tensor:
        return x + self.attn(self.norm1(x, segments), layout)

    def _mapped(self, x: Tensor, segments: Segments) -> Tensor:
        return x + self.mlp(self.norm2(x, segments))


def set_recompute(network: nn.Module, recompute: Recompute) -> None:
    """Tell every block in `network` what to compute again in the backward pass instead of holding it."""
    for module in network.modules():
        if isinstance(module, Block):
            module.recompute = recompute


def _forgetting(part: Callable[..., Tensor], *inputs: object) -> Tensor:
    return checkpoint(part, *inputs, use_reentrant=False, preserve_rng_state=False)  # nothing in a block is random


def through(blocks: Iterable[nn.Module], tokens: Tensor, segments: Segments | None = None) -> Tensor:
    """`tokens [B, n, D]` through blocks; `segments` of all `B * n` tokens in a row, or the one norm set "joint"."""
    x, layout = tokens.flatten(0, 1), Layout((tuple(tokens.shape[:2]),))  # type: ignore[arg-type]
    for block in blocks:
        x = block(x, layout, segments or (("joint", x.shape[0]),))
    return x.view_as(tokens)


def through_together(blocks: Iterable[nn.Module], parts: Sequence[Tensor], norms: Sequence[str]) -> list[Tensor]:
    """`parts [B, n_i, D]`, side by side in one sequence, through blocks, with one norm set for all or one for each."""
    tokens, lengths = torch.cat(list(parts), dim=1), [part.shape[1] for part in parts]
    one = ((norms[0], tokens.shape[0] * tokens.shape[1]),)
    segments = one if len(norms) == 1 else tuple(zip(norms, lengths, strict=True)) * len(tokens)
    return list(through(blocks, tokens, segments).split(lengths, dim=1))
