"""Two ViTs that exchange information through fusion tokens from the first layer on (DeepAVFusion, arXiv 2312.01017).

In layer l each trunk's block reads its own tokens with the fusion tokens as context, and the fusion block reads both
modalities; all three start from what layer l - 1 gave, so nothing waits for anything:

    image_l = Block(image_{l-1} | fusion_{l-1}),    audio_l = Block(audio_{l-1} | fusion_{l-1})
    fusion_l = FusionBlock(fusion_{l-1}, image_{l-1}, audio_{l-1})

In a layer without fusion both trunks are alone and the fusion tokens pass unchanged. There is no class token; positions
are fixed sine-cosine values, and fusion tokens have none.

Legend: B batch, n visible tokens of a modality, F fusion tokens, D width.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.errors import UsageError
from seehear.layers.context_block import ContextBlock
from seehear.layers.fusion_tokens import Fusion, FusionBlock, Pairs
from seehear.layers.initialisation import initialise
from seehear.layers.modality_tokens import ModalityTokens
from seehear.layers.packing import Group
from seehear.layers.patches import Stem

FusionLayers = Literal["all", "none"] | tuple[int, ...]
SINGLE = ("audio", "image")


@dataclass(frozen=True)
class FusionConfig:
    """Fusion tokens of a network; the defaults are those of the released VGGSound model.

    Attributes:
        kind: what the tokens read (see `layers.fusion_tokens`).
        tokens: fusion tokens proper.
        visual: visual aggregators.
        sound: sound's aggregators.
        layers: "all", "none", or the numbers of the layers in which tokens are exchanged, from 0.
        ratio: width of queries and keys where pairs or tokens are read, over D.
        mlp_ratio: hidden width of the fusion blocks' MLPs over D.
        pairs: how pairs are computed; the values are the same.
    """

    kind: Fusion = "factorized"
    tokens: int = 16
    visual: int = 8
    sound: int = 8
    layers: FusionLayers = "all"
    ratio: float = 0.25
    mlp_ratio: float = 1.0
    pairs: Pairs = "separate"

    def __post_init__(self) -> None:
        for name in ("tokens", "visual", "sound"):
            if getattr(self, name) < 1:
                raise UsageError(f"fusion.{name} is {getattr(self, name)}", expected="at least 1")
        for name in ("ratio", "mlp_ratio"):
            if getattr(self, name) <= 0:
                raise UsageError(f"fusion.{name} is {getattr(self, name)}", expected="above 0")

    @property
    def counts(self) -> tuple[int, int, int]:
        """Fusion tokens proper, visual and sound's aggregators, in their order."""
        return self.tokens, self.visual, self.sound

    def numbers(self, depth: int) -> tuple[int, ...]:
        """The layers of `depth` in which tokens are exchanged.

        Raises:
            UsageError: if there is no such layer, or one is named twice.
        """
        if isinstance(self.layers, str):
            return tuple(range(depth)) if self.layers == "all" else ()
        if len(set(self.layers)) < len(self.layers) or not set(self.layers) <= set(range(depth)):
            raise UsageError(f"fusion in the layers {self.layers}", expected=f"each once, from 0 to {depth - 1}")
        return tuple(sorted(self.layers))


@dataclass
class Fused:
    """What comes out: `image` and `audio [B, n, D]`, `fusion [B, F, D]`, and each layer's of all three if asked for."""

    image: Tensor
    audio: Tensor
    fusion: Tensor
    layers: dict[str, list[Tensor]] = field(default_factory=dict)


class EarlyFusion(ModalityTokens):
    """See the file's header.

    Args:
        grids: token grid of "audio" and "image".
        channels: of each modality's patches.
        patch: patch side p.
        width: D.
        depth: blocks of each trunk.
        heads: attention heads of all blocks.
        fusion: the fusion tokens.
        stem: patch embedding.
        mlp_ratio: hidden width of the trunks' MLPs over D.
    """

    def __init__(
        self,
        grids: Mapping[str, tuple[int, ...]],
        channels: Mapping[str, int],
        patch: int,
        width: int,
        depth: int,
        heads: int,
        fusion: FusionConfig = FusionConfig(),
        stem: Stem = "linear",
        mlp_ratio: float = 4.0,
    ):
        super().__init__(grids, channels, patch, width, stem, positions="fixed")
        self.trunks = nn.ModuleDict(
            {m: nn.ModuleList(ContextBlock(width, heads, mlp_ratio) for _ in range(depth)) for m in SINGLE}
        )
        self.norm = nn.ModuleDict({m: nn.LayerNorm(width, eps=1e-6) for m in SINGLE})
        options = (fusion.counts, fusion.kind, fusion.ratio, fusion.mlp_ratio, fusion.pairs)
        self.fusion = nn.ModuleDict({str(n): FusionBlock(width, heads, *options) for n in fusion.numbers(depth)})
        self.fusion_norm = nn.LayerNorm(width)
        self.fusion_tokens = nn.Parameter(0.02 * torch.randn(sum(fusion.counts), width))
        initialise(self)

    def forward(self, audio: Group, image: Group, with_layers: bool = False) -> Fused:
        """Visible patches of both modalities, of the same clips in the same order, after the final norms.

        `with_layers` also keeps what each layer gives, before the final norms.
        """
        found = {"audio": self.embed(audio), "image": self.embed(image)}
        fusion = self.fusion_tokens.to(found["image"].dtype).expand(len(found["image"]), -1, -1)
        layers: dict[str, list[Tensor]] = {"audio": [], "image": [], "fusion": []}
        for number, blocks in enumerate(zip(*(self.trunks[m] for m in SINGLE), strict=True)):  # type: ignore[arg-type]
            name = str(number)
            context = fusion if name in self.fusion else None
            if name in self.fusion:
                fusion = self.fusion[name](fusion, found["image"], found["audio"])
            found = {m: block(found[m], context) for m, block in zip(SINGLE, blocks, strict=True)}
            if with_layers:
                for modality, tokens in (*found.items(), ("fusion", fusion)):
                    layers[modality].append(tokens)
        normed = {m: self.norm[m](tokens) for m, tokens in found.items()}
        return Fused(normed["image"], normed["audio"], self.fusion_norm(fusion), layers if with_layers else {})
