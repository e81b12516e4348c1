"""MAViL: masked reconstruction, contrast between and within modalities, then features of a teacher as targets.

Source: Huang et al., "MAViL: Masked Audio-Video Learners", arXiv 2212.08071; the encoder as its authors gave it to
AV-SUPERB. No code of the training is public. Each clip is masked twice, independently; both views pass the trunks,
the blocks over both modalities, and a decoder for each modality.

Stage 1 draws the hidden patches of both views (the mean over both). Stage 2 is a new student that predicts, from masked
clips, what a frozen network of stage 1 makes of whole ones after its fusion: that network is the `teacher`, set by
`start_from` and saved with the student. In both stages InfoNCE compares the mean trunk tokens, before the fusion, of
sound and picture (first views, both directions) and of the two views of each modality (first view against second):

    L = L_drawn + alpha L_inter + beta L_intra,        L_intra = (N(a, a') + N(v, v')) / 2

Choices of ours where no source was at hand: decoders read fused patch tokens without class tokens; the errors of
stage 2 are means over the width, of targets that are normalised per token; both views share one augmentation; frames of
a training clip are drawn at random and kept in order, a clip of fewer frames starts over.

Legend: B batch, N token places, n visible ones, m hidden ones, V values of a patch, D width, T frames of a clip.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.backbones.fused_vits import LEADING, FusedViTs
from seehear.contracts import (
    AudioNeed,
    Batch,
    Branch,
    Contrast,
    Features,
    FrameNeed,
    Losses,
    Method,
    Modality,
    Needs,
    PartsMethod,
    Reconstruction,
)
from seehear.errors import UsageError
from seehear.layers.decoder import Masked, MaskedDecoder
from seehear.layers.features import features_of, join
from seehear.layers.film_patches import FilmPatches
from seehear.layers.hiding import HiddenGroup, drawing, hide, stacked
from seehear.layers.initialisation import initialise
from seehear.layers.inputs import InputConfig
from seehear.layers.masking import kept
from seehear.layers.packing import whole
from seehear.layers.patches import Stem, gather_patches
from seehear.losses.info_nce import info_nce
from seehear.losses.masked_reconstruction import masked_reconstruction
from seehear.randomness import Randomness

AUDIO, IMAGE = "audio", "image"
BOTH = (AUDIO, IMAGE)
VIEWS = ("first view", "second view")
AGAIN = " again"
"""Of the names of the second view's embeddings."""
INPUTS = InputConfig(audio_mean=-4.2677393, audio_deviation=2 * 4.5689974, flip=True, crop_scale=(0.5, 1.0))
"""Sound as AudioMAE scales it, by twice the deviation; the paper crops and mirrors, the range of areas is ours."""
_ENCODER = ("frames", "tube", "patch", "width", "depth", "fusion_depth", "heads", "stem")
_SOUND = ("audio_seconds", "mel_bins", "frame_length_ms", "frame_shift_ms", "audio_frames", "audio_mean")
_INPUTS = (*_SOUND, "audio_deviation", "drop_remainder", "image_height", "image_width", "fit")


@dataclass(frozen=True)
class Config:
    """MAViL's configuration; the defaults are the paper's Base, as far as its values could be read."""

    method: ClassVar[str] = "mavil"

    stage: Literal[1, 2] = 1
    inputs: InputConfig = INPUTS
    frames: int = 8
    """T, of a clip."""
    tube: int = 2
    """Frames that one token of the picture spans."""
    patch: int = 16
    width: int = 768
    depth: int = 12
    """Blocks of each modality's trunk."""
    fusion_depth: int = 2
    heads: int = 12
    stem: Stem = "linear"
    masking_ratio: float = 0.8
    """Of both modalities, without structure."""
    decoder_width: int = 512
    decoder_depth: int = 8
    decoder_heads: int = 16
    per_patch_targets: bool = True
    """Stage 1: standardise every target patch."""
    projection: Literal["none", "linear", "mlp"] = "mlp"
    """Head of each modality between mean token and contrast, as wide as the trunk."""
    inter_weight: float = 0.1
    """alpha."""
    inter_temperature: float = 0.1
    intra_weight: float = 0.01
    """beta."""
    intra_temperature: float = 1.0
    contrast_chunk: int | None = None
    """Rows of the similarities held at once; None: all of a process."""
    teacher: Literal["joint", "single", "random"] = "joint"
    """Stage 2 predicts tokens after the teacher's fusion, before it, or of an untrained network (a control)."""

    def __post_init__(self) -> None:
        for name, holds, expected in (
            ("tube", self.tube >= 1, "at least 1"),
            ("frames", self.tube >= 1 and self.frames >= 1 and self.frames % self.tube == 0, "a multiple of `tube`"),
            ("depth", self.depth >= 1, "at least 1"),
            ("fusion_depth", self.fusion_depth >= 1, "at least 1"),
            ("masking_ratio", 0 < self.masking_ratio < 1, "above 0, below 1"),
            ("inter_weight", self.inter_weight >= 0, "0 or more"),
            ("intra_weight", self.intra_weight >= 0, "0 or more"),
            ("inter_temperature", self.inter_temperature > 0, "above 0"),
            ("intra_temperature", self.intra_temperature > 0, "above 0"),
            ("contrast_chunk", self.contrast_chunk is None or self.contrast_chunk >= 1, "at least 1, or none"),
        ):
            if not holds:
                raise UsageError(f"{name} is {getattr(self, name)}", expected=expected)

    @property
    def contrasts(self) -> bool:
        """Some contrastive loss counts."""
        return self.inter_weight > 0 or self.intra_weight > 0


