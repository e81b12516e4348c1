"""Recipes of DeepAVFusion (arXiv 2312.01017)."""

from dataclasses import replace

from seehear.backbones.early_fusion import FusionConfig
from seehear.methods.deepavfusion import Config
from seehear.recipes.avsiam import avsiam_tiny
from seehear.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig

EPOCHS, WARMUP_EPOCHS = 200, 40
VGGSOUND_CLIPS, AUDIOSET_CLIPS = 180_000, 1_750_000


def deepavfusion_tiny() -> RunConfig:
    """Proof scale: 64-pixel pictures, 3 s of sound as 64 x 96 mel, patches of 8, trunks 96 wide with 4 blocks.

    12 fusion tokens (4 and 4 + 4 aggregators), decoders 64 wide with 2 blocks, masks 0.75 and 0.8. 64 tokens of the
    picture and 96 of sound, of which 16 and 19 are seen in training. 800 steps of 64 are 20 epochs of 2,520 clips. Not
    run by this project to its end yet: no figure is promised; it takes about half an hour on 2 CPU cores.
    """
    tiny = avsiam_tiny()
    method = Config(
        inputs=replace(
            Config().inputs,
            mel_bins=64,
            frame_length_ms=64.0,
            frame_shift_ms=31.25,
            audio_frames=96,
            image_height=64,
            image_width=64,
        ),
        patch=8,
        width=96,
        depth=4,
        heads=4,
        stem="hierarchical",
        fusion=FusionConfig(tokens=4, visual=4, sound=4),
        decoder_width=64,
        decoder_depth=2,
        decoder_heads=4,
    )
    return replace(
        tiny,
        name="deepavfusion_tiny",
        method=method,
        data=DataConfig(global_batch=64, threads=0),
        training=replace(tiny.training, steps=800),
    )


def deepavfusion_paper_vggsound() -> RunConfig:
    """ViT-Base on VGGSound as released: 200 epochs of batch 512, keys at a quarter of the width, MLPs of ratio 1.

    The release reports 58.19 % on VGGSound after fine-tuning, 53.08 % by linear probe, and an SDR of 5.79 in separating
    VGGSound-Music. There the trunks start from an ImageNet MAE and from AudioMAE, and their rate rises over half of the
    run (`--init mae:FILE,audiomae:FILE --method.trunk-rise 0.5`). Not run by this project.
    """
    return _paper("vggsound", Config(), batch=512, clips=VGGSOUND_CLIPS)


def deepavfusion_paper_audioset() -> RunConfig:
    """ViT-Base on AudioSet-2M as released: 200 epochs of batch 2048, full-width keys, MLPs of ratio 4.

    The release reports 57.91 % on VGGSound after fine-tuning and an SDR of 6.93 in separating VGGSound-Music. See
    `deepavfusion_paper_vggsound`. Not run by this project.
    """
    return _paper("audioset", Config(fusion=FusionConfig(ratio=1.0, mlp_ratio=4.0)), batch=2048, clips=AUDIOSET_CLIPS)


def _paper(name: str, method: Config, batch: int, clips: int) -> RunConfig:
    """Base rate 1.5e-4 per 256 clips, warm-up over a fifth of the run, cosine."""
    return RunConfig(
        name=f"deepavfusion_paper_{name}",
        data=DataConfig(global_batch=batch),
        method=method,
        optimizer=OptimizerConfig(learning_rate=1.5e-4 * batch / 256, betas=(0.9, 0.95), weight_decay=0.05),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=WARMUP_EPOCHS * clips // batch),
        training=TrainingConfig(steps=EPOCHS * clips // batch, log_every=100, checkpoint_every=5000),
    )
