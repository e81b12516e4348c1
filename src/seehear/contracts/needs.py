"""Needs: what a method reads of a clip."""

from dataclasses import dataclass
from typing import Literal

from seehear.contracts.batches import SAMPLE_RATE


@dataclass(frozen=True)
class AudioNeed:
    """Sound of a fixed length: longer clips are cut, shorter ones zero-padded (`waveform_samples` says how far)."""

    seconds: float
    sample_rate: int = SAMPLE_RATE


@dataclass(frozen=True)
class FrameNeed:
    """Pictures: `count` frames of `height` x `width` pixels.

    `fit` is "squash" (aspect ratio not kept, as AVSiam) or "crop" (shorter side resized, centre kept).
    """

    count: int
    height: int
    width: int
    fit: Literal["squash", "crop"] = "squash"


@dataclass(frozen=True)
class Needs:
    """What a method reads of a clip; only that is decoded."""

    audio: AudioNeed | None = None
    frames: FrameNeed | None = None
    labels: bool = False
    caption: bool = False
