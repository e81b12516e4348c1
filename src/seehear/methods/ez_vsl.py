"""EZ-VSL: where in a picture a sound comes from, learnt without boxes by contrasting a sound with places.

Source: Mo and Morgado, "Localizing Visual Sounds the Easy Way", arXiv 2203.09324, and its released code where the paper
is silent. A picture becomes a map of vectors, a sound one vector, each through a ResNet-18 and a projection of its own;
the loss asks that a sound agrees with at least one place of its own picture and with none of the others
(`losses/multiple_instance.py`). The map of a clip is the similarity of its places to its sound, over the temperature.
At test time the map may be blended with what looks like an object (`layers/object_guidance.py`).

Towers: "resnet18" are the paper's; "siamese_vit" is AVSiam's shared trunk (arXiv 2403.19638), which reads log-mel
patches; "convnet" is a small stand-in for proofs.

Deviations: training crops are windows of 224 / 246 of both sides of the squashed picture (published: of the picture
with its aspect kept); the contrast compares the clips of all processes (published: of one); the tokens of the sound are
the projected places of its map, whose maximum before projection is the paper's vector.

Legend: B batch, K T spectrogram bins and segments, H W picture, h w map, N = h w places, C trunk's width, D width.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from seehear import signals
from seehear.backbones.convnet import ConvNet
from seehear.backbones.map_towers import ConvNetConfig, SiameseConfig
from seehear.backbones.resnet import ResNet18
from seehear.backbones.siamese_vit import SiameseViT
from seehear.contracts import AudioNeed, Batch, Branch, Features, FrameNeed, Losses, Modality, Needs, PartsMethod
from seehear.errors import UsageError
from seehear.layers.features import join, unit
from seehear.layers.inputs import InputConfig, patches_of, pictures
from seehear.layers.packing import whole
from seehear.losses.multiple_instance import Reduction, Score, multiple_instance_info_nce, pooled_places
from seehear.randomness import Randomness

AUDIO, IMAGE = "audio", "image"
SEGMENT, SHIFT = 512, 238  # samples of the log spectrogram
CROPPED = (224 / 246) ** 2  # share of the picture that a training crop keeps
INPUTS = InputConfig(audio_seconds=3.0, audio_frames=304, crop_scale=(CROPPED, CROPPED), flip=True)


@dataclass(frozen=True)
class Config:
    """EZ-VSL's configuration; the defaults are the paper's."""

    method: ClassVar[str] = "ez_vsl"

    inputs: InputConfig = INPUTS
    """Convolutional towers read its pictures and seconds of sound; what it says of spectrograms is the ViT's."""
    towers: Literal["resnet18", "convnet", "siamese_vit"] = "resnet18"
    convnet: ConvNetConfig = ConvNetConfig()
    siamese: SiameseConfig = SiameseConfig()
    width: int = 512
    """D, of the space where places and sounds are compared."""
    score: Score = "max"
    """Of a picture and a sound; "pool" and "mean" are the paper's ablations."""
    reduction: Reduction = "sum"
    """Of the two directions of the contrast."""
    temperature: float = 0.03
    contrast_chunk: int | None = None
    """Pictures whose similarities at all places are held at once; None: all of a process."""

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("width", self.width >= 1, "at least 1"),
            ("temperature", self.temperature > 0, "above 0"),
            ("contrast_chunk", self.contrast_chunk is None or self.contrast_chunk >= 1, "at least 1, or none"),
            ("inputs.audio_seconds", self.samples >= SEGMENT, f"at least {SEGMENT} samples"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name, self.inputs.audio_seconds)}", expected=expected)

    @property
    def samples(self) -> int:
        """Of the sound."""
        return round(self.inputs.audio_seconds * 16_000)


