"""CAV-MAE: separate encoders, one joint block, contrast and masked reconstruction of the same masked views.

Source: Gong et al., "Contrastive Audio-Visual Masked Autoencoder", arXiv 2210.07839, and its released code where that
differs. Visible tokens of each modality pass a trunk of their own. The joint blocks then run three times with the same
attention and MLP and norms of their own: over both modalities together, whose tokens the decoder draws from, and over
each modality alone, whose mean tokens are contrasted; so nothing of the other modality leaks into the contrast.

Its variants: contrast alone (`reconstruction_weight` 0), reconstruction alone (`contrast_weight` 0), and the plain
AV-MAE (also `depth` 0: all blocks are joint). Norms of a pass that never runs are not trained.

Deviation: with more than one joint block the released code feeds each the tokens that the first one got, in the passes
of one modality; here each feeds the next.

Legend: B batch, N token places, n visible ones, m hidden ones to draw, V values of a patch, D width.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.backbones.separate_vits import SeparateViTs
from seehear.contracts import (
    AudioNeed,
    Batch,
    Branch,
    Contrast,
    Features,
    FrameNeed,
    Losses,
    Modality,
    Needs,
    PartsMethod,
    Reconstruction,
)
from seehear.errors import UsageError
from seehear.layers.block import Block, ModalityNorm
from seehear.layers.decoder import Masked, MaskedDecoder
from seehear.layers.features import features_of, join
from seehear.layers.hiding import HiddenGroup, drawing, hidden_by, hide
from seehear.layers.initialisation import initialise
from seehear.layers.inputs import InputConfig, patches_of
from seehear.layers.masking import MaskKind, kept
from seehear.layers.modality_tokens import Positions
from seehear.layers.packing import pack, unpack, whole
from seehear.layers.patches import Stem
from seehear.losses.info_nce import Directions, info_nce
from seehear.losses.masked_reconstruction import masked_reconstruction
from seehear.randomness import Randomness

AUDIO, IMAGE, JOINT = "audio", "image", "joint"
SINGLE = (AUDIO, IMAGE)


@dataclass(frozen=True)
class Config:
    """CAV-MAE's configuration; the defaults are the paper's Base."""

    method: ClassVar[str] = "cav_mae"

    inputs: InputConfig = InputConfig(fit="crop")
    patch: int = 16
    width: int = 768
    depth: int = 11
    """Blocks of each modality's own trunk."""
    joint_depth: int = 1
    heads: int = 12
    stem: Stem = "linear"
    positions: Positions = "fixed"
    """Of encoder and decoder."""
    masking_ratio: float = 0.75
    audio_mask: MaskKind = "unstructured"
    """Pictures are always masked without structure."""
    decoder_width: int = 512
    decoder_depth: int = 8
    decoder_heads: int = 16
    decode: float = 1.0
    """Share of the hidden patches that is drawn and scored in training."""
    per_patch_targets: bool = True
    """Standardise every target patch; False (the released "NoNorm") is what in-painting needs."""
    temperature: float = 0.05
    directions: Directions = "image-to-audio"
    """The paper's: for each picture a softmax over sounds; "both" is its "Symc"."""
    contrast_chunk: int | None = None
    """Rows of the similarities held at once; None: all of a process."""
    contrast_weight: float = 0.01
    reconstruction_weight: float = 1.0
    alone: Literal["own", "average"] = "own"
    """Features of a modality alone: with its own norms, or the mean of that and of the pass with the joint norms, which
    is how a network fine-tuned on both together is tested without one of them."""

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("temperature", self.temperature > 0, "above 0"),
            ("contrast_chunk", self.contrast_chunk is None or self.contrast_chunk >= 1, "at least 1, or none"),
            ("masking_ratio", 0 < self.masking_ratio < 1, "above 0, below 1"),
            ("decode", 0 < self.decode <= 1, "above 0, at most 1"),
            ("joint_depth", self.joint_depth >= 1, "at least 1"),
            ("contrast_weight", self.contrast_weight >= 0, "0 or more"),
            ("reconstruction_weight", self.reconstruction_weight >= 0, "0 or more"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name)}", expected=expected)
        if self.contrast_weight == 0 and self.reconstruction_weight == 0:
            raise UsageError("contrast_weight and reconstruction_weight are 0", expected="something to learn from")


