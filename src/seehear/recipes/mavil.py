"""Recipes of MAViL (arXiv 2212.08071)."""

from dataclasses import replace

from seehear.methods.mavil import Config
from seehear.recipes.avsiam import avsiam_tiny
from seehear.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig


def mavil_tiny() -> RunConfig:
    """Stage 1 at proof scale, beside `avsiam_tiny`: its sound and picture size, 4 frames of a clip, width 64, 3 layers.

    40 tokens of sound and 72 of film, twice each at a ratio of 0.8. Not run by this project to its end yet: no figure
    is promised; a step takes about three times as long as that of `avsiam_tiny`. For stage 2 replace `method.stage` and
    use `runs.distilling.pretrain_student`.
    """
    tiny = avsiam_tiny()
    method = Config(
        inputs=replace(tiny.method.inputs, flip=True, crop_scale=(0.5, 1.0)),
        frames=4,
        width=64,
        depth=3,
        fusion_depth=1,
        heads=4,
        stem="hierarchical",
        decoder_width=64,
        decoder_depth=1,
        decoder_heads=4,
    )
    return replace(tiny, name="mavil_tiny", method=method)


def mavil_paper_base() -> RunConfig:
    """Stage 1 at ViT-Base on AudioSet-2M: 20 epochs of batch 512, decoders of 8 layers.

    After both stages and fine-tuning the paper reports 53.3 mAP on AudioSet-2M, 44.9 on AudioSet-20K and 67.1 % on
    VGGSound, for 5,120 V100 hours. Not run by this project. From the paper's general description and not read off at
    the source: masking ratio, both weights and temperatures, decoder and fusion layers, batch, epochs, learning rate,
    betas, warm-up, standardised targets, all augmentation. Weight decay, the projection head and the length of warm-up
    are ours; by MAE's rule a base rate of 2e-4 would mean 4e-4 at this batch. The paper starts from self-supervised
    ImageNet weights for its best figures, this from nothing. 68,360 steps are 20 epochs of 1.75 million clips.
    """
    return RunConfig(
        name="mavil_paper_base",
        data=DataConfig(global_batch=512),
        method=Config(),
        optimizer=OptimizerConfig(learning_rate=2e-4, betas=(0.9, 0.95), weight_decay=0.05),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=6_836),
        training=TrainingConfig(steps=68_360, log_every=100, checkpoint_every=2_000),
    )


def mavil_paper_base_stage2() -> RunConfig:
    """Stage 2 of `mavil_paper_base`, as long again: start it with `runs.distilling.pretrain_student`.

    The figures that `mavil_paper_base` states are those of this stage. Not run by this project.
    """
    stage_one = mavil_paper_base()
    return replace(stage_one, name="mavil_paper_base_stage2", method=replace(stage_one.method, stage=2))
