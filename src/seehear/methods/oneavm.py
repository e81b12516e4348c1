"""OneAVM: one pair of encoders that finds sounds in pictures, takes mixtures apart, and recognises.

Source: Mo and Morgado, "A unified audio-visual learning framework for localization, separation, and recognition", arXiv
2305.19458 (ICML 2023): its abstract and framework figure. Neither code, weights nor settings were published. What those
two leave open is a field of `Config`, marked "(inferred)" where it is our choice; values said to be AVAgent's are of
arXiv 2410.23230, by the same group.

Three objectives over clips i, each with a partner j, another clip of the batch (`layers/clip_partners.py`):

1. Correspondence: sound i agrees with the best place of picture i (`losses/multiple_instance.py`), and with its mean
   place (`losses/info_nce.py`).
2. Separation: from sounds i and j added up, and the pooled picture i, a U-Net (`backbones/mask_unet.py`) on the audio
   encoder's maps draws the mask of sound i (`losses/separation.py`).
3. Alignment: the places of pictures i and j blended agree with both sounds (`losses/mixed_alignment.py`).

An encoder sees the clips as they are and the mixtures in one pass, so that its batch norms know both. An objective of
weight 0 costs nothing: its parts are not made, its passes not run.

Legend: B batch, S samples, F T bands and frames, H W picture, h w map, N = h w places, C trunk's width, D width.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear import signals
from seehear.backbones.map_towers import ConvNetConfig, Kind, MapTowers, SiameseConfig
from seehear.backbones.mask_unet import MaskUNet
from seehear.backbones.resnet import pooled
from seehear.contracts import (
    SAMPLE_RATE,
    AudioNeed,
    Batch,
    Branch,
    Features,
    FrameNeed,
    Losses,
    Modality,
    Needs,
    PartsMethod,
)
from seehear.errors import UsageError
from seehear.layers.clip_partners import kinds_of, partners, share_a_class
from seehear.layers.features import join, unit
from seehear.layers.inputs import InputConfig, pictures
from seehear.losses.info_nce import info_nce
from seehear.losses.mixed_alignment import mixed_alignment
from seehear.losses.multiple_instance import multiple_instance_info_nce
from seehear.losses.separation import separation_loss
from seehear.randomness import Randomness, uniform
from seehear.signals.separation import Bands, band_magnitude, mixture_spectrum, separated

AUDIO, IMAGE = "audio", "image"
CROPPED = (224 / 246) ** 2  # share of the picture that EZ-VSL's training crop keeps
INPUTS = InputConfig(audio_seconds=3.0, crop_scale=(CROPPED, CROPPED), flip=True)
ENERGY_FLOOR = 1e-7
MASK_LOSSES: dict[str, Any] = {
    "binary": {"kind": "bce", "target": "binary", "weighted": True},
    "ratio": {"kind": "l1", "target": "ratio", "weighted": False},
    "magnitude": {"kind": "magnitude", "weighted": False},
}
OBJECTIVES = ("correspondence", "separation", "alignment")


@dataclass(frozen=True)
class Config:
    """OneAVM's configuration."""

    method: ClassVar[str] = "oneavm"

    inputs: InputConfig = INPUTS
    """Pictures of 224 x 224 and 3 s of sound are AVAgent's, the training crop and mirroring EZ-VSL's (inferred); what
    it says of spectrograms is not read."""
    bands: Bands = Bands("mel", count=128, size=800, shift=400)
    """Of the spectrogram that is read and masked: 128, of windows of 50 ms every 25 ms (AVAgent's); that they are mel
    (inferred)."""
    frames: int = 128
    """T, of the spectrogram: the 121 of 3 s, and silence (AVAgent's 128 steps; that they are filled up, inferred)."""
    towers: Kind = "resnet18"
    """EZ-VSL's (inferred)."""
    convnet: ConvNetConfig = ConvNetConfig(audio_strides=(2, 2, 2, 2))
    siamese: SiameseConfig = SiameseConfig()
    width: int = 512
    """D, of the space where places and sounds are compared (inferred)."""
    temperature: float = 0.03
    """EZ-VSL's (inferred)."""
    correspondence_weight: float = 1.0
    """(inferred)"""
    separation_weight: float = 1.0
    """(inferred)"""
    alignment_weight: float = 1.0
    """(inferred)"""
    global_weight: float = 1.0
    """Of the mean place's contrast beside the best place's, in the correspondence (inferred)."""
    projections: Literal["shared", "separate"] = "shared"
    """Correspondence and alignment compare in one space (inferred), or in one each, as the figure draws it."""
    mask: Literal["binary", "ratio", "magnitude"] = "binary"
    """What the mask is held to: cross-entropy with the ideal binary mask, where loud cells count more, or plain L1 with
    the ideal ratio mask, or between log magnitudes (inferred). A mask is used as drawn, from 0 to 1 (inferred)."""
    decoder_width: int = 32
    """Channels of the U-Net's finest level, doubled at each coarser one (inferred)."""
    condition: Literal["mean", "max"] = "mean"
    """Over the places of a picture's map, to make the U-Net's condition; the figure's is the mean."""
    loudness: Literal["as recorded", "equal peaks"] = "as recorded"
    """Of sounds before they are added (inferred)."""
    blend: Literal["fixed", "uniform"] = "fixed"
    """Share of a clip's own picture in its blend: `blend_share`, or drawn from U(0, 1), which is Beta(1, 1)
    (inferred)."""
    blend_share: float = 0.5
    """(inferred)"""
    positives_compete: bool = False
    """Leave a blend's other sound in the denominator of its alignment (inferred)."""
    cross_class: bool = True
    """Where clips carry labels, keep clips of one class from being mixed: the only use of labels (inferred)."""
    contrast_chunk: int | None = None
    """Pictures whose similarities at all places are held at once; None: all of a process."""

    def __post_init__(self) -> None:
        weights = [getattr(self, f"{name}_weight") for name in OBJECTIVES]
        chunk = self.contrast_chunk
        for name, holds, expected in (
            ("width", self.width >= 1, "at least 1"),
            ("decoder_width", self.decoder_width >= 1, "at least 1"),
            ("temperature", self.temperature > 0, "above 0"),
            ("global_weight", self.global_weight >= 0, "0 or more"),
            ("blend_share", 0 < self.blend_share < 1, "between 0 and 1"),
            ("contrast_chunk", chunk is None or chunk >= 1, "at least 1, or none"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name)}", expected=expected)
        if min(weights) < 0 or not any(weights):
            raise UsageError(f"weights of the objectives are {weights}", expected="0 or more, one above 0")
        held, half = self.samples // self.bands.shift + 1, self.bands.size // 2
        if held > self.frames or self.samples <= half:
            raise UsageError(
                f"{self.samples} samples in {self.frames} frames every {self.bands.shift}",
                expected=f"more than {half} samples and at most {self.frames * self.bands.shift - 1}",
            )

    @property
    def samples(self) -> int:
        """Of the sound."""
        return round(self.inputs.audio_seconds * SAMPLE_RATE)

    @property
    def compares(self) -> bool:
        """Whether anything trains the projections."""
        return self.correspondence_weight > 0 or self.alignment_weight > 0


