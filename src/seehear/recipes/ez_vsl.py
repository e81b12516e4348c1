"""Recipes of EZ-VSL (arXiv 2203.09324)."""

from dataclasses import replace

from seehear.layers.inputs import InputConfig
from seehear.methods.ez_vsl import Config, SiameseConfig
from seehear.training import DataConfig, EvaluationConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig

BATCH = 128


def ez_vsl_tiny() -> RunConfig:
    """Proof scale for a laptop: small towers, 96-pixel pictures, 3 s of sound, a map of 12 x 12.

    For the world's track L, of which it wants some thousand clips: a few hundred it learns by heart. 1,200 steps of 64
    clips: about 10 minutes on 2 CPU cores. What it finds is not measured yet.
    """
    inputs = InputConfig(audio_seconds=3.0, image_height=96, image_width=96, flip=True)
    return RunConfig(
        name="ez_vsl_tiny",
        data=DataConfig(global_batch=64, threads=0),
        method=Config(inputs=inputs, towers="convnet", width=128, temperature=0.07),
        optimizer=OptimizerConfig(learning_rate=2e-3, betas=(0.9, 0.95), weight_decay=0.01),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=100),
        training=TrainingConfig(steps=1200, log_every=20, checkpoint_every=300),
        evaluation=EvaluationConfig(gallery=200, galleries=5),
    )


def ez_vsl_tiny_vit() -> RunConfig:
    """`ez_vsl_tiny` with the network of `avsiam_tiny` as its trunk: a map of 6 x 6.

    1,200 steps of 64 clips: about 4 minutes on 2 CPU cores.
    """
    tiny = ez_vsl_tiny()
    inputs = InputConfig(
        audio_seconds=3.2,
        mel_bins=64,
        frame_shift_ms=20.0,
        audio_frames=160,
        image_height=96,
        image_width=96,
        flip=True,
    )
    siamese = SiameseConfig(width=64, depth=3, heads=4, stem="hierarchical")
    method = replace(tiny.method, inputs=inputs, towers="siamese_vit", siamese=siamese)
    return replace(tiny, name="ez_vsl_tiny_vit", method=method)


def ez_vsl_paper_10k() -> RunConfig:
    """ResNet-18 towers on 10,000 clips for 100 epochs.

    The paper's picture tower starts from ImageNet (`--init resnet18:FILE`). It reports 81.93 % CIoU on Flickr-SoundNet
    (trained there) and 37.18 % on VGG-SS, at the epoch that the test set chose. Not run by this project.
    """
    return _paper("10k", clips=10_000, epochs=100)


def ez_vsl_paper_144k() -> RunConfig:
    """ResNet-18 towers on 144,000 clips for 20 epochs.

    See `ez_vsl_paper_10k`; 83.13 % CIoU on Flickr-SoundNet (trained there), 38.85 % on VGG-SS. Not run by this project.
    """
    return _paper("144k", clips=144_000, epochs=20)


def ez_vsl_paper_full() -> RunConfig:
    """ResNet-18 towers on VGGSound's 183,000 training clips for 20 epochs.

    See `ez_vsl_paper_10k`; 83.94 % CIoU on Flickr-SoundNet, 39.34 % on VGG-SS. The paper does not say how many clips it
    had; a run on fewer has more epochs. Not run by this project.
    """
    return _paper("full", clips=183_000, epochs=20)


def _paper(name: str, clips: int, epochs: int) -> RunConfig:
    """Adam at a constant rate, batches of 128 (negatives from all of them; the paper's from those of one GPU)."""
    return RunConfig(
        name=f"ez_vsl_paper_{name}",
        data=DataConfig(global_batch=BATCH),
        method=Config(),
        optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4, betas=(0.9, 0.999), weight_decay=0.0),
        schedule=ScheduleConfig(kind="constant"),
        training=TrainingConfig(steps=epochs * clips // BATCH, log_every=100, checkpoint_every=5000),
    )
