"""AVSiam: one shared ViT for sound and picture, multi-ratio masking, contrast plus masked reconstruction.

Source: Lin and Bertasius, "Siamese Vision Transformers are Scalable Audio-visual Learners", arXiv 2403.19638, and its
released code where that differs (each such difference is a field of `Config`; recipes `avsiam_released_*` set them).
Each clip of a batch gets one of K masking ratios per modality, independently for sound and picture; sequences of equal
ratio form a group, and all groups of a step, with the 0.75 reconstruction pass among them, go through the trunk packed.

Deviations: ratios come from keyed permutations of aligned blocks of K clips, so every pack has the same size, and a
local batch must be a multiple of K; the fusion layers have one neutral norm set (the released code calls them with
copies of the audio norms: the same function, other names).

Legend: B batch, K ratios, N token places, n visible ones, m hidden ones to draw, V values of a patch, D width,
T spectrogram frames, F mel bins.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.backbones.separate_vits import SeparateViTs
from seehear.backbones.siamese_vit import SiameseViT
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
from seehear.layers import multi_ratio
from seehear.layers.block import Block, through, through_together
from seehear.layers.decoder import Masked, MaskedDecoder
from seehear.layers.features import features_of, join
from seehear.layers.hiding import HiddenGroup, drawing, hidden_by, hide
from seehear.layers.initialisation import initialise
from seehear.layers.inputs import InputConfig, patches_of
from seehear.layers.masking import kept
from seehear.layers.multi_ratio import MaskingConfig
from seehear.layers.packing import Group, whole
from seehear.layers.patches import Stem
from seehear.losses.info_nce import Directions, info_nce
from seehear.losses.masked_reconstruction import masked_reconstruction
from seehear.randomness import Randomness

AUDIO, IMAGE = "audio", "image"


@dataclass(frozen=True)
class ReconstructionConfig:
    """Fusion layers and decoder."""

    fusion_depth: int = 2
    width: int | None = 512
    """Of the decoder; None: two thirds of the encoder's, as 512 is of 768."""
    depth: int = 6
    heads: int = 16
    fusion_norms: Literal["one", "each"] = "one"
    """One norm set for all tokens of the fusion layers, or one for each modality."""
    decode: float = 1.0
    """Share of the hidden patches that is drawn and scored in training."""
    audio_trunk: Literal["shared", "separate"] = "shared"
    """`separate`: a second stack of blocks reads the sound of this pass (released Base code)."""
    encoder_gradient: bool = True
    """False: only fusion layers and decoder learn from this pass (compiled Large of the released code)."""
    per_patch_targets: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.decode <= 1:
            raise UsageError(f"reconstruction.decode is {self.decode}", expected="above 0, at most 1")

    def width_for(self, encoder: int) -> int:
        """Width of the decoder beside an encoder of that width: a multiple of its heads."""
        return self.width or max(1, round(encoder * 2 / 3 / self.heads)) * self.heads


@dataclass(frozen=True)
class Config:
    """AVSiam's configuration; the defaults are the paper's Base."""

    method: ClassVar[str] = "avsiam"

    inputs: InputConfig = InputConfig()
    patch: int = 16
    width: int = 768
    depth: int = 12
    heads: int = 12
    stem: Stem = "linear"
    encoders: Literal["shared", "separate"] = "shared"
    """`separate`: a whole ViT for each modality, the paper's rival of sharing."""
    double_embed: bool = False
    """Double the tokens after adding positions, as the released weights expect."""
    masking: MaskingConfig = MaskingConfig()
    reconstruction: ReconstructionConfig = ReconstructionConfig()
    temperature: float = 0.05
    directions: Directions = "both"
    contrast_chunk: int | None = None
    """Rows of the similarities held at once, for batches of thousands of clips; None: all of a process."""
    contrast_weight: float = 1.0
    """0: reconstruction alone."""
    reconstruction_weight: float = 1.0
    """0: contrast alone; there is no decoder then, and the fusion layers learn nothing before fine-tuning."""
    in_turn: bool = False
    """Backpropagate contrast and reconstruction one after the other and add their gradients: as `False` in value, with
    half of the activations held at a time, for one more call of the trunk."""
    alternating: bool = False
    """Two optimiser steps per batch, contrast then reconstruction, each with moments of its own (released code)."""

    def __post_init__(self) -> None:
        weights = (self.contrast_weight, self.reconstruction_weight)
        if min(weights) < 0 or max(weights) == 0:
            raise UsageError(
                f"contrast_weight is {weights[0]}, reconstruction_weight {weights[1]}",
                expected="0 or more, and one of them above",
            )
        if self.alternating and min(weights) == 0:
            raise UsageError("alternating steps with one of the weights 0", expected="both above 0")
        if self.temperature <= 0:
            raise UsageError(f"temperature is {self.temperature}", expected="above 0")
        if self.contrast_chunk is not None and self.contrast_chunk < 1:
            raise UsageError(f"contrast_chunk is {self.contrast_chunk}", expected="at least 1, or none")
        if self.encoders == "separate" and self.reconstruction.audio_trunk == "separate":
            raise UsageError("reconstruction.audio_trunk is 'separate' beside separate encoders", expected="'shared'")


