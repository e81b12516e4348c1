"""Recipes of OneAVM (arXiv 2305.19458)."""

from dataclasses import replace

from seehear.backbones.map_towers import ConvNetConfig
from seehear.layers.inputs import InputConfig
from seehear.methods.oneavm import Config
from seehear.recipes.avsiam import avsiam_tiny
from seehear.signals.separation import Bands
from seehear.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig

CLIPS, EPOCHS, BATCH = 144_000, 100, 128


def oneavm_tiny() -> RunConfig:
    """Proof scale on the world: 96-pixel pictures, 3.2 s of sound as 64 bands x 104 frames, small towers, D = 128.

    1,000 steps of 48 clips with all three objectives take about 20 minutes on 2 CPU cores.
    """
    tiny = avsiam_tiny()
    method = Config(
        inputs=InputConfig(audio_seconds=3.2, image_height=96, image_width=96, flip=True),
        bands=Bands("mel", count=64, size=1024, shift=512),
        frames=104,
        towers="convnet",
        convnet=ConvNetConfig(audio_strides=(2, 2, 2, 2)),
        width=128,
        temperature=0.07,
        decoder_width=8,
    )
    return replace(
        tiny,
        name="oneavm_tiny",
        data=DataConfig(global_batch=48, threads=0),
        method=method,
        optimizer=OptimizerConfig(kind="adam", learning_rate=1e-3, weight_decay=0.0, betas=(0.9, 0.999)),
        schedule=ScheduleConfig(kind="cosine", warmup_steps=50),
    )


def oneavm_paper() -> RunConfig:
    """ResNet-18 towers at 224 pixels, Adam at 1e-4, batch 128, 100 epochs of VGGSound's 144 k clips.

    The settings are AVAgent's (arXiv 2410.23230), by the same group, as OneAVM's own were not published; what neither
    says is marked in `methods/oneavm.py`. The paper's SDR / SAR, by AVAgent's table: 7.38 / 7.48 dB on MUSIC,
    5.36 / 5.52 on VGG-Instruments, 2.51 / 2.61 on VGG-Music, each trained on the set's own clips. EZ-VSL's picture
    tower starts from ImageNet, and OneAVM's may (`--init resnet18:FILE`). Not run by this project.
    """
    return RunConfig(
        name="oneavm_paper",
        data=DataConfig(global_batch=BATCH),
        method=Config(),
        optimizer=OptimizerConfig(kind="adam", learning_rate=1e-4, betas=(0.9, 0.999), weight_decay=0.0),
        schedule=ScheduleConfig(kind="constant"),
        training=TrainingConfig(steps=EPOCHS * CLIPS // BATCH, log_every=100, checkpoint_every=5000),
    )
