"""Clips held as arrays in memory: for generated data, tests, and machines without media libraries."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from seehear.clips.choice import FrameChoice
from seehear.clips.clip import Clip
from seehear.clips.index import ClipIndex, LabelCodes
from seehear.clips.source import Collection
from seehear.clips.window import wanted
from seehear.contracts import SAMPLE_RATE, Needs
from seehear.errors import DataError, UsageError


class MemoryClips(Collection):
    """A collection of clips that are held as arrays.

    Args:
        clips: the clips; their arrays are kept, not copied.

    Raises:
        UsageError: if an array has another shape or dtype than `Clip` says.
        DataError: if two clips have the same id, or there are none.
    """

    def __init__(self, clips: Iterable[Clip]):
        self._clips = list(clips)
        if not self._clips:
            raise DataError("there are no clips", expected="at least one")
        for clip in self._clips:
            _check(clip)
        super().__init__(_index(self._clips), max(len(_times(clip)) for clip in self._clips))

    def _decode(self, rows: np.ndarray, needs: Needs, choices: Sequence[FrameChoice]) -> list[Any]:
        return [_part(self._clips[row], needs, choice) for row, choice in zip(rows, choices, strict=True)]

    def _truth(self, row: int) -> dict[str, Any]:
        return self._clips[row].truth

    def _content(self) -> Any:
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for clip in self._clips:
            digest.update(f"{clip.id}\0{clip.labels}\0{clip.caption}\0".encode("utf-8", "surrogateescape"))
            for array in (clip.frames, clip.audio):
                digest.update(b"-" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _index(clips: list[Clip]) -> ClipIndex:
    return ClipIndex.build(
        names=[c.id for c in clips],
        sources=[c.source for c in clips],
        start_seconds=np.array([c.start_seconds for c in clips]),
        duration_seconds=np.array([c.duration_seconds for c in clips]),
        splits=[c.split for c in clips],
        labels=LabelCodes.of(c.labels for c in clips),
        captions=[c.caption for c in clips],
        has_audio=np.array([c.audio is not None for c in clips]),
        has_image=np.array([c.frames is not None for c in clips]),
    )


def _times(clip: Clip) -> np.ndarray:
    """When the clip's frames are shown; spread evenly where it does not say."""
    if clip.frames is None:
        return np.empty(0)
    if clip.frame_seconds is not None:
        return clip.frame_seconds
    count = len(clip.frames)
    return (np.arange(count) + 0.5) * clip.duration_seconds / count


def _part(clip: Clip, needs: Needs, choice: FrameChoice) -> tuple[Any, Any, Any]:
    times = _times(clip)
    take = wanted(needs, choice, None if clip.audio is None else len(clip.audio) / SAMPLE_RATE, times)
    frames = clip.frames[take.places] if clip.frames is not None and take.places is not None else None
    audio = clip.audio[take.samples] if clip.audio is not None and take.seconds is not None else None
    return frames, None if take.places is None else times[take.places], audio


def _check(clip: Clip) -> None:
    frames, audio = clip.frames, clip.audio
    if frames is not None and (frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not len(frames)):
        raise UsageError(f"frames of clip {clip.id!r} are {frames.shape} {frames.dtype}", expected="uint8 [T, H, W, 3]")
    if audio is not None and (audio.dtype != np.int16 or audio.ndim != 1):
        raise UsageError(f"audio of clip {clip.id!r} is {audio.shape} {audio.dtype}", expected="int16 [S]")
    if clip.frame_seconds is not None and len(clip.frame_seconds) != len(_frames(clip)):
        raise UsageError(f"clip {clip.id!r} has {len(_frames(clip))} frames and {len(clip.frame_seconds)} times")


def _frames(clip: Clip) -> np.ndarray | tuple:
    return () if clip.frames is None else clip.frames