class AVSiam(PartsMethod):
    """See the file's header."""

    Config = Config
    fusion_parts = ("fusion",)
    pretraining_parts = ("decoder", "separate_audio", "separate_norm")

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        inputs, recipe = config.inputs, config.reconstruction
        self.grids = inputs.grids(config.patch)
        for rows, columns in self.grids.values():
            kept(rows * columns, max(*config.masking.ratios, config.masking.reconstruction_ratio))  # refuses too few
        channels = {AUDIO: 1, IMAGE: 3}
        trunk = SiameseViT if config.encoders == "shared" else SeparateViTs
        self.trunk = trunk(
            self.grids,
            channels,
            config.patch,
            config.width,
            config.depth,
            config.heads,
            stem=config.stem,
            double_embed=config.double_embed,
        )
        self.separate_audio = (
            nn.ModuleList(Block(config.width, config.heads) for _ in range(config.depth))
            if recipe.audio_trunk == "separate"
            else None
        )
        self.separate_norm = nn.LayerNorm(config.width, eps=1e-6) if recipe.audio_trunk == "separate" else None
        self.fusion_norms = ("joint",) if recipe.fusion_norms == "one" else (AUDIO, IMAGE)
        self.fusion = nn.ModuleList(
            Block(config.width, config.heads, self.fusion_norms) for _ in range(recipe.fusion_depth)
        )
        self.decoder = self._make_decoder(channels) if config.reconstruction_weight else None
        for part in (self.separate_audio, self.fusion, self.decoder):
            if part is not None:
                initialise(part)
        if self.decoder is None:
            self.fusion.requires_grad_(False)

    def _make_decoder(self, channels: Mapping[str, int]) -> MaskedDecoder:
        recipe = self.config.reconstruction
        return MaskedDecoder(
            self.config.width,
            recipe.width_for(self.config.width),
            recipe.depth,
            recipe.heads,
            grids=self.grids,
            values={m: self.config.patch**2 * channels[m] for m in self.grids},
        )

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """The sound and one frame."""
        inputs = self.config.inputs
        return Needs(
            audio=AudioNeed(inputs.audio_seconds),
            frames=FrameNeed(1, inputs.image_height, inputs.image_width, inputs.fit),
        )

    @property
    def phases(self) -> tuple[str, ...]:
        """One joint pass, or contrast and reconstruction in turn."""
        return ("contrast", "reconstruction") if self.config.alternating else ("joint",)

    def passes_of(self, phase: str) -> tuple[str, ...]:
        """The joint phase in turn, where that is asked for."""
        if phase != "joint" or not self.config.in_turn:
            return (phase,)
        return tuple(name for name in ("contrast", "reconstruction") if self._weight(name))

    @property
    def batch_multiple(self) -> int:
        """Each masking ratio occurs equally often."""
        return len(self.config.masking.ratios) if self.config.contrast_weight else 1

    def optimizer_of(self, phase: str) -> str:
        """The alternating preset keeps one set of moments per phase."""
        return phase

    def forward(
        self, batch: Batch, randomness: Randomness, phase: str = "joint", contrast: Contrast | None = None
    ) -> Losses:
        """Losses of `batch` (needs `waveform`, `waveform_samples`, `frames`); `contrast` as `Embeds` says.

        Raises:
            UsageError: if the batch is no multiple of the number of masking ratios, or its contrast lacks a modality.
        """
        keys = randomness.keys(batch.positions, batch.sample_ids)
        patches = self.patches(batch, keys)
        contrasting, drawing = (self._runs(name, phase) for name in ("contrast", "reconstruction"))
        groups = self._contrast_groups(patches, batch, randomness, keys) if contrasting else []
        hidden = self._hidden(patches, keys, self.config.reconstruction.decode) if drawing else []
        encoded = self._encode_groups(groups, hidden)
        losses: Losses = {}
        if groups:
            embeddings = self._embeddings(encoded[: len(groups)], batch, randomness)
            losses["contrast"] = (contrast or self.loss_from_embeddings)(embeddings)
        if hidden:
            losses |= self._reconstruction_losses(encoded[len(groups) :], hidden)
        losses["loss"] = self._total(losses)
        return losses

    def embed(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> dict[str, Tensor]:
        """Masked, L2-normalised `audio` and `image`, each `[B, D]`, and `sample_ids [B]`, in batch order.

        The reconstruction phase has none.

        Raises:
            UsageError: if the batch does not fit (see `forward`).
        """
        if not self._runs("contrast", phase):
            return {}
        keys = randomness.keys(batch.positions, batch.sample_ids)
        groups = self._contrast_groups(self.patches(batch, keys), batch, randomness, keys)
        return self._embeddings(self.trunk(groups).tokens, batch, randomness)

    def loss_from_embeddings(self, embeddings: Mapping[str, Tensor]) -> Tensor:
        """The contrastive loss of what `embed` returns, for one batch or for its pieces joined."""
        audio, image, sample_ids = (embeddings[name] for name in (AUDIO, IMAGE, "sample_ids"))
        recipe = self.config
        return info_nce(audio, image, sample_ids, recipe.temperature, recipe.directions, recipe.contrast_chunk)

    @torch.no_grad()
    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """What the network draws of the 75 % that it does not see, for both modalities; nothing without a decoder."""
        if self.decoder is None:
            return {}
        keys = randomness.keys(batch.positions, batch.sample_ids)
        patches = self.patches(batch, keys=None)
        hidden = self._hidden(patches, keys, share=1.0)
        drawn = self._draw(self._encode_groups([], hidden), hidden)
        show = self.config.inputs, self.config.patch, self.config.reconstruction.per_patch_targets
        return {h.modality: drawing(h, patches[h.modality], drawn[h.modality], *show) for h in hidden}

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Normalised patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given."""
        return patches_of(batch, self.config.inputs, self.config.patch, keys, self.trunk.positions[AUDIO].dtype)

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """The trunk's tokens of whole `patches` of each modality."""
        encoded = self.trunk([whole(modality, values) for modality, values in patches.items()], with_layers)
        return encoded.branches(patches)

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """Each branch as it is, and both after the fusion layers."""
        found = {m: features_of(b, self.grids[m]) for m, b in branches.items() if only is None or m in only}
        if len(branches) == 2 and (only is None or "audiovisual" in only):
            found["audiovisual"] = join(self._fuse([branches[AUDIO].tokens, branches[IMAGE].tokens]))
        return found

    def reconstruction_losses(self, patches: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Losses:
        """Loss by modality of whole `patches` of which `masks [B, N]` (1 = removed) hide some."""
        hidden = [hidden_by(m, values, masks[m]) for m, values in patches.items()]
        return self._reconstruction_losses(self._encode_groups([], hidden), hidden)

    # --------------------------------------------------------------------------------------------------- the inside
    def _weight(self, name: str) -> float:
        return self.config.contrast_weight if name == "contrast" else self.config.reconstruction_weight

    def _runs(self, name: str, phase: str) -> bool:
        """This phase has that pass, and it counts."""
        return phase in (name, "joint") and self._weight(name) > 0

    def _contrast_groups(
        self, patches: Mapping[str, Tensor], batch: Batch, randomness: Randomness, keys: Tensor
    ) -> list[Group]:
        """K groups of sound, then K of picture, each of B / K clips at one ratio."""
        masking, count = self.config.masking, self.batch_multiple
        if len(batch) % count:
            raise UsageError(
                f"a batch of {len(batch)} clips with {count} masking ratios", expected=f"a multiple of {count}"
            )
        if len(patches) < 2:
            raise UsageError(f"nothing to contrast in {batch}", expected="`waveform` and `frames`")
        found = []
        for m, kind in ((AUDIO, masking.audio), (IMAGE, masking.image)):
            index = multi_ratio.ratio_index(m, batch.positions, randomness, count)
            found += multi_ratio.groups(m, patches[m], keys, index, self.grids[m], masking.ratios, kind)
        return found

    def _hidden(self, patches: Mapping[str, Tensor], keys: Tensor, share: float) -> list[HiddenGroup]:
        """One group per modality at the reconstruction ratio, with a share of the hidden places to draw."""
        ratio = self.config.masking.reconstruction_ratio
        return [hide(m, values, keys, self.grids[m], ratio, share=share) for m, values in patches.items()]

    def _encode_groups(self, groups: list[Group], hidden: list[HiddenGroup]) -> list[Tensor]:
        """Tokens `[b, n, D]` of every group; one packed call, unless the preset keeps the passes apart."""
        recipe = self.config.reconstruction
        if recipe.encoder_gradient and self.separate_audio is None:
            merged = sorted([*groups, *hidden], key=lambda g: g.modality)
            tokens = dict(zip(map(id, merged), self.trunk(merged).tokens, strict=True))
            return [tokens[id(g)] for g in (*groups, *hidden)]
        contrast = self.trunk(groups).tokens if groups else []
        with torch.set_grad_enabled(recipe.encoder_gradient and torch.is_grad_enabled()):
            return contrast + [self._encode_hidden(g) for g in hidden]

    def _encode_hidden(self, group: HiddenGroup) -> Tensor:
        """A group of the reconstruction pass alone: through the separate audio blocks, where the preset has them."""
        if group.modality != AUDIO or self.separate_audio is None or self.separate_norm is None:
            return self.trunk([group]).tokens[0]
        tokens = self.trunk.embed(group)
        return self.separate_norm(through(self.separate_audio, tokens))

    def _embeddings(self, tokens: list[Tensor], batch: Batch, randomness: Randomness) -> dict[str, Tensor]:
        """Mean token of each sequence, back in batch order, L2-normalised; see `embed`."""
        count = len(self.config.masking.ratios)
        result = {"sample_ids": batch.sample_ids}
        for modality, part in ((AUDIO, tokens[:count]), (IMAGE, tokens[count:])):
            index = multi_ratio.ratio_index(modality, batch.positions, randomness, count)
            result[modality] = F.normalize(multi_ratio.pooled(part, index), dim=-1)
        return result

    def _fuse(self, tokens: list[Tensor]) -> list[Tensor]:
        """Sound and picture `[B, n, D]` through the fusion layers together."""
        return through_together(self.fusion, tokens, self.fusion_norms)

    def _draw(self, encoded: list[Tensor], hidden: list[HiddenGroup]) -> dict[str, Tensor]:
        """Drawn patch values `[B, m, V]` of each modality."""
        if self.decoder is None:
            raise UsageError("this AVSiam has no decoder", expected="reconstruction_weight above 0")
        fused = self._fuse(encoded)
        return self.decoder({h.modality: Masked(t, h.places, h.hidden) for h, t in zip(hidden, fused, strict=True)})

    def _reconstruction_losses(self, encoded: list[Tensor], hidden: list[HiddenGroup]) -> Losses:
        drawn = self._draw(encoded, hidden)
        per_patch = self.config.reconstruction.per_patch_targets
        return {
            f"reconstruction_{h.modality}": masked_reconstruction(drawn[h.modality], h.targets, per_patch)
            for h in hidden
        }

    def _total(self, losses: Losses) -> Tensor:
        return torch.stack([self._weight(name) * value for name, value in losses.items()]).sum()
