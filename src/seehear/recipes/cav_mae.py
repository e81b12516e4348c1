"""Recipes of CAV-MAE (arXiv 2210.07839)."""

from dataclasses import replace

from seehear.methods.cav_mae import Config
from seehear.recipes.avsiam import avsiam_tiny
from seehear.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig

CLIPS = 1_772_000  # of AudioSet-2M in the released logs: 36,917 steps of 48 an epoch
EPOCHS = 25


def cav_mae_tiny() -> RunConfig:
    """Proof scale beside `avsiam_tiny`: the same clips, inputs, width, blocks on a token's way, and optimiser.

    Two blocks for each modality and one joint block, twice `avsiam_tiny`'s encoder. The contrast weighs 0.1, the
    paper's choice for retrieval. A few minutes on 2 CPU cores.
    """
    tiny = avsiam_tiny()
    method = Config(
        inputs=replace(tiny.method.inputs, fit="crop"),
        width=64,
        depth=2,
        joint_depth=1,
        heads=4,
        stem="hierarchical",
        decoder_width=64,
        decoder_depth=1,
        decoder_heads=4,
        contrast_weight=0.1,
    )
    return replace(tiny, name="cav_mae_tiny", method=method)


def cav_mae_paper_base() -> RunConfig:
    """The paper's Base: batch 48 in all.

    The release trained with DataParallel, so that its contrast compared the 12 clips of one GPU; here it compares all
    48 (`--training.accumulate 4` on one process gives negatives as few). The paper reports 40.5 mAP on AudioSet-20K
    and 64.2 % on VGGSound after fine-tuning. It starts from an ImageNet MAE (`--init mae:FILE`). Not run by this
    project.
    """
    return _paper("base", batch=48, rate=5e-5)


def cav_mae_paper_scale_plus() -> RunConfig:
    """The paper's Scale+: batch 108.

    42.0 mAP on AudioSet-20K, 65.5 % on VGGSound after fine-tuning. Not run by this project.
    """
    return _paper("scale_plus", batch=108, rate=1e-4)


def cav_mae_paper_scale_plus_plus() -> RunConfig:
    """The release's Scale++: batch 256.

    42.2 mAP on AudioSet-20K, 65.8 % on VGGSound after fine-tuning, in the released logs. Not run by this project.
    """
    return _paper("scale_plus_plus", batch=256, rate=2e-4)


def _paper(name: str, batch: int, rate: float) -> RunConfig:
    return RunConfig(
        name=f"cav_mae_paper_{name}",
        data=DataConfig(global_batch=batch),
        method=Config(),
        optimizer=OptimizerConfig(kind="adam", learning_rate=rate, betas=(0.95, 0.999), weight_decay=5e-7),
        schedule=ScheduleConfig(kind="step", step_epochs=(10, 15, 20, 25), step_factor=0.5),
        training=TrainingConfig(steps=EPOCHS * CLIPS // batch, log_every=100, checkpoint_every=5000),
    )
