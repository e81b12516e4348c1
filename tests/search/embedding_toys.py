"""A tiny untrained network and small tables for embedding; also run as a program that a test kills."""

import os
import sys
from pathlib import Path

import numpy as np
import torch

from seehear.clips import Clip, MemoryClips, pack
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.search import embedding
from seehear.search.embedding import embed
from seehear.weights import About, Encoder
from seehear.weights.about import hash_of

TINY = Config(
    inputs=InputConfig(audio_seconds=0.4, mel_bins=16, audio_frames=32, image_height=16, image_width=16),
    patch=8,
    width=16,
    depth=1,
    heads=2,
    masking=MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=ReconstructionConfig(fusion_depth=1, width=8, depth=1, heads=2),
)
COLUMNS = ["audio_tiny", "image_tiny", "audiovisual_tiny"]


def tiny(seed: int = 0, knows: str = "") -> Encoder:
    """An untrained AVSiam called "tiny"."""
    torch.manual_seed(seed)
    method = AVSiam(TINY)
    return Encoder(method, about=About("tiny", hash_of(method.state_dict()), knows))


def noise(number: int, seconds: float = 0.4) -> Clip:
    """A clip of noise; every seventh lacks pictures, every fifth sound."""
    rng = np.random.default_rng(number)
    sound = rng.integers(-9_000, 9_000, round(seconds * 16_000)).astype(np.int16)
    frames = rng.integers(0, 255, (3, 16, 16, 3), dtype=np.uint8)
    return Clip(
        f"clip{number}",
        source=f"file{number // 4}.mp4",
        duration_seconds=seconds,
        labels=[f"class{number % 3}"],
        frames=None if number % 7 == 3 else frames,
        audio=None if number % 5 == 4 else sound,
    )


def table(path: Path, clips: int = 60, seconds: float = 0.4) -> Path:
    """A packed table of noise."""
    pack(MemoryClips([noise(i, seconds) for i in range(clips)]), path, size=16, frames=3, modality="any")
    return path


def vectors(path: Path, columns: list[str] | None = None) -> list[dict]:
    """The id and vectors of every row."""
    import lance

    return lance.dataset(path).to_table(columns=["id", *(columns or COLUMNS)]).to_pylist()


def embed_for_every_line() -> None:
    """Embed the table that each line of stdin names, in a process of its own whose id is said first.

    Forked before Lance or any thread is there: only the first process takes long to start.
    """
    embedding._COMMIT_ROWS, embedding._PART = 8, 4
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            torch.set_num_threads(1)
            embed(tiny(), line.strip(), progress=lambda now: print(now.done, flush=True))
            os._exit(0)
        print(f"process {child}", flush=True)
        print(f"over {os.waitpid(child, 0)[1]}", flush=True)


if __name__ == "__main__":
    embed_for_every_line()