class EzVsl(PartsMethod):
    """See the file's header."""

    Config = Config

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.trunk, self.grids, width = _trunk(config)
        self.audio_projection = nn.Linear(width, config.width)
        self.image_projection = nn.Linear(width, config.width)
        nn.init.trunc_normal_(self.audio_projection.weight, std=0.01)
        nn.init.kaiming_normal_(self.image_projection.weight, mode="fan_out", nonlinearity="relu")
        for projection in (self.audio_projection, self.image_projection):
            nn.init.zeros_(projection.bias)

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """The sound and one frame."""
        inputs = self.config.inputs
        return Needs(
            audio=AudioNeed(inputs.audio_seconds),
            frames=FrameNeed(1, inputs.image_height, inputs.image_width, inputs.fit),
        )

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        """The contrast of `batch` (needs `waveform`, `waveform_samples`, `frames`).

        Raises:
            UsageError: if the batch lacks a modality.
        """
        keys = randomness.keys(batch.positions, batch.sample_ids)
        branches = self.branches(_both(self.patches(batch, keys), batch))
        loss = multiple_instance_info_nce(
            unit(self.audio_projection(self._pooled_sound(branches[AUDIO].tokens))),
            unit(self.image_projection(branches[IMAGE].tokens)),
            batch.sample_ids,
            self.config.temperature,
            self.config.score,
            self.config.reduction,
            self.config.contrast_chunk,
        )
        return {"loss": loss}

    def localize(self, batch: Batch) -> Tensor:
        """Similarity of every place to the clip's own sound, over the temperature: `[B, h, w]`.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        return self.similarities(_both(self.patches(batch, keys=None), batch))

    def similarities(self, patches: Mapping[str, Tensor]) -> Tensor:
        """As `localize`, of what `patches` returns for both modalities."""
        branches = self.branches(patches)
        sound = unit(self.audio_projection(self._pooled_sound(branches[AUDIO].tokens)))
        places = unit(self.image_projection(branches[IMAGE].tokens))
        return (torch.einsum("bnd,bd->bn", places, sound) / self.config.temperature).unflatten(1, self.grids[IMAGE])

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """What the towers read of the modalities in `batch`, augmented where `keys [B]` are given.

        Of convolutional towers pictures `[B, 3, H, W]` and log spectrograms `[B, 1, K, T]`, the sound played again
        until its time is full; of the siamese ViT patch values `[B, N, V]`.
        """
        inputs = self.config.inputs
        if isinstance(self.trunk, SiameseViT):
            return patches_of(batch, inputs, self.config.siamese.patch, keys, self.trunk.positions[AUDIO].dtype)
        dtype = next(self.trunk.parameters()).dtype  # of a kernel: linear layers may be in 8 bits
        found = {}
        if "waveform" in batch:
            waveform = signals.repeat_short(batch["waveform"], batch["waveform_samples"])
            sound = signals.log_spectrogram(signals.waveform_from_int16(waveform), SEGMENT, SHIFT)
            found[AUDIO] = sound[:, None].to(dtype)
        if "frames" in batch:
            found[IMAGE] = pictures(batch, inputs, keys).to(dtype)
        return found

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """The trunk's tokens `[B, N, C]` of each modality, before projection; its layers are a tower's stages."""
        if isinstance(self.trunk, SiameseViT):
            encoded = self.trunk([whole(modality, values) for modality, values in patches.items()], with_layers)
            return encoded.branches(patches)
        found = {}
        for modality, values in patches.items():
            stages = [maps.flatten(2).transpose(1, 2) for maps in self.trunk[modality](values)]
            found[modality] = Branch(stages[-1], tuple(stages) if with_layers else ())
        return found

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """Each branch projected, and both side by side; the embedding of a picture is pooled as its score says."""
        tokens = {m: _wide(getattr(self, f"{m}_projection")(branch.tokens)) for m, branch in branches.items()}
        found: dict[str, Features] = {}
        for modality in (m for m in branches if only is None or m in only):
            if modality == AUDIO:
                pooled = _wide(self.audio_projection(self._pooled_sound(branches[AUDIO].tokens)))
            else:
                pooled = pooled_places(unit(tokens[IMAGE]), self.config.score)
            layers = branches[modality].layers
            found[modality] = Features(tokens[modality], self.grids[modality], pooled, unit(pooled), layers)
        if len(branches) == 2 and (only is None or "audiovisual" in only):
            found["audiovisual"] = join([tokens[AUDIO], tokens[IMAGE]])
        return found

    # --------------------------------------------------------------------------------------------------- the inside
    def _pooled_sound(self, tokens: Tensor) -> Tensor:
        """One vector `[B, C]` of a sound's places: their maximum, or AVSiam's mean."""
        return tokens.mean(dim=1) if isinstance(self.trunk, SiameseViT) else tokens.amax(dim=1)


def _trunk(config: Config) -> tuple[nn.ModuleDict | SiameseViT, dict[str, tuple[int, int]], int]:
    """The towers, the grids of their tokens, and their width."""
    inputs, siamese, small = config.inputs, config.siamese, config.convnet
    if config.towers == "siamese_vit":
        grids = inputs.grids(siamese.patch)
        sizes = (siamese.patch, siamese.width, siamese.depth, siamese.heads)
        return SiameseViT(grids, {AUDIO: 1, IMAGE: 3}, *sizes, stem=siamese.stem), grids, siamese.width
    if config.towers == "resnet18":
        make = {AUDIO: lambda: ResNet18(1), IMAGE: lambda: ResNet18(3)}
    else:
        make = {
            AUDIO: lambda: ConvNet(1, small.widths, small.audio_strides),
            IMAGE: lambda: ConvNet(3, small.widths, small.image_strides),
        }
    towers = {modality: build() for modality, build in make.items()}
    shapes = {
        AUDIO: (1, 1, SEGMENT // 2 + 1, (config.samples - SEGMENT) // SHIFT + 1),
        IMAGE: (1, 3, inputs.image_height, inputs.image_width),
    }
    with torch.device("meta"):
        maps = {m: build().eval()(torch.empty(shapes[m]))[-1] for m, build in make.items()}
    return nn.ModuleDict(towers), {m: (x.shape[2], x.shape[3]) for m, x in maps.items()}, towers[AUDIO].width


def _wide(vectors: Tensor) -> Tensor:
    """In fp32 at least."""
    return vectors.to(torch.promote_types(vectors.dtype, torch.float32))


def _both(patches: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    if len(patches) < 2:
        raise UsageError(f"nothing to compare in {batch}", expected="`waveform` and `frames`")
    return patches
