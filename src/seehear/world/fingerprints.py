"""The world's fingerprint: one short hash that goes into every result made on it.

It covers the generator's version, the preset, the seed, the scenes of a few clips of every split, and what they look
and sound like in coarse numbers (block means and levels), so that machines whose last bits differ agree while any
real change of the world shows.
"""

import hashlib
import json
import math

import numpy as np

from seehear.world import VERSION
from seehear.world.presets import Preset, resolve
from seehear.world.rendering import Rendered, render
from seehear.world.sampling import scene

BLOCK = 32  # pixels, or the largest part of it that divides the picture's size
PICTURE_STEP, SOUND_STEP_DB = 8, 1.0


def fingerprint(preset: str | Preset = "tiny", seed: int = 0) -> str:
    """The fingerprint of a preset under a root seed, 16 hexadecimal digits.

    It does not depend on how many clips are built, only on what each of them is.

    Raises:
        UsageError: on an unknown preset.
    """
    chosen = resolve(preset)
    values = {k: v for k, v in chosen.to_dict().items() if k not in ("name", "clips")}
    digest = hashlib.blake2b(json.dumps([VERSION, values, seed], sort_keys=True).encode(), digest_size=8)
    for split in ("train", "val", "test"):
        for index in range(len(chosen.classes)):
            digest.update(scene(chosen, split, index, seed).hash(VERSION).encode())
    for index in range(len(chosen.classes)):
        digest.update(coarse(render(scene(chosen, "train", index, seed))))
    return digest.hexdigest()


def coarse(clip: Rendered) -> bytes:
    """A clip in coarse numbers: means of square blocks of three frames, levels of 0.1-s stretches."""
    frames = clip.pixels[:: max(1, len(clip.pixels) // 3)].astype(np.float64)
    count, height, width, _ = frames.shape
    block = math.gcd(BLOCK, height)
    blocks = frames.reshape(count, height // block, block, width // block, block, 3).mean(axis=(2, 4))
    stretches = clip.waveform.astype(np.float64).reshape(-1, clip.scene.format.sample_rate // 10)
    levels = 10 * np.log10((stretches**2).mean(axis=1) + 1e-12)
    return (
        np.concatenate([np.round(blocks / PICTURE_STEP).ravel(), np.round(levels / SOUND_STEP_DB)])
        .astype(np.int16)
        .tobytes()
    )
