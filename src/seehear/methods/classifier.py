"""A classifier on any encoder that can be called part by part: fine-tuning with sound, picture, or both.

Source: the fine-tuning of AVSiam (arXiv 2403.19638) and CAV-MAE (arXiv 2210.07839), and of MAViL (arXiv 2212.08071) by
choice of `pool`. Every clip of a batch is classified by one modality or by both, in fixed shares (AVSiam: a quarter by
sound, a quarter by picture, half by both), so that the same network serves a clip that lacks one. Mixup, smoothed
labels, rates of their own for encoder, fusion and heads, and a mean of the weights of some epochs.

Deviations: the released AVSiam code draws the modality once per batch; here each clip of an aligned block of positions
gets another entry of `draw`, so every head learns in every step. Every parameter that the drawn features depend on is
trained, fixed positions too (as in CAV-MAE's fine-tuning code); others stay as they are, and what only pretraining
needs is left out.

Legend: B clips, b some of them, N tokens, D width, C classes, T frames, k pictures of a clip to average over (T divided
by the frames that the encoder reads at once).
"""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from seehear import methods
from seehear.contracts import Batch, Branch, Encodes, Features, Losses, Method, Modality, Needs, Progress
from seehear.errors import UsageError
from seehear.layers.class_head import ClassHead
from seehear.layers.encoder_survey import SINGLE, survey
from seehear.layers.layer_depth import depths
from seehear.layers.mixup import MixupImage, mixup
from seehear.layers.weight_average import WeightAverage
from seehear.losses.classification import classification_loss, smoothed
from seehear.randomness import Randomness

ALL: tuple[Modality, ...] = ("audio", "image", "audiovisual")
_OF_SOUND, _OF_PICTURE = ("waveform", "waveform_samples"), ("frames",)


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """How to fine-tune; the defaults are AVSiam's."""

    heads: Literal["three", "one"] = "three"
    """A head each for sound, picture and both (AVSiam), or one for all (CAV-MAE)."""
    pool: Literal["parts", "whole"] = "parts"
    """Features of both: the means of sound and of picture tokens side by side (AVSiam, MAViL), or the mean of all."""
    draw: tuple[Modality, ...] = ("audio", "image", "audiovisual", "audiovisual")
    """Each block of so many positions deals these out once; ("audiovisual",) is training on both only."""
    freeze_encoder: bool = False
    """Train the heads only: a linear probe."""
    mixup: float = 0.5
    """Probability that a clip is mixed with its partner; needs an even batch."""
    mixup_alpha: int = 10
    mixup_image: MixupImage = "same"
    """`independent`: pictures by another weight than sound and label (released AVSiam code)."""
    label_smoothing: float = 0.1
    encoder_lr_scale: float = 1.0
    fusion_lr_scale: float = 1.0
    """Of the encoder's parts that join sound and picture."""
    head_lr_scale: float = 1.0
    layer_decay: float | None = None
    """Factor on the rate of each layer of the encoder, per layer below the top."""
    average_epochs: tuple[float, float] | None = None
    """First and last epoch, counted from 1, whose final weights are averaged; None: the last weights are used."""
    test_frames: int = 10
    """Frames of a clip whose scores are averaged when it is classified, as far as there are so many."""

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("draw", bool(self.draw), "at least one of audio, image, audiovisual"),
            (
                "heads",
                self.heads == "three" or self.pool == "whole",
                "'three', or pool 'whole', as features of both are twice as wide",
            ),
            ("mixup", 0 <= self.mixup <= 1, "0 to 1"),
            ("mixup_alpha", self.mixup_alpha >= 1, "at least 1"),
            ("label_smoothing", 0 <= self.label_smoothing < 1, "0 to below 1"),
            ("encoder_lr_scale", self.encoder_lr_scale >= 0, "0 or more"),
            ("fusion_lr_scale", self.fusion_lr_scale >= 0, "0 or more"),
            ("head_lr_scale", self.head_lr_scale > 0, "above 0"),
            ("layer_decay", self.layer_decay is None or 0 < self.layer_decay <= 1, "above 0, at most 1, or none"),
            ("test_frames", self.test_frames >= 1, "at least 1"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name)!r}", expected=expected)


