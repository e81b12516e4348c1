"""Small collections of clips whose content says which clip, which moment and which frame it is.

Clip i has frames of the constant colour (i, frame, 0) and a ramp of sound that begins at 100 i.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seehear.clips import Clip, FrameChoice, MemoryClips
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import MediaError, SkipReason

NEEDS = Needs(AudioNeed(0.05), FrameNeed(2, 8, 8), labels=True, caption=True)


def make_clip(number: int, frames: int = 5, seconds: float = 0.2, **changes: Any) -> Clip:
    pixels = np.zeros((frames, 8, 8, 3), dtype=np.uint8)
    pixels[..., 0], pixels[..., 1] = number % 256, np.arange(frames)[:, None, None]
    values = {
        "id": f"clip{number}",
        "duration_seconds": seconds,
        "split": ("train", "test")[number % 4 == 3],
        "labels": [f"class{number % 3}"],
        "caption": f"number {number}",
        "frames": pixels,
        "audio": (100 * number + np.arange(int(seconds * 16_000)) % 100).astype(np.int16),
        "truth": {"number": number},
    }
    return Clip(**(values | changes))


def make_clips(count: int, **changes: Any) -> MemoryClips:
    return MemoryClips(make_clip(i, **changes) for i in range(count))


def noises(seconds: Sequence[float]) -> MemoryClips:
    """Clips of noise, which no coding makes smaller."""
    rng = np.random.default_rng(0)
    sounds = [rng.integers(-20_000, 20_000, int(s * 16_000)).astype(np.int16) for s in seconds]
    return MemoryClips(Clip(f"noise{i}", audio=sound) for i, sound in enumerate(sounds))


class Damaged(MemoryClips):
    """Clips of which some cannot be read."""

    def __init__(self, clips: Sequence[Clip], bad: set[int], reason: SkipReason = SkipReason.TRUNCATED):
        super().__init__(clips)
        self.bad, self.reason = bad, reason

    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        decoded = super()._decode(rows, needs, choices)
        return [
            MediaError(self.reason, "damaged on purpose") if int(row) in self.bad else part
            for row, part in zip(rows, decoded, strict=True)
        ]