class CavMae(PartsMethod):
    """See the file's header."""

    Config = Config
    fusion_parts = ("joint", "norm")
    pretraining_parts = ("decoder",)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.grids = config.inputs.grids(config.patch)
        for rows, columns in self.grids.values():
            kept(rows * columns, config.masking_ratio)  # refuses too few
        channels, sets = {AUDIO: 1, IMAGE: 3}, (JOINT, AUDIO, IMAGE)
        self.trunk = SeparateViTs(
            self.grids,
            channels,
            config.patch,
            config.width,
            config.depth,
            config.heads,
            stem=config.stem,
            positions=config.positions,
            named=True,
            final_eps=None,
        )
        self.joint = nn.ModuleList(Block(config.width, config.heads, sets) for _ in range(config.joint_depth))
        self.norm = ModalityNorm(sets, config.width, eps=1e-5)
        initialise(self.joint)
        self.decoder = self._make_decoder(channels) if config.reconstruction_weight else None
        self._leave_alone(() if config.reconstruction_weight else (JOINT,))
        self._leave_alone(() if config.contrast_weight else SINGLE)

    def _make_decoder(self, channels: Mapping[str, int]) -> MaskedDecoder:
        recipe = self.config
        decoder = MaskedDecoder(
            recipe.width,
            recipe.decoder_width,
            recipe.decoder_depth,
            recipe.decoder_heads,
            grids=self.grids,
            values={m: recipe.patch**2 * channels[m] for m in self.grids},
            positions=recipe.positions,
            deviation=0.02,
        )
        initialise(decoder)
        return decoder

    def _leave_alone(self, sets: Sequence[str]) -> None:
        """Train none of these norms: no pass of this variant uses them."""
        for part in (self.norm, *(norm for block in self.joint for norm in (block.norm1, block.norm2))):
            for name in sets:
                part[name].requires_grad_(False)  # type: ignore[index]

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """The sound and one frame."""
        inputs = self.config.inputs
        return Needs(
            audio=AudioNeed(inputs.audio_seconds),
            frames=FrameNeed(1, inputs.image_height, inputs.image_width, inputs.fit),
        )

    def forward(
        self, batch: Batch, randomness: Randomness, phase: str = "joint", contrast: Contrast | None = None
    ) -> Losses:
        """Losses of `batch` (needs `waveform`, `waveform_samples`, `frames`); `contrast` as `Embeds` says.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        hidden = self._hidden(batch, randomness)
        tokens = self._through_joint(self.trunk(hidden).tokens, self._passes())
        losses: Losses = {}
        if self.config.reconstruction_weight:
            losses |= self._reconstruction_losses(tokens[JOINT], hidden)
        if self.config.contrast_weight:
            losses["contrast"] = (contrast or self.loss_from_embeddings)(self._embeddings(tokens, batch))
        weights = {"contrast": self.config.contrast_weight}
        parts = [weights.get(name, self.config.reconstruction_weight) * value for name, value in losses.items()]
        return losses | {"loss": torch.stack(parts).sum()}

    def embed(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> dict[str, Tensor]:
        """Masked, L2-normalised `audio` and `image`, each `[B, D]`, and `sample_ids [B]`; nothing without contrast."""
        if not self.config.contrast_weight:
            return {}
        tokens = self.trunk(self._hidden(batch, randomness)).tokens
        return self._embeddings(self._through_joint(tokens, SINGLE), batch)

    def loss_from_embeddings(self, embeddings: Mapping[str, Tensor]) -> Tensor:
        """The contrastive loss of what `embed` returns, for one batch or for its pieces joined."""
        audio, image, sample_ids = (embeddings[name] for name in (AUDIO, IMAGE, "sample_ids"))
        recipe = self.config
        return info_nce(audio, image, sample_ids, recipe.temperature, recipe.directions, recipe.contrast_chunk)

    @torch.no_grad()
    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """What the network draws of what it does not see, for both modalities of `batch`; nothing without a decoder.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        if self.decoder is None:
            return {}
        hidden = self._hidden(batch, randomness, to_look_at=True)
        drawn = self._draw(self._through_joint(self.trunk(hidden).tokens, (JOINT,))[JOINT], hidden)
        patches = self.patches(batch, keys=None)
        show = self.config.inputs, self.config.patch, self.config.per_patch_targets
        return {h.modality: drawing(h, patches[h.modality], drawn[h.modality], *show) for h in hidden}

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Normalised patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given."""
        return patches_of(batch, self.config.inputs, self.config.patch, keys, self.trunk.positions[AUDIO].dtype)

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """Each modality after its own trunk."""
        encoded = self.trunk([whole(modality, values) for modality, values in patches.items()], with_layers)
        return encoded.branches(patches)

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """Each branch alone through the joint blocks, whose tokens end its layers, and both together."""
        found: dict[str, Features] = {}
        for modality, branch in branches.items():
            if only is None or modality in only:
                tokens = self._alone(modality, branch.tokens)
                layers = (*branch.layers, tokens) if branch.layers else ()
                found[modality] = features_of(Branch(tokens, layers), self.grids[modality])
        if len(branches) == 2 and (only is None or "audiovisual" in only):
            found["audiovisual"] = join(self._through_joint([branches[m].tokens for m in SINGLE], (JOINT,))[JOINT])
        return found

    def reconstruction_losses(self, patches: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Losses:
        """Loss by modality of whole `patches` of which `masks [B, N]` (1 = removed) hide some.

        Raises:
            UsageError: if this variant has no decoder, or a mask does not fit.
        """
        hidden = [hidden_by(m, patches[m], masks[m]) for m in SINGLE]
        return self._reconstruction_losses(self._through_joint(self.trunk(hidden).tokens, (JOINT,))[JOINT], hidden)

    # --------------------------------------------------------------------------------------------------- the inside
    def _passes(self) -> tuple[str, ...]:
        joint = (JOINT,) if self.config.reconstruction_weight else ()
        return joint + (SINGLE if self.config.contrast_weight else ())

    def _hidden(self, batch: Batch, randomness: Randomness, to_look_at: bool = False) -> list[HiddenGroup]:
        """Sound and picture with the masked share hidden; to look at: not augmented, and all of it to be drawn."""
        recipe, keys = self.config, randomness.keys(batch.positions, batch.sample_ids)
        patches = self.patches(batch, None if to_look_at else keys)
        if len(patches) < 2:
            raise UsageError(f"nothing to compare in {batch}", expected="`waveform` and `frames`")
        kinds: dict[str, MaskKind] = {AUDIO: recipe.audio_mask, IMAGE: "unstructured"}
        share = 1.0 if to_look_at else recipe.decode
        return [hide(m, patches[m], keys, self.grids[m], recipe.masking_ratio, kinds[m], share) for m in SINGLE]

    def _through_joint(self, tokens: Sequence[Tensor], passes: Sequence[str]) -> dict[str, list[Tensor]]:
        """Sound and picture `[B, n, D]` after the joint blocks by pass, all packed; "joint" gives both, else one."""
        sources = dict(zip(SINGLE, tokens, strict=True))
        if JOINT in passes:
            sources[JOINT] = torch.cat(list(tokens), dim=1)
        found = self._pass_together({name: sources[name] for name in passes})
        lengths = [part.shape[1] for part in tokens]
        return {name: list(t.split(lengths, dim=1)) if name == JOINT else [t] for name, t in found.items()}

    def _alone(self, modality: str, tokens: Tensor) -> Tensor:
        """One modality `[B, N, D]` through the joint blocks with its own norms, or the mean of that and joint ones."""
        passes = (modality,) if self.config.alone == "own" else (modality, JOINT)
        return torch.stack(list(self._pass_together(dict.fromkeys(passes, tokens)).values())).mean(dim=0)

    def _pass_together(self, tokens: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tokens `[B, n, D]` by norm set through joint blocks and final norms, each linear layer once for all."""
        x, layout = pack(list(tokens.values()))
        segments = tuple(zip(tokens, layout.sizes, strict=True))
        for block in self.joint:
            x = block(x, layout, segments)
        return dict(zip(tokens, unpack(self.norm(x, segments), layout), strict=True))

    def _embeddings(self, tokens: Mapping[str, list[Tensor]], batch: Batch) -> dict[str, Tensor]:
        pooled = {m: F.normalize(tokens[m][0].mean(dim=1), dim=-1) for m in SINGLE}
        return {"sample_ids": batch.sample_ids, **pooled}

    def _draw(self, fused: Sequence[Tensor], hidden: Sequence[HiddenGroup]) -> dict[str, Tensor]:
        """Drawn patch values `[B, m, V]` of each modality."""
        if self.decoder is None:
            raise UsageError("this CAV-MAE has no decoder", expected="reconstruction_weight above 0")
        return self.decoder({h.modality: Masked(t, h.places, h.hidden) for h, t in zip(hidden, fused, strict=True)})

    def _reconstruction_losses(self, fused: Sequence[Tensor], hidden: Sequence[HiddenGroup]) -> Losses:
        drawn, per_patch = self._draw(fused, hidden), self.config.per_patch_targets
        return {
            f"reconstruction_{h.modality}": masked_reconstruction(drawn[h.modality], h.targets, per_patch)
            for h in hidden
        }
