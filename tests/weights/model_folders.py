"""Tiny networks, and folders and hub caches that hold them."""

from pathlib import Path

import torch

from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.weights import About
from seehear.weights.model_folder import write_model

INPUTS = InputConfig(audio_seconds=1.0, mel_bins=16, audio_frames=96, image_height=16, image_width=24)
TINY = Config(
    inputs=INPUTS,
    patch=8,
    width=16,
    depth=1,
    heads=2,
    masking=MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=ReconstructionConfig(fusion_depth=1, width=8, depth=1, heads=2),
)


def tiny_method(seed: int = 0) -> AVSiam:
    torch.manual_seed(seed)
    return AVSiam(TINY).eval()


def saved(folder: Path, name: str = "small one") -> Path:
    write_model(folder, tiny_method(), About(name, "", "It knows nothing.", "# A card\n"))
    return folder


def cached(cache: Path, name: str) -> Path:
    """A hub cache that holds one model as the hub's library lays it down."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    root = cache / f"models--{name.replace('/', '--')}"
    (root / "snapshots").mkdir(parents=True)
    (root / "refs").mkdir()
    (root / "refs/main").write_text(revision)
    return saved(root / "snapshots" / revision)
