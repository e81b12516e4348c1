"""A tiny MAViL in all its variants, its student, and clips for it."""

from dataclasses import replace

import torch

from seehear.contracts import Batch
from seehear.layers.hiding import HiddenGroup
from seehear.layers.inputs import InputConfig
from seehear.methods.mavil import Config, Mavil
from seehear.randomness import Randomness

INPUTS = InputConfig(
    audio_seconds=0.8,
    mel_bins=16,
    audio_frames=64,
    audio_mean=-4.2677393,
    audio_deviation=2 * 4.5689974,
    image_height=16,
    image_width=24,
)
TINY = Config(
    inputs=INPUTS,
    frames=4,
    patch=8,
    width=16,
    depth=2,
    fusion_depth=2,
    heads=2,
    masking_ratio=0.5,
    decoder_width=16,
    decoder_depth=1,
    decoder_heads=2,
)
STUDENT = replace(TINY, stage=2)
VARIANTS = {
    "stage 1": TINY,
    "linear projection": replace(TINY, projection="linear"),
    "no projection": replace(TINY, projection="none"),
    "hierarchical stem": replace(TINY, stem="hierarchical"),
    "raw targets": replace(TINY, per_patch_targets=False),
    "no contrast": replace(TINY, inter_weight=0.0, intra_weight=0.0),
    "inter alone": replace(TINY, intra_weight=0.0),
    "intra alone": replace(TINY, inter_weight=0.0),
    "in chunks": replace(TINY, contrast_chunk=3),
    "augmented": replace(TINY, inputs=replace(INPUTS, flip=True, crop_scale=(0.5, 1.0))),
    "joint teacher": STUDENT,
    "single teacher": replace(STUDENT, teacher="single"),
    "random teacher": replace(STUDENT, teacher="random"),
}
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)
VISIBLE = {"audio": 8, "image": 6}  # of 16 and 12 tokens


def make_batch(count: int = 4, first: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (12, 12_800), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (12, 4, 3, 16, 24), generator=generator).to(torch.uint8)
    fields = {
        "waveform": waveform[first : first + count],
        "waveform_samples": torch.full((count,), 12_800),
        "frames": frames[first : first + count],
    }
    return Batch(torch.arange(first, first + count) * 31 + 7, torch.arange(first, first + count), fields)


def make_model(config: Config = TINY, dtype: torch.dtype = torch.float32, seed: int = 0) -> Mavil:
    torch.manual_seed(seed)
    model = Mavil(config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    if config.stage == 2 and config.teacher != "random":
        model.start_from(make_model(replace(config, stage=1), seed=9))
    return model.to(dtype)


def make_patches(model: Mavil, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)
    return keys, model.patches(batch, keys)


def row_of(view: HiddenGroup, row: int) -> HiddenGroup:
    """One sequence of a group."""
    tensors = {name: getattr(view, name)[row : row + 1] for name in ("patches", "places", "hidden", "targets")}
    return replace(view, **tensors)
