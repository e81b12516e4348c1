"""DeepAVFusion: two ViTs joined by fusion tokens from the first layer on, trained by masked reconstruction alone.

Source: Mo and Morgado, "Unveiling the Power of Audio-Visual Early Fusion Transformers with Dense Interactions through
Masked Modeling", arXiv 2312.01017, and its released code where that differs. Both modalities are masked independently;
fusion tokens never are. A decoder for each modality draws its hidden patches from its visible tokens, beside the fusion
tokens as a context: what a decoder knows of the other modality it knows through these alone. Targets are standardised
patch by patch; both errors count alike. There is no contrast.

Sound and picture are read together: every feature has seen both, and one alone cannot be embedded.

Legend: B batch, N token places, n visible ones, m hidden ones to draw, F fusion tokens, V values of a patch, D width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from seehear.backbones.early_fusion import EarlyFusion, Fused, FusionConfig
from seehear.contracts import (
    AudioNeed,
    Batch,
    Branch,
    Features,
    FrameNeed,
    Losses,
    Method,
    Needs,
    Reconstruction,
)
from seehear.errors import UsageError
from seehear.layers.decoder import Masked, MaskedDecoder
from seehear.layers.features import features_of
from seehear.layers.hiding import HiddenGroup, drawing, hide
from seehear.layers.initialisation import initialise
from seehear.layers.inputs import InputConfig
from seehear.layers.log_mel_inputs import LOG_MEL_INPUTS, log_mel_patches
from seehear.layers.masking import kept
from seehear.layers.packing import Group, whole
from seehear.layers.patches import Stem
from seehear.losses.masked_reconstruction import masked_reconstruction
from seehear.randomness import Randomness

AUDIO, IMAGE = "audio", "image"
SINGLE = (AUDIO, IMAGE)
CHANNELS = {AUDIO: 1, IMAGE: 3}


@dataclass(frozen=True)
class Config:
    """DeepAVFusion's configuration; the defaults are the released VGGSound model's."""

    method: ClassVar[str] = "deepavfusion"

    inputs: InputConfig = LOG_MEL_INPUTS
    gain_db: float = 6.0
    """Loudness of a training clip is drawn within so many decibels up or down."""
    patch: int = 16
    width: int = 768
    depth: int = 12
    """Blocks of each trunk."""
    heads: int = 12
    mlp_ratio: float = 4.0
    stem: Stem = "linear"
    fusion: FusionConfig = FusionConfig()
    image_ratio: float = 0.75
    """Share of the picture's patches that is hidden."""
    audio_ratio: float = 0.8
    decoder_width: int = 512
    decoder_depth: int = 8
    decoder_heads: int = 16
    per_patch_targets: bool = True
    audio_weight: float = 1.0
    image_weight: float = 1.0
    trunk_rise: float = 0.0
    """Share of a run over which the trunks' rate rises from 0 to that of the rest, by half a cosine; 0.5 where they
    start from trained weights, as published."""

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("depth", self.depth >= 1, "at least 1"),
            ("gain_db", self.gain_db >= 0, "0 or more"),
            ("image_ratio", 0 < self.image_ratio < 1, "above 0, below 1"),
            ("audio_ratio", 0 < self.audio_ratio < 1, "above 0, below 1"),
            ("audio_weight", self.audio_weight >= 0, "0 or more"),
            ("image_weight", self.image_weight >= 0, "0 or more"),
            ("trunk_rise", 0 <= self.trunk_rise <= 1, "0 to 1"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name)}", expected=expected)
        if self.audio_weight == 0 and self.image_weight == 0:
            raise UsageError("audio_weight and image_weight are 0", expected="something to learn from")