class Mavil(PartsMethod):
    """See the file's header."""

    Config = Config
    fusion_parts = ("fusion",)
    pretraining_parts = ("decoders", "teacher")
    teacher_set: Tensor

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.cutting = FilmPatches(config.inputs, config.patch, config.frames, config.tube)
        self.grids = self.cutting.grids
        for grid in self.grids.values():
            kept(math.prod(grid), config.masking_ratio)  # refuses too few
        channels = {AUDIO: 1, IMAGE: 3 * config.tube}
        network = (config.patch, config.width, config.depth, config.fusion_depth, config.heads, config.stem)
        self.encoder = FusedViTs(self.grids, channels, *network)
        self.decoders = nn.ModuleDict({m: self._make_decoder(m, channels[m]) for m in BOTH})
        self.projections = nn.ModuleDict({m: self._make_projection() for m in BOTH if config.contrasts})
        for part in (self.decoders, self.projections):
            initialise(part)
        self.teacher = FusedViTs(self.grids, channels, *network).requires_grad_(False) if config.stage == 2 else None
        self._knows = config.stage == 1 or config.teacher == "random"
        if self.teacher is not None:
            self.register_buffer("teacher_set", torch.tensor(int(self._knows)))

    def _make_decoder(self, modality: str, channels: int) -> MaskedDecoder:
        recipe, grid = self.config, self.grids[modality]
        values = recipe.patch**2 * channels if recipe.stage == 1 else recipe.width
        size = (recipe.decoder_width, recipe.decoder_depth, recipe.decoder_heads)
        return MaskedDecoder(recipe.width, *size, {modality: grid}, {modality: values}, "fixed", deviation=0.02)

    def _make_projection(self) -> nn.Module:
        width = self.config.width
        if self.config.projection == "none":
            return nn.Identity()
        last = nn.Linear(width, width)
        return last if self.config.projection == "linear" else nn.Sequential(nn.Linear(width, width), nn.GELU(), last)

    @property
    def fusion(self) -> nn.ModuleList:
        """The encoder's blocks over both modalities."""
        return self.encoder.fusion

    # -------------------------------------------------------------------------------------------------- the teacher
    def start_from(self, stage_one: Method, student: bool = False) -> None:
        """Take the teacher, and the start of the student where asked for, from a trained network.

        Args:
            stage_one: a MAViL of the same inputs and encoder, of either stage: its encoder counts.
            student: also start this network's encoder, and projections of equal kind, from it; decoders start anew.

        Raises:
            UsageError: if this is stage 1, the networks differ, or there is nothing to take (a random teacher).
        """
        if self.teacher is None:
            raise UsageError("a MAViL of stage 1 has no teacher", expected="stage 2")
        if self.config.teacher == "random" and not student:
            raise UsageError("a random teacher takes no weights", expected="teacher 'joint' or 'single', or `student`")
        if not isinstance(stage_one, Mavil):
            raise UsageError(f"the teacher is a {type(stage_one).__name__}", expected="a MAViL")
        _check_alike(self.config, stage_one.config)
        if self.config.teacher != "random":
            self.teacher.load_state_dict(stage_one.encoder.state_dict())
            self.teacher_set.fill_(1)
            self._knows = True
        if student:
            self.encoder.load_state_dict(stage_one.encoder.state_dict())
            heads = stage_one.projections.state_dict()
            if heads.keys() == self.projections.state_dict().keys():
                self.projections.load_state_dict(heads)

    def train(self, mode: bool = True) -> Self:
        """As every module, but the teacher never trains."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    @torch.no_grad()
    def targets(self, patches: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The teacher's tokens `[B, N, D]` of whole `patches` of both modalities, each token normalised.

        Raises:
            UsageError: if there is no teacher, or it was never set.
        """
        if self.teacher is None or not self._has_teacher():
            raise UsageError(
                "stage 2 of MAViL has no teacher",
                expected="the encoder of a finished stage 1",
                cure="seehear pretrain ... --teacher RUN (in Python: method.start_from before the first step)",
            )
        tokens = self.teacher([whole(m, patches[m]) for m in BOTH]).tokens
        if self.config.teacher != "single":
            tokens = self.teacher.fuse(tokens)
        return {m: F.layer_norm(t[:, LEADING:], t.shape[-1:]) for m, t in zip(BOTH, tokens, strict=True)}

    def _has_teacher(self) -> bool:
        """Looked up once, in what was loaded: a step must not wait for the device."""
        self._knows = self._knows or bool(self.teacher_set)
        return self._knows

    # ------------------------------------------------------------------------------------------------- the contract
    @property
    def needs(self) -> Needs:
        """The sound and some frames."""
        inputs = self.config.inputs
        frames = FrameNeed(self.config.frames, inputs.image_height, inputs.image_width, inputs.fit)
        return Needs(audio=AudioNeed(inputs.audio_seconds), frames=frames)

    def forward(
        self, batch: Batch, randomness: Randomness, phase: str = "joint", contrast: Contrast | None = None
    ) -> Losses:
        """Losses of `batch` (needs `waveform`, `waveform_samples`, `frames`); `contrast` as `Embeds` says.

        Raises:
            UsageError: if the batch lacks a modality, or stage 2 its teacher.
        """
        keys = randomness.keys(batch.positions, batch.sample_ids)
        patches = self._both(batch, keys)
        views = self._views(patches, keys)
        tokens = self.encoder(views).tokens
        losses = self._drawing_losses(self._draw(tokens, views), patches)
        if self.config.contrasts:
            embeddings = self._embeddings(tokens, batch)
            losses |= {"contrasts": contrast(embeddings)} if contrast else self._contrast_losses(embeddings)
        return losses | {"loss": self._total(losses)}

    def embed(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> dict[str, Tensor]:
        """Both masked views, projected and L2-normalised: `audio`, `audio again`, `image`, `image again`, each
        `[B, D]`, and `sample_ids [B]`; nothing without contrast.
        """
        if not self.config.contrasts:
            return {}
        keys = randomness.keys(batch.positions, batch.sample_ids)
        return self._embeddings(self.encoder(self._views(self._both(batch, keys), keys)).tokens, batch)

    def loss_from_embeddings(self, embeddings: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of both contrastive losses of what `embed` returns, of one batch or of its pieces joined."""
        return self._total(self._contrast_losses(embeddings))

    @torch.no_grad()
    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        """What the network draws of what the first view hides; the frames of a clip lie side by side, `[B, 3, H, T W]`.

        Nothing in stage 2, which draws features.

        Raises:
            UsageError: if the batch lacks a modality.
        """
        if self.config.stage == 2:
            return {}
        patches = self._both(batch, None)
        views = self._views(patches, randomness.keys(batch.positions, batch.sample_ids), VIEWS[:1])
        drawn = self._draw(self.encoder(views).tokens, views)
        show = self.config.inputs, self.config.patch, self.config.per_patch_targets
        return {
            v.modality: drawing(v, patches[v.modality], d, *show, join=partial(self.cutting.join, v.modality))
            for v, d in drawn
        }

    # ------------------------------------------------------------------------------------- the encoder, part by part
    def patches(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        """Normalised patches of sound, tubes of film `[B, N, V]` in `batch`, augmented where `keys [B]` are given.

        Clips of fewer than `frames` frames are repeated, a single picture too (as the published wrapper does).
        """
        return self.cutting.cut(batch, keys, self.encoder.trunk.positions[AUDIO].dtype)

    def branches(self, patches: Mapping[str, Tensor], with_layers: bool = False) -> dict[str, Branch]:
        """Each modality after its own trunk, the class token first: the fusion reads it."""
        encoded = self.encoder([whole(modality, values) for modality, values in patches.items()], with_layers)
        return encoded.branches(patches)

    def features(self, branches: Mapping[str, Branch], only: Collection[Modality] | None = None) -> dict[str, Features]:
        """Each branch as it is, with the projected embedding, and both after the fusion; none with class tokens."""
        found: dict[str, Features] = {}
        for modality, branch in branches.items():
            if only is None or modality in only:
                layers = tuple(layer[:, LEADING:] for layer in branch.layers)
                alone = features_of(Branch(branch.tokens[:, LEADING:], layers), self.grids[modality])
                found[modality] = replace(alone, embedding=self._projected(modality, alone.pooled))
        if len(branches) == 2 and (only is None or "audiovisual" in only):
            found["audiovisual"] = join([t[:, LEADING:] for t in self.encoder.fuse([branches[m].tokens for m in BOTH])])
        return found

    # --------------------------------------------------------------------------------------------------- the inside
    def _both(self, batch: Batch, keys: Tensor | None) -> dict[str, Tensor]:
        patches = self.patches(batch, keys)
        if len(patches) < 2:
            raise UsageError(f"nothing to compare in {batch}", expected="`waveform` and `frames`")
        return patches

    def _views(self, patches: Mapping[str, Tensor], keys: Tensor, views: Sequence[str] = VIEWS) -> list[HiddenGroup]:
        """Sound and film, each once for every view: rows `[2 B]`, all of the first view before the second."""
        ratio = self.config.masking_ratio
        return [
            stacked([hide(m, patches[m], keys, self.grids[m], ratio, purpose=view) for view in views]) for m in BOTH
        ]

    def _draw(self, tokens: Sequence[Tensor], views: Sequence[HiddenGroup]) -> list[tuple[HiddenGroup, Tensor]]:
        """Each group with what its decoder draws of its hidden places, `[2 B, m, V]`; stage 2 draws D values."""
        drawn = []
        for view, fused in zip(views, self.encoder.fuse(tokens), strict=True):
            seen = Masked(fused[:, LEADING:], view.places, view.hidden)
            drawn.append((view, self.decoders[view.modality]({view.modality: seen})[view.modality]))
        return drawn

    def _drawing_losses(self, drawn: Sequence[tuple[HiddenGroup, Tensor]], patches: Mapping[str, Tensor]) -> Losses:
        """Mean squared error by modality: of patches in stage 1, of the teacher's tokens in stage 2."""
        if self.config.stage == 1:
            per_patch = self.config.per_patch_targets
            return {f"reconstruction_{v.modality}": masked_reconstruction(d, v.targets, per_patch) for v, d in drawn}
        targets, losses = self.targets(patches), {}
        for view, values in drawn:
            rows = torch.arange(len(view.hidden), device=values.device) % len(patches[view.modality])
            wanted = gather_patches(targets[view.modality], rows, view.hidden)
            losses[f"prediction_{view.modality}"] = masked_reconstruction(values, wanted)
        return losses

    def _projected(self, modality: str, pooled: Tensor) -> Tensor:
        """`[B, D]`, L2-normalised; the norm never in bf16, for the contrast's sake (see `info_nce`)."""
        return F.normalize(self.projections[modality](pooled).to(pooled.dtype) if self.projections else pooled, dim=-1)

    def _embeddings(self, tokens: Sequence[Tensor], batch: Batch) -> dict[str, Tensor]:
        """See `embed`."""
        found = {"sample_ids": batch.sample_ids}
        for modality, part in zip(BOTH, tokens, strict=True):
            projected = self._projected(modality, part[:, LEADING:].mean(dim=1))
            found[modality], found[modality + AGAIN] = projected.chunk(2)
        return found

    def _contrast_losses(self, embeddings: Mapping[str, Tensor]) -> Losses:
        """`contrast` between modalities and `contrast_within` each, as far as they count."""
        recipe, ids, losses = self.config, embeddings["sample_ids"], {}
        if recipe.inter_weight:
            pair = embeddings[AUDIO], embeddings[IMAGE]
            losses["contrast"] = info_nce(*pair, ids, recipe.inter_temperature, chunk=recipe.contrast_chunk)
        if recipe.intra_weight:
            one_way = partial(info_nce, directions="audio-to-image", chunk=recipe.contrast_chunk)  # first to second
            within = [one_way(embeddings[m], embeddings[m + AGAIN], ids, recipe.intra_temperature) for m in BOTH]
            losses["contrast_within"] = torch.stack(within).mean()
        return losses

    def _total(self, losses: Losses) -> Tensor:
        weights = {"contrast": self.config.inter_weight, "contrast_within": self.config.intra_weight}
        return torch.stack([weights.get(name, 1.0) * value for name, value in losses.items()]).sum()


def _check_alike(mine: Config, other: Config) -> None:
    """Refuse an encoder that another one's weights do not fit, or that reads other inputs; augmentation may differ."""
    pairs = [(name, getattr(mine, name), getattr(other, name)) for name in _ENCODER]
    pairs += [(f"inputs.{name}", getattr(mine.inputs, name), getattr(other.inputs, name)) for name in _INPUTS]
    for name, own, its in pairs:
        if own != its:
            raise UsageError(f"{name} is {its!r} in the teacher's run and {own!r} here", expected="equal encoders")