@dataclass(frozen=True, kw_only=True)
class Config(ClassifierRecipe):
    """An encoder, the classes, and how to fine-tune."""

    method: ClassVar[str] = "classifier"

    encoder: Any
    """A method's Config, or its plain dict, which is made one."""
    classes: tuple[str, ...]
    single_label: bool
    """Softmax and cross-entropy, or sigmoids and binary cross-entropy."""
    start: str = ""
    """Which weights the encoder began with, so that a run is not resumed from others."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.encoder, dict):
            object.__setattr__(self, "encoder", methods.config(self.encoder))
        if len(self.classes) < 1 + self.single_label or len(set(self.classes)) != len(self.classes):
            raise UsageError(
                f"there are {len(self.classes)} classes with {len(set(self.classes))} names",
                expected="two or more with names of their own (one is enough where a clip may have none)",
            )


class Classifier(Method):
    """See the file's header.

    Raises:
        UsageError: if the encoder's method cannot be called part by part.
    """

    Config = Config

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.encoder = encoder = _encoder(config)
        self.survey = survey(encoder, config.draw)
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(name in self.survey.used and not config.freeze_encoder)
        count = len(config.classes)
        if config.heads == "one":
            self.heads = nn.ModuleDict({"all": ClassHead(self.survey.width, count)})
        else:
            self.heads = nn.ModuleDict({m: ClassHead(self._width(m), count) for m in dict.fromkeys(config.draw)})
        self.average = None if config.average_epochs is None else WeightAverage(self, config.average_epochs)
        self.weights_in_use = "the last weights"

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """What the encoder reads of the modalities that are drawn, and labels."""
        needs, drawn = self.encoder.needs, set(self.config.draw)
        heard, seen = drawn & {"audio", "audiovisual"}, drawn & {"image", "audiovisual"}
        return replace(needs, audio=needs.audio if heard else None, frames=needs.frames if seen else None, labels=True)

    @property
    def batch_multiple(self) -> int:
        """Every entry of `draw` equally often, clips in pairs where they are mixed."""
        return math.lcm(len(self.config.draw), 2 if self.config.mixup else 1)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.config.classes

    @property
    def single_label(self) -> bool:
        """Whether every clip has one class."""
        return self.config.single_label

    @property
    def test_frames(self) -> int:
        """Frames of a clip whose scores are averaged."""
        return self.config.test_frames

    def parameter_groups(self, phase: str) -> list[dict[str, Any]]:
        """Encoder (by layer, where rates decay), fusion and heads with their rates; weight decay on matrices only."""
        recipe = self.config
        fusion = {p for name in self.encoder.fusion_parts for p in self.encoder.get_submodule(name).parameters()}
        depth, top = depths(self.encoder, self.encoder.fusion_parts)
        groups: dict[tuple[str, float, float], list[nn.Parameter]] = {}
        for parameter in (p for p in self.parameters() if p.requires_grad):
            part = "head" if parameter not in depth else "fusion" if parameter in fusion else "encoder"
            scale = getattr(recipe, f"{part}_lr_scale")
            if recipe.layer_decay is not None and part != "head":
                scale *= recipe.layer_decay ** (top - depth[parameter])
            groups.setdefault((part, scale, float(parameter.ndim >= 2)), []).append(parameter)
        return [
            {"name": f"{part}, rate x {scale:g}", "params": p, "lr_scale": scale, "weight_decay_scale": decay}
            for (part, scale, decay), p in groups.items()
        ]

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        """Loss of `batch` (needs `labels` and what is drawn), and its part by each drawn modality.

        Raises:
            UsageError: if the batch is no multiple of the draw (or of two, with mixup), or has other classes.
        """
        recipe, count = self.config, self.batch_multiple
        if len(batch) % count:
            raise UsageError(f"a batch of {len(batch)} clips", expected=f"a multiple of {count}, to deal and to mix")
        if batch["labels"].shape[1] != len(recipe.classes):
            raise UsageError(f"labels of {batch['labels'].shape[1]} classes", expected=f"{len(recipe.classes)}")
        keys = randomness.keys(batch.positions, batch.sample_ids)
        labels, mixed = batch["labels"], None
        if recipe.mixup:
            made = mixup(batch, keys, recipe.mixup, recipe.mixup_alpha, recipe.mixup_image)
            batch, labels, mixed = made.batch, made.labels, made.mixed
        labels = labels.to(torch.promote_types(labels.dtype, next(self.parameters()).dtype))
        targets = smoothed(labels, recipe.label_smoothing, mixed)
        rows = self.dealt(batch.positions, randomness)
        losses = {
            m: classification_loss(logits, targets[rows[m]], recipe.single_label)
            for m, logits in self._train_logits(batch, keys, rows).items()
        }
        parts = {f"loss_{m}": loss.mean() for m, loss in losses.items()}
        return parts | {"loss": torch.cat(list(losses.values())).mean()}

    def after_step(self, progress: Progress) -> None:
        """Keep the averaged weights up to date."""
        if self.average is not None:
            self.average.update(self, progress)

    def after_training(self) -> None:
        """Use the averaged weights, where there are some."""
        if self.average is not None and int(self.average.taken):
            self.use_average()

    def use_average(self) -> None:
        """Put the mean of the weights in their place; not to train on.

        Raises:
            UsageError: if none is kept, or no epoch to average has ended.
        """
        if self.average is None:
            raise UsageError("no weights are averaged", expected="average_epochs, such as (3, 15)")
        self.average.apply_to(self)
        taken = int(self.average.taken)
        self.weights_in_use = f"the mean of the weights at the ends of {taken} epoch{'s' * (taken > 1)}"

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """The encoder's features."""
        return self.encoder.encode(batch, with_layers)

    # ------------------------------------------------------------------------------------------------ classification
    def classify(self, batch: Batch) -> dict[Modality, Tensor]:
        """Logits of the modalities that `batch` carries: `[B, C]`, or of k pictures "image" and "audiovisual"
        `[B, k, C]`, for which sound goes through its branch once and is joined with each picture.

        A modality that no head was trained on alone is classified by the head of both, with the other one blank (the
        mean of all inputs); where there is no such head either, it is left out.

        Raises:
            UsageError: if the batch carries neither, or frames that the encoder cannot divide up.
        """
        branches: dict[str, Branch] = {}
        pictures = 1
        if all(name in batch for name in _OF_SOUND):
            branches["audio"] = self._branch(batch, "audio")
        if "frames" in batch:
            batch, pictures = self._pictures(batch)
            branches["image"] = self._branch(batch, "image")
        if not branches:
            raise UsageError(f"nothing to classify in {batch}", expected="`waveform`, `frames` or both")
        return self.logits(branches, pictures)

    def logits(self, branches: Mapping[str, Branch], pictures: int = 1) -> dict[Modality, Tensor]:
        """Logits of the encoder's branches, as `classify` gives them, of so many pictures a clip."""
        found: dict[Modality, Tensor] = {}
        for modality in (m for m in ALL if m in branches or (m == "audiovisual" and len(branches) == 2)):
            logits = self._logits_of(modality, branches, pictures)
            if logits is not None:
                several = modality != "audio" and pictures > 1
                found[modality] = logits.unflatten(0, (-1, pictures)) if several else logits
        return found

    def scores(self, logits: Tensor) -> Tensor:
        """Class scores `[B, C]` of logits `[B, C]` or `[B, k, C]`: softmax or sigmoid, then the mean over pictures."""
        scores = logits.softmax(dim=-1) if self.config.single_label else logits.sigmoid()
        return scores.mean(dim=1) if scores.ndim == 3 else scores

    def dealt(self, positions: Tensor, randomness: Randomness) -> dict[Modality, Tensor]:
        """Rows `[b]` of the clips that are classified by each drawn modality, of `positions [B]`."""
        draw = self.config.draw
        parts = randomness.ratio_index(positions, len(draw), "modality").argsort(stable=True).chunk(len(draw))
        by_entry = list(zip(draw, parts, strict=True))
        return {m: torch.cat([rows for name, rows in by_entry if name == m]) for m in dict.fromkeys(draw)}

    # --------------------------------------------------------------------------------------------------- the inside
    def _width(self, modality: Modality) -> int:
        return self.survey.width * (1 + (modality == "audiovisual" and self.config.pool == "parts"))

    def _train_logits(self, batch: Batch, keys: Tensor, rows: Mapping[Modality, Tensor]) -> dict[Modality, Tensor]:
        """Logits `[b, C]` by drawn modality; each sound and picture goes through its branch once, if it is needed."""
        alone: dict[str, Branch] = {}
        together: dict[str, Branch] = {}
        both = rows.get("audiovisual")
        with torch.no_grad() if self.config.freeze_encoder else nullcontext():
            for modality in SINGLE:
                wanted = [r for r in (rows.get(modality), both) if r is not None]
                if wanted:
                    tokens = self._branch(batch, modality, torch.cat(wanted), keys).tokens
                    first = len(tokens) - (0 if both is None else len(both))
                    alone[modality], together[modality] = Branch(tokens[:first]), Branch(tokens[first:])
            pooled = {m: self._pooled(m, together if m == "audiovisual" else alone) for m in rows}
        return {m: self._head(m)(features) for m, features in pooled.items()}

    def _branch(self, batch: Batch, modality: str, rows: Tensor | None = None, keys: Tensor | None = None) -> Branch:
        """One modality of some rows of `batch` after its branch; augmented where `keys [B]` are given."""
        names = _OF_SOUND if modality == "audio" else _OF_PICTURE
        rows = torch.arange(len(batch), device=batch.positions.device) if rows is None else rows
        some = Batch(batch.sample_ids[rows], batch.positions[rows], {name: batch[name][rows] for name in names})
        patches = self.encoder.patches(some, None if keys is None else keys[rows])
        return self.encoder.branches({modality: patches[modality]})[modality]

    def _pictures(self, batch: Batch) -> tuple[Batch, int]:
        """Each clip's pictures `[B * k, T / k, 3, H, W]` as clips of their own, and k."""
        frames, each = batch["frames"], self.encoder.needs.frames.count
        if frames.shape[1] <= each:  # too few are filled up by the encoder
            return Batch(batch.sample_ids, batch.positions, {"frames": frames}), 1
        if frames.shape[1] % each:
            raise UsageError(f"{frames.shape[1]} frames per clip", expected=f"a multiple of {each}")
        pictures = frames.shape[1] // each
        ids, positions = (t.repeat_interleave(pictures) for t in (batch.sample_ids, batch.positions))
        views = frames.unflatten(1, (each, pictures)).transpose(1, 2).flatten(0, 1)  # each spread over the whole clip
        return Batch(ids, positions, {"frames": views}), pictures

    def _logits_of(self, modality: Modality, branches: Mapping[str, Branch], pictures: int) -> Tensor | None:
        """Logits `[B, C]`, or `[B * k, C]` where pictures take part; None where no head can give them."""
        if modality == "audiovisual":
            sound = Branch(branches["audio"].tokens.repeat_interleave(pictures, dim=0))
            branches = {"audio": sound, "image": branches["image"]}
        if self.config.heads == "one" or modality in self.heads:
            return self._head(modality)(self._pooled(modality, branches))
        if modality == "audiovisual" or "audiovisual" not in self.heads:
            return None
        other = "image" if modality == "audio" else "audio"
        both = {modality: branches[modality], other: self._blank(other, len(branches[modality].tokens))}
        return self._head("audiovisual")(self._pooled("audiovisual", {m: both[m] for m in SINGLE}))

    def _blank(self, modality: str, count: int) -> Branch:
        """A branch of inputs that are the mean of all, `count` times: zeros, as inputs are normalised."""
        need = self.encoder.needs
        device = next(self.parameters()).device
        fields: dict[str, Tensor] = {}
        if modality == "audio":
            samples = round(need.audio.seconds * need.audio.sample_rate)
            fields["waveform"] = torch.zeros(1, samples, dtype=torch.int16, device=device)
            fields["waveform_samples"] = torch.full((1,), samples, device=device)
        else:
            size = (need.frames.count, 3, need.frames.height, need.frames.width)
            fields["frames"] = torch.zeros(1, *size, dtype=torch.uint8, device=device)
        number = torch.zeros(1, dtype=torch.int64, device=device)
        patches = torch.zeros_like(self.encoder.patches(Batch(number, number, fields), None)[modality])
        return Branch(self.encoder.branches({modality: patches})[modality].tokens.expand(count, -1, -1))

    def _pooled(self, modality: Modality, branches: Mapping[str, Branch]) -> Tensor:
        """What a head reads, `[b, D]` or `[b, 2 D]`."""
        given = branches if modality == "audiovisual" else {modality: branches[modality]}
        features = self.encoder.features(given, only=(modality,))[modality]
        if modality != "audiovisual" or self.config.pool == "whole":
            return features.pooled
        parts = features.tokens.split([self.survey.tokens[m] for m in SINGLE], dim=1)
        return torch.cat([part.mean(dim=1) for part in parts], dim=1)

    def _head(self, modality: Modality) -> nn.Module:
        return self.heads["all" if self.config.heads == "one" else modality]


def _encoder(config: Config) -> Any:
    """The encoder's method without what only pretraining needs."""
    encoder: Any = methods.get(config.encoder.method)(config.encoder)
    if not isinstance(encoder, Encodes):
        raise UsageError(
            f"{config.encoder.method} has no encoder that can be called part by part",
            expected="a method with `patches`, `branches` and `features`",
        )
    made: Any = encoder
    for name in made.pretraining_parts:
        _leave_out(made, name)
    return made


def _leave_out(module: nn.Module, name: str) -> None:
    """Take a submodule away, where there is one."""
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, None)