class DeepAVFusion(Method):
    """See the file's header."""

    Config = Config
    fusion_parts = ("encoder.fusion", "encoder.fusion_norm")
    pretraining_parts = ("decoders",)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.grids = config.inputs.grids(config.patch)
        self.ratios = {AUDIO: config.audio_ratio, IMAGE: config.image_ratio}
        for modality, (rows, columns) in self.grids.items():
            kept(rows * columns, self.ratios[modality])  # refuses too few
        self.encoder = EarlyFusion(
            self.grids,
            CHANNELS,
            config.patch,
            config.width,
            config.depth,
            config.heads,
            config.fusion,
            config.stem,
            config.mlp_ratio,
        )
        weights = {AUDIO: config.audio_weight, IMAGE: config.image_weight}
        self.decoders = nn.ModuleDict({m: self._make_decoder(m) for m in SINGLE if weights[m]})
        initialise(self.decoders)

    def _make_decoder(self, modality: str) -> MaskedDecoder:
        recipe = self.config
        return MaskedDecoder(
            recipe.width,
            recipe.decoder_width,
            recipe.decoder_depth,
            recipe.decoder_heads,
            grids={modality: self.grids[modality]},
            values={modality: recipe.patch**2 * CHANNELS[modality]},
            positions="fixed",
            deviation=0.02,
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

    def parameter_groups(self, phase: str) -> list[dict[str, Any]]:
        """As `Method.parameter_groups`, the trunks apart where their rate rises."""
        groups = super().parameter_groups(phase)
        if not self.config.trunk_rise:
            return groups
        trunks = set(self.encoder.trunks.parameters()) | set(self.encoder.patch_embed.parameters())
        trunks |= set(self.encoder.norm.parameters())
        found = []
        for group in groups:
            rest = [p for p in group["params"] if p not in trunks]
            mine = [p for p in group["params"] if p in trunks]
            found += [
                {**group, "params": rest},
                {**group, "name": f"trunk {group['name']}", "params": mine, "rise": self.config.trunk_rise},
            ]
        return found

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        """Losses of `batch` (needs `waveform`, `waveform_samples`, `frames`).

        Raises:
            UsageError: if the batch lacks a modality.
        """
        losses = self._losses(self._hidden(batch, randomness))
        weights = {AUDIO: self.config.audio_weight, IMAGE: self.config.image_weight}
        parts = [weights[m] * losses[f"reconstruction_{m}"] for m in self.decoders]
        return losses | {"loss": torch.stack(parts).sum()}

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """Tokens of "audio" and "image", each of which has read the other, and "audiovisual": the F fusion tokens, with
        their mean as pooled feature.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        return self.features(self.encoder(*self._whole(self.patches(batch, None)), with_layers))

    @torch.no_grad()
    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """What the network draws of what it does not see, for both modalities of `batch`.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        hidden = self._hidden(batch, randomness, to_look_at=True)
        drawn = self._draw(hidden)
        patches = self.patches(batch, keys=None)
        show = self.config.inputs, self.config.patch, self.config.per_patch_targets
        return {m: drawing(hidden[m], patches[m], values, *show) for m, values in drawn.items()}

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given.

        Raises:
            UsageError: if the batch lacks a modality, or a clip of it does.
        """
        _refuse_one_alone(batch, flags=keys is None)  # in training nobody waits for the device's flags
        recipe, dtype = self.config, self.encoder.fusion_tokens.dtype
        return log_mel_patches(batch, recipe.inputs, recipe.patch, keys, dtype, recipe.gain_db)

    def features(self, fused: Fused) -> dict[str, Features]:
        """What `encode` returns of the encoder's output."""
        tokens = {AUDIO: fused.audio, IMAGE: fused.image, "audiovisual": fused.fusion}
        grids = {**self.grids, "audiovisual": (fused.fusion.shape[1],)}
        layers = {m: tuple(fused.layers.get("fusion" if m == "audiovisual" else m, ())) for m in tokens}
        return {m: features_of(Branch(tokens[m], layers[m]), grids[m]) for m in tokens}

    # --------------------------------------------------------------------------------------------------- the inside
    def _whole(self, patches: Mapping[str, Tensor]) -> list[Group]:
        return [whole(m, patches[m]) for m in SINGLE]

    def _hidden(self, batch: Batch, randomness: Randomness, to_look_at: bool = False) -> dict[str, HiddenGroup]:
        """Sound and picture with the masked share hidden; to look at: not augmented."""
        keys = randomness.keys(batch.positions, batch.sample_ids)
        patches = self.patches(batch, None if to_look_at else keys)
        return {m: hide(m, patches[m], keys, self.grids[m], self.ratios[m]) for m in SINGLE}

    def _draw(self, hidden: Mapping[str, HiddenGroup]) -> dict[str, Tensor]:
        """Drawn patch values `[B, m, V]` of each modality."""
        fused = self.encoder(hidden[AUDIO], hidden[IMAGE])
        seen = {AUDIO: fused.audio, IMAGE: fused.image}
        return {
            m: decoder({m: Masked(seen[m], hidden[m].places, hidden[m].hidden)}, fused.fusion)[m]
            for m, decoder in self.decoders.items()
        }

    def _losses(self, hidden: Mapping[str, HiddenGroup]) -> Losses:
        drawn, per_patch = self._draw(hidden), self.config.per_patch_targets
        return {f"reconstruction_{m}": masked_reconstruction(d, hidden[m].targets, per_patch) for m, d in drawn.items()}


def _refuse_one_alone(batch: Batch, flags: bool) -> None:
    """Refuse a batch that lacks a modality, or with `flags` one of whose clips does."""
    lacking = [what for what, name in (("sound", "waveform"), ("pictures", "frames")) if name not in batch]
    marked = [("sound", "has_audio"), ("pictures", "has_image")] if flags else []
    lacking += [f"{what} in some clips" for what, flag in marked if flag in batch and not bool(batch[flag].all())]
    if lacking:
        raise UsageError(
            f"DeepAVFusion got no {lacking[0]}",
            expected="sound and pictures of every clip: its layers read both, and one alone cannot be embedded",
            cure="weights.Embedder(method, modalities=('audiovisual',)), or a method with separate trunks",
        )
