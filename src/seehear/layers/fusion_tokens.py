"""Fusion tokens: a few learnt tokens that read sound and picture in every layer of two trunks.

Source: DeepAVFusion (arXiv 2312.01017) and its released code. A block norms the tokens, adds what they read to the
NORMED tokens (the released weights expect it), then an MLP:

    T = norm(tokens),    Y = T + read(T, norm(image), norm(audio)),    out = Y + MLP(norm(Y))

What is read:
    `token`       all tokens of both modalities, side by side.
    `dense`       every pair (i, j) of a picture's and a sound's token, its channels those of both.
    `factorized`  a part of the fusion tokens, the aggregators, first sum up each modality; the others then read every
                  pair of a visual and an audio aggregator. The aggregators' sums are themselves part of the output.

Reading pairs in linear time. Keys and values are linear in a pair's channels, so k(i, j) = k_image(i) + k_audio(j), and
v alike. The score of a pair is then a sum, its exponential a product, and softmax over all pairs the product of two
softmaxes, over i and over j, each of which sums to one:

    sum_ij p_i r_j (v_image(i) + v_audio(j)) = sum_i p_i v_image(i) + sum_j r_j v_audio(j)

So attention over N_image * N_audio pairs equals two attentions over N_image and N_audio tokens, exactly and whatever
the weights; `pairs="separate"` computes it so, `pairs="explicit"` lays every pair out, as published.

With `dense` and `token` the published code does not run (its axes are mixed up): these two are ours, from the paper's
description, and all fusion tokens read, there being no aggregators.

Legend: B batch, F fusion tokens, N tokens of a modality, D width, E width of queries and keys, h heads.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.layers.block import Mlp
from seehear.layers.cross_attention import CrossAttention, attend_across

Fusion = Literal["factorized", "dense", "token"]
Pairs = Literal["separate", "explicit"]


class Reading(nn.Module):
    """Queries and keys E = D * `ratio` wide, values D wide; scores are scaled by (D / h) ** -0.5 whatever the ratio.

    Args:
        width: D.
        read: width of what is read, D or 2 D.
        heads: h.
        ratio: E over D.
    """

    def __init__(self, width: int, read: int, heads: int, ratio: float):
        super().__init__()
        narrow = round(width * ratio)
        if width % heads or narrow < 1 or narrow % heads:
            raise UsageError(f"widths {width} and {narrow} of {heads} heads", expected="multiples of the heads")
        self.heads, self.scale = heads, (width / heads) ** -0.5
        self.q = nn.Linear(width, narrow)
        self.k = nn.Linear(read, narrow)
        self.v = nn.Linear(read, width)
        self.proj = nn.Linear(width, width)


class TokenReading(Reading):
    """Reads the tokens of both modalities, side by side."""

    def __init__(self, width: int, heads: int, ratio: float = 1.0):
        super().__init__(width, width, heads, ratio)

    def forward(self, tokens: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        """`tokens [B, F, D]` that read `image [B, N, D]` and `audio [B, N', D]`: `[B, F, D]`."""
        both = torch.cat([image, audio], dim=1)
        return self.proj(attend_across(self.q(tokens), self.k(both), self.v(both), self.heads, self.scale))


class PairReading(Reading):
    """Reads every pair of an image and an audio token: the `dense` variant, and the last step of `factorized`."""

    def __init__(self, width: int, heads: int, ratio: float = 1.0, pairs: Pairs = "separate"):
        super().__init__(width, 2 * width, heads, ratio)
        self.pairs = pairs

    def forward(self, tokens: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        """`tokens [B, F, D]` that read all pairs of `image [B, N, D]` and `audio [B, N', D]`: `[B, F, D]`."""
        read = self._explicit if self.pairs == "explicit" else self._separate
        return self.proj(read(self.q(tokens), image, audio))

    def _separate(self, query: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        """The sum of two attentions; the biases go with the picture."""
        keys, values = self.k.weight.chunk(2, dim=1), self.v.weight.chunk(2, dim=1)
        key, value = F.linear(image, keys[0], self.k.bias), F.linear(image, values[0], self.v.bias)
        of_image = attend_across(query, key, value, self.heads, self.scale)
        key, value = F.linear(audio, keys[1]), F.linear(audio, values[1])
        return of_image + attend_across(query, key, value, self.heads, self.scale)

    def _explicit(self, query: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        both = all_pairs(image, audio)
        return attend_across(query, self.k(both), self.v(both), self.heads, self.scale)


def all_pairs(image: Tensor, audio: Tensor) -> Tensor:
    """`[B, N, D]` and `[B, N', D]` to `[B, N * N', 2 D]`: each image token with each audio token, these innermost."""
    rows, columns = image.shape[1], audio.shape[1]
    left, right = image[:, :, None].expand(-1, -1, columns, -1), audio[:, None].expand(-1, rows, -1, -1)
    return torch.cat([left, right], dim=3).flatten(1, 2)


class FactorizedReading(nn.Module):
    """Aggregators sum up each modality, the first tokens read pairs of these sums.

    Args:
        width: D.
        heads: h.
        counts: fusion tokens proper, visual and audio aggregators, in this order.
        ratio: E over D of what reads pairs; aggregators read at full width.
        pairs: how pairs are computed.
    """

    def __init__(
        self, width: int, heads: int, counts: tuple[int, int, int], ratio: float = 0.25, pairs: Pairs = "separate"
    ):
        super().__init__()
        self.counts = counts
        self.image = CrossAttention(width, heads)
        self.audio = CrossAttention(width, heads)
        self.both = PairReading(width, heads, ratio, pairs)

    def forward(self, tokens: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        """`tokens [B, F, D]` that read `image [B, N, D]` and `audio [B, N', D]`: `[B, F, D]`."""
        fusion, of_image, of_audio = tokens.split(self.counts, dim=1)
        summed_image, summed_audio = self.image(of_image, image), self.audio(of_audio, audio)
        return torch.cat([self.both(fusion, summed_image, summed_audio), summed_image, summed_audio], dim=1)


class FusionBlock(nn.Module):
    """One layer of fusion tokens; see the file's header.

    Args:
        width: D.
        heads: h.
        counts: fusion tokens proper, visual and audio aggregators; `dense` and `token` read with all of them.
        fusion: what is read.
        ratio: width of queries and keys over D.
        mlp_ratio: hidden width of the MLP over D.
        pairs: how pairs are computed.
        eps: of the LayerNorms.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        counts: tuple[int, int, int],
        fusion: Fusion = "factorized",
        ratio: float = 0.25,
        mlp_ratio: float = 1.0,
        pairs: Pairs = "separate",
        eps: float = 1e-5,
    ):
        super().__init__()
        self.norm_tokens, self.norm_image, self.norm_audio = (nn.LayerNorm(width, eps=eps) for _ in range(3))
        if fusion == "factorized":
            self.read: nn.Module = FactorizedReading(width, heads, counts, ratio, pairs)
        elif fusion == "dense":
            self.read = PairReading(width, heads, ratio, pairs)
        else:
            self.read = TokenReading(width, heads, ratio)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        self.mlp = Mlp(width, round(width * mlp_ratio))

    def forward(self, tokens: Tensor, image: Tensor, audio: Tensor) -> Tensor:
        """`tokens [B, F, D]` beside `image [B, N, D]` and `audio [B, N', D]`: the next layer's `[B, F, D]`."""
        normed = self.norm_tokens(tokens)
        x = normed + self.read(normed, self.norm_image(image), self.norm_audio(audio))
        return x + self.mlp(self.norm2(x))