class OneAVM(PartsMethod):
    """See the file's header."""

    Config = Config
    pretraining_parts = ("separation_decoder",)

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        inputs, bands = config.inputs, config.bands
        sizes = {AUDIO: (bands.count, config.frames), IMAGE: (inputs.image_height, inputs.image_width)}
        self.trunk = MapTowers(config.towers, sizes, {AUDIO: 1, IMAGE: 3}, config.convnet, config.siamese)
        self.projections = nn.ModuleDict({name: self._projections() for name in self._spaces()})
        if config.separation_weight:
            pyramid = self.trunk.pyramid[AUDIO]
            channels, at = [1, *(c for c, _ in pyramid)], [sizes[AUDIO], *(size for _, size in pyramid)]
            self.separation_decoder = MaskUNet(channels, at, self.trunk.width, config.decoder_width)

    def _spaces(self) -> list[str]:
        """In which places and sounds are compared: the first one is that of features and maps."""
        names = [name for name in ("correspondence", "alignment") if getattr(self.config, f"{name}_weight")]
        return names if self.config.projections == "separate" else names[:1]

    def _projections(self) -> nn.ModuleDict:
        found = nn.ModuleDict({m: nn.Linear(self.trunk.width, self.config.width) for m in (AUDIO, IMAGE)})
        for linear in found.values():
            nn.init.trunc_normal_(linear.weight, std=self.trunk.width**-0.5)  # type: ignore[arg-type]
            nn.init.zeros_(linear.bias)  # type: ignore[arg-type]
        return found

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """The sound and one frame, and labels where clips of one class are to be kept apart."""
        inputs = self.config.inputs
        mixes = self.config.separation_weight > 0 or self.config.alignment_weight > 0
        return Needs(
            audio=AudioNeed(inputs.audio_seconds),
            frames=FrameNeed(1, inputs.image_height, inputs.image_width, inputs.fit),
            labels=self.config.cross_class and mixes,
        )

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        """The weighted sum of the objectives, and each by name (needs `waveform`, `waveform_samples`, `frames`).

        `same_class` is the share of clips whose partner has a class in common, where there are labels.

        Raises:
            UsageError: if the batch lacks a modality, or holds a single clip where two are mixed.
        """
        config = self.config
        keys = randomness.keys(batch.positions, batch.sample_ids)
        _require_both(batch)
        mixes = config.separation_weight > 0 or config.alignment_weight > 0
        labels = batch.fields.get("labels")
        partner = partners(keys, kinds_of(batch.sample_ids, labels if config.cross_class else None)) if mixes else None
        sounds, images = self._sounds(batch), pictures(batch, config.inputs, keys).to(self._dtype)
        maps = self._passes(sounds, images, partner, keys)
        losses: Losses = {}
        if config.correspondence_weight:
            losses["correspondence"] = self._correspondence(maps, batch.sample_ids)
        if partner is not None and config.separation_weight:
            losses["separation"] = self._separation(maps, sounds, partner)
        if partner is not None and config.alignment_weight:
            losses["alignment"] = self._alignment(maps, partner, batch.sample_ids)
        loss = torch.stack([getattr(config, f"{name}_weight") * value for name, value in losses.items()]).sum()
        if partner is not None and labels is not None and labels.shape[1]:
            losses["same_class"] = share_a_class(labels, partner).float().mean()
        return {"loss": loss, **losses}

    def localize(self, batch: Batch) -> Tensor:
        """Similarity of every place to the clip's own sound, over the temperature: `[B, h, w]`.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        _require_both(batch)
        branches = self.branches(self.patches(batch, keys=None))
        sound = self._sound(branches[AUDIO].tokens)
        places = self._places(branches[IMAGE].tokens)
        similarity = torch.einsum("bnd,bd->bn", places, sound) / self.config.temperature
        return similarity.unflatten(1, self.trunk.grid(IMAGE))

    def separate(self, mixture: Tensor, frames: Tensor) -> Tensor:
        """The sound of what the frames show, `[B, S]`, out of `mixture [B, S]`: masked, with the mixture's phase.

        Args:
            mixture: floating point, nominally -1 to 1, of `needs.audio.seconds`.
            frames: uint8 `[B, 1, 3, H, W]`.

        Raises:
            UsageError: if the network learnt no separation, or a shape is another one.
        """
        config = self.config
        if not config.separation_weight:
            raise UsageError("this network learnt no separation", expected="separation_weight above 0")
        if mixture.ndim != 2 or mixture.shape[1] != config.samples or len(mixture) != len(frames):
            raise UsageError(
                f"a mixture {tuple(mixture.shape)} and frames {tuple(frames.shape)}",
                expected=f"[B, {config.samples}] and [B, 1, 3, H, W]",
            )
        rows = torch.arange(len(frames), device=frames.device)
        images = pictures(Batch(rows, rows, {"frames": frames}), config.inputs, None).to(self._dtype)
        spectrum = mixture_spectrum(mixture.to(self._dtype), config.bands)
        heard = self._heard(spectrum)
        maps = self.trunk({AUDIO: heard, IMAGE: images})
        logits = self.separation_decoder([heard, *maps[AUDIO]], pooled(maps[IMAGE][-1], self.config.condition))
        mask = logits.sigmoid()[:, :, : spectrum.shape[2]]
        return separated(spectrum, mask, config.bands, mixture.shape[1])

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Log bands `[B, 1, F, T]` and pictures `[B, 3, H, W]` of what is in `batch`; only pictures are augmented."""
        found = {}
        if "waveform" in batch:
            found[AUDIO] = self._heard(self._sounds(batch))
        if "frames" in batch:
            found[IMAGE] = pictures(batch, self.config.inputs, keys).to(self._dtype)
        return found

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """The trunk's tokens `[B, N, C]` of each modality, before projection; its layers are a tower's maps."""
        found = {}
        for modality, maps in self.trunk(patches).items():
            layers = [_tokens(x) for x in maps]
            found[modality] = Branch(layers[-1], tuple(layers) if with_layers else ())
        return found

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """Each branch projected, and both side by side; a picture's embedding is that of the global contrast."""
        tokens = {m: self._projected(branch.tokens, m) for m, branch in branches.items()}
        found: dict[str, Features] = {}
        for modality in (m for m in branches if only is None or m in only):
            if modality == AUDIO:
                whole = self._projected(self._pooled_sound(branches[AUDIO].tokens), AUDIO)
            else:
                whole = unit(tokens[IMAGE]).mean(dim=1)
            layers = branches[modality].layers
            found[modality] = Features(tokens[modality], self.trunk.grid(modality), whole, unit(whole), layers)
        if len(branches) == 2 and (only is None or "audiovisual" in only):
            found["audiovisual"] = join([tokens[AUDIO], tokens[IMAGE]])
        return found

    # ------------------------------------------------------------------------------------------------ the objectives
    def _passes(self, sounds: Tensor, images: Tensor, partner: Tensor | None, keys: Tensor) -> dict[str, list[Tensor]]:
        """Maps of what the objectives ask for, clean ("audio", "image") and mixed ("mixture", "blend")."""
        config = self.config
        read: dict[str, dict[str, Tensor]] = {AUDIO: {}, IMAGE: {}}
        if config.compares:
            read[AUDIO][AUDIO] = self._heard(sounds)
        if config.correspondence_weight or config.separation_weight:
            read[IMAGE][IMAGE] = images
        if partner is not None and config.separation_weight:
            read[AUDIO]["mixture"] = self._heard(sounds + sounds[partner])
        if partner is not None and config.alignment_weight:
            read[IMAGE]["blend"] = torch.lerp(images[partner], images, self._shares(keys, images))
        together = self.trunk({m: torch.cat(list(parts.values())) for m, parts in read.items() if parts})
        found: dict[str, list[Tensor]] = {}
        for modality, parts in read.items():
            for number, name in enumerate(parts):
                rows = slice(number * len(keys), (number + 1) * len(keys))
                found[name] = [x[rows] for x in together[modality]]
        if "mixture" in found:
            found["mixture"].insert(0, read[AUDIO]["mixture"])
        return found

    def _correspondence(self, maps: Mapping[str, list[Tensor]], ids: Tensor) -> Tensor:
        """Contrasts of sounds with best places, and with mean places, both directions summed as in EZ-VSL."""
        sound, places = self._sound(_tokens(maps[AUDIO][-1])), self._places(_tokens(maps[IMAGE][-1]))
        tau, chunk = self.config.temperature, self.config.contrast_chunk
        loss = multiple_instance_info_nce(sound, places, ids, tau, chunk=chunk)
        if self.config.global_weight:
            loss = loss + self.config.global_weight * 2 * info_nce(sound, unit(places.mean(dim=1)), ids, tau)
        return loss

    def _separation(self, maps: Mapping[str, list[Tensor]], sounds: Tensor, partner: Tensor) -> Tensor:
        """The masks of each clip's own sound in its mixture, by its own picture."""
        logits = self.separation_decoder(maps["mixture"], pooled(maps[IMAGE][-1], self.config.condition))
        wanted, mixture = self._magnitudes(sounds), self._magnitudes(sounds + sounds[partner])
        return separation_loss(logits, wanted, wanted[partner], mixture, **MASK_LOSSES[self.config.mask])

    def _alignment(self, maps: Mapping[str, list[Tensor]], partner: Tensor, ids: Tensor) -> Tensor:
        """The places of each blend against both of its sounds."""
        space = self._spaces()[-1]
        sound = self._sound(_tokens(maps[AUDIO][-1]), space)
        places = self._places(_tokens(maps["blend"][-1]), space)
        config = self.config
        return mixed_alignment(
            sound, places, partner, ids, config.temperature, config.positives_compete, config.contrast_chunk
        )

    # --------------------------------------------------------------------------------------------------- the inside
    @property
    def _dtype(self) -> torch.dtype:
        return next(self.trunk.parameters()).dtype

    def _sounds(self, batch: Batch) -> Tensor:
        """Spectra `[B, K, t]` of the sounds, each played again until its time is full, as loud as the config says."""
        waveform = signals.repeat_short(batch["waveform"], batch["waveform_samples"])
        sound = signals.waveform_from_int16(waveform).to(self._dtype)
        if self.config.loudness == "equal peaks":
            peak = sound.abs().amax(dim=1, keepdim=True)
            sound = sound / torch.where(peak > 0, peak, 1.0)
        return mixture_spectrum(sound, self.config.bands)

    def _magnitudes(self, spectrum: Tensor) -> Tensor:
        """Of the bands, `[B, F, T]`; 0 in the frames after the sound's end."""
        found = band_magnitude(spectrum, self.config.bands)
        return F.pad(found, (0, self.config.frames - found.shape[2]))

    def _heard(self, spectrum: Tensor) -> Tensor:
        """What the encoder reads: `log10(energy + 1e-7)` of the bands, `[B, 1, F, T]` (inferred)."""
        return (self._magnitudes(spectrum).square() + ENERGY_FLOOR).log10()[:, None]

    def _shares(self, keys: Tensor, images: Tensor) -> Tensor:
        """Share of its own picture in each blend, `[B, 1, 1, 1]`."""
        if self.config.blend == "fixed":
            return images.new_full((len(images), 1, 1, 1), self.config.blend_share)
        return uniform(keys, 1, "blend")[:, :, None, None].to(images.dtype)

    def _projected(self, vectors: Tensor, modality: str, space: str | None = None) -> Tensor:
        """In one of the spaces; as they are, where nothing trains a projection."""
        if not self.config.compares:
            return vectors
        return self.projections[space or self._spaces()[0]][modality](vectors)  # type: ignore[index]

    def _pooled_sound(self, tokens: Tensor) -> Tensor:
        """One vector `[B, C]` of a sound's places: their maximum (inferred from EZ-VSL), or AVSiam's mean."""
        return tokens.mean(dim=1) if self.config.towers == "siamese_vit" else tokens.amax(dim=1)

    def _sound(self, tokens: Tensor, space: str | None = None) -> Tensor:
        return unit(self._projected(self._pooled_sound(tokens), AUDIO, space))

    def _places(self, tokens: Tensor, space: str | None = None) -> Tensor:
        return unit(self._projected(tokens, IMAGE, space))


def _tokens(maps: Tensor) -> Tensor:
    """`[B, C, h, w]` to `[B, h w, C]`."""
    return maps.flatten(2).transpose(1, 2)


def _require_both(batch: Batch) -> None:
    if "waveform" not in batch or "frames" not in batch:
        raise UsageError(f"nothing to compare in {batch}", expected="`waveform` and `frames`")
