"""Tiny networks, and folders and hub caches that hold them."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from seehear import recipes
from seehear.configuration import to_dict
from seehear.contracts import Figure
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.tasks import write_figures
from seehear.training.checkpoints import save_checkpoint
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
FIGURES = [
    Figure("retrieval/audio-to-image/R@1", 0.25, 0.01, 0.02, 0.5, {"raw features": 0.1}, True, "100 clips", 0.2),
    Figure("modality-gap", 0.5, higher_is_better=False),
]


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


def run_folder(folder: Path, evaluated_at: int | None = 7, **fields: str) -> Path:
    """A run of seven steps, evaluated after so many; its tables lie in somebody's home."""
    recipe = recipes.get("avsiam_tiny")
    data = replace(recipe.data, table="/home/someone/clips.lance")
    config = to_dict(replace(recipe, method=TINY, data=data, **fields))
    state = {"config": config, "versions": {}, "data_fingerprint": "abc123"}
    save_checkpoint(folder / "checkpoints", 7, {"weights": tiny_method().state_dict()}, state)
    (folder / "config.json").write_text(json.dumps(config))
    if evaluated_at is not None:
        write_figures(FIGURES, folder / "figures.json")
        about = {"table": "/home/someone/other.lance", "split": "val", "held_out": True, "step": evaluated_at}
        (folder / "evaluation.json").write_text(json.dumps(about | {"precision": "fp32", "clips": "def456"}))
    return folder
