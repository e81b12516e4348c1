"""Recipes of AVSiam (arXiv 2403.19638)."""

from dataclasses import replace
from typing import Any

from seehear.layers.inputs import InputConfig
from seehear.layers.multi_ratio import MaskingConfig
from seehear.methods.avsiam import Config, ReconstructionConfig
from seehear.training import DataConfig, EvaluationConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig


def avsiam_tiny() -> RunConfig:
    """Proof scale for a laptop: 96-pixel pictures, 3.2 s of sound, 76 tokens, width 64, 3 layers.

    Expected on the world's preset `tiny`: retrieval R@10 at least 2.5 times chance in both directions after about
    4 minutes on 2 CPU cores (1,000 steps of 80 clips).
    """
    inputs = InputConfig(
        audio_seconds=3.2,
        mel_bins=64,
        frame_shift_ms=20.0,
        audio_frames=160,
        image_height=96,
        image_width=96,
    )
    method = Config(
        inputs=inputs,
        width=64,
        depth=3,
        heads=4,
        stem="hierarchical",
        reconstruction=ReconstructionConfig(width=64, depth=1, heads=4),
    )
    return RunConfig(
        name="avsiam_tiny",
        data=DataConfig(global_batch=80, threads=0),  # a step of small operations is quicker without a rival thread
        method=method,
        optimizer=OptimizerConfig(learning_rate=2e-3, betas=(0.9, 0.95), weight_decay=0.05),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=100),
        training=TrainingConfig(steps=1000, log_every=20, checkpoint_every=250),
        evaluation=EvaluationConfig(gallery=200, galleries=5),
    )


def avsiam_small() -> RunConfig:
    """The network of `avsiam_tiny`, trained for longer.

    Expected on the world's preset `small`: the figures of docs/results.md, after about 20 minutes on 2 CPU cores
    (5,000 steps of 80 clips).
    """
    tiny = avsiam_tiny()
    return replace(
        tiny,
        name="avsiam_small",
        training=replace(tiny.training, steps=5000, log_every=50, checkpoint_every=1000),
    )


PAPER = {  # width, blocks, heads, patch side; the paper's are Base, Large and Huge, the smaller ones ViT's
    "tiny": (192, 12, 3, 16),
    "small": (384, 12, 6, 16),
    "base": (768, 12, 12, 16),
    "large": (1024, 24, 16, 16),
    "huge": (1280, 32, 16, 14),
}


def _paper(size: str) -> RunConfig:
    """The paper's recipe at one of its sizes, from scratch; `init` names what to start from."""
    width, depth, heads, patch = PAPER[size]
    return RunConfig(
        name=f"avsiam_paper_{size}",
        data=DataConfig(global_batch=120),
        method=Config(
            inputs=InputConfig(drop_remainder=patch == 14),
            patch=patch,
            width=width,
            depth=depth,
            heads=heads,
            in_turn=True,
        ),
        optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4, betas=(0.95, 0.999), weight_decay=5e-7),
        schedule=ScheduleConfig(kind="step", step_epochs=(10, 15, 20), step_factor=0.5),
        training=TrainingConfig(steps=365_000, log_every=100, checkpoint_every=5000),
    )


def avsiam_paper_base() -> RunConfig:
    """ViT-Base as the paper describes it: five ratios over 0 to 0.5, shared trunk, 6-layer decoder, summed losses.

    The paper starts from an ImageNet-21k ViT (`--init vit-timm:FILE`) and reports 41.6 mAP on AudioSet-20K and 64.9 %
    on VGGSound after fine-tuning, for 177 V100 hours on AudioSet-2M. Not run by this project. Batch size and schedule
    were not readable at the source: the released runs' names say batch 96; 120 is near and deals evenly to 1, 2, 3, 4,
    6, 8, 12 or 24 processes with five ratios; 365,000 steps of it are 25 epochs of 1.75 million clips.
    """
    return _paper("base")


def avsiam_paper_tiny() -> RunConfig:
    """`avsiam_paper_base` with ViT-Tiny. Not in the paper. Not run by this project."""
    return _paper("tiny")


def avsiam_paper_small() -> RunConfig:
    """`avsiam_paper_base` with ViT-Small. Not in the paper. Not run by this project."""
    return _paper("small")


def avsiam_paper_large() -> RunConfig:
    """`avsiam_paper_base` with ViT-Large.

    The paper reports 44.1 mAP on AudioSet-20K and 67.1 % on VGGSound, for 310 V100 hours. Not run by this project.
    """
    return _paper("large")


def avsiam_paper_huge() -> RunConfig:
    """`avsiam_paper_base` with ViT-Huge, patches of 14.

    The paper reports 45.0 mAP on AudioSet-20K and 68.0 % on VGGSound, for 800 V100 hours. Not run by this project.
    """
    return _paper("huge")


def avsiam_released_base() -> RunConfig:
    """ViT-Base as the released source trains it, quirks included.

    Ratios 0 to 0.8, structured `tf` masks on sound, doubled embedding, a second stack of blocks for the sound of the
    reconstruction pass, 8-layer decoder, two optimiser steps per batch, fusion layers that start as copies of the last
    block. The paper's figures belong to `avsiam_paper_base`. Not run by this project.
    """
    return _released(
        "base",
        alternating=True,
        masking=MaskingConfig(ratios=(0.0, 0.2, 0.4, 0.6, 0.8), audio="tf"),
        reconstruction=ReconstructionConfig(depth=8, audio_trunk="separate"),
    )


def avsiam_released_large() -> RunConfig:
    """ViT-Large as the compiled model files of the release have it: eight ratios, reconstruction without the encoder.

    Ratios 0 to 0.7, structured `tf` masks on sound, a shared trunk that the reconstruction pass leaves alone (fusion
    layers and the 6-layer decoder learn from it). Eight ratios need batches that are multiples of 8: 96. Not run by
    this project.
    """
    recipe = _released(
        "large",
        alternating=True,
        masking=MaskingConfig(ratios=tuple(round(0.1 * k, 1) for k in range(8)), audio="tf"),
        reconstruction=ReconstructionConfig(encoder_gradient=False),
    )
    return replace(recipe, data=replace(recipe.data, global_batch=96), init_fusion="last")


def avsiam_released_huge() -> RunConfig:
    """ViT-Huge as the compiled model file has it: contrast alone, one ratio, one direction.

    For each picture a softmax over sounds; one unstructured ratio, 0.25 of the shipped scripts. Its patch embedding
    leaves out 2 mel bins and 2 frames. Not run by this project.
    """
    recipe = _released(
        "huge",
        directions="image-to-audio",
        masking=MaskingConfig(ratios=(0.25,)),
        reconstruction_weight=0.0,
    )
    return replace(recipe, data=replace(recipe.data, global_batch=96), init_fusion="last")


def _released(size: str, **method: Any) -> RunConfig:
    """What the released recipes share: doubled embedding, rate 2e-4, four halvings."""
    paper = _paper(size)
    return replace(
        paper,
        name=f"avsiam_released_{size}",
        method=replace(paper.method, double_embed=True, in_turn=False, **method),
        optimizer=replace(paper.optimizer, learning_rate=2e-4),
        schedule=ScheduleConfig(kind="step", step_epochs=(10, 15, 20, 25), step_factor=0.5),
        init_fusion="repeat",
    )
