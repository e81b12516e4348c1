"""Clips to one batch of tensors, each field only if it is needed.

A clip that lacks a modality gets zeros there and `has_audio` or `has_image` False: a method must not learn from them.
Legend: B clips, T frames, S samples of sound, C classes, H W picture.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seehear.clips.clip import Clip, ClipSource
from seehear.clips.fit import fit
from seehear.contracts import SAMPLE_RATE, AudioNeed, Batch, FrameNeed, Needs, Replacement
from seehear.errors import UsageError


def collate(
    source: ClipSource,
    indices: np.ndarray,
    positions: np.ndarray,
    clips: Sequence[Clip],
    needs: Needs,
    replacements: tuple[Replacement, ...] = (),
) -> Batch:
    """The batch of some clips that were read from `source` with the same `needs`."""
    fields = tensors(clips, needs)
    if needs.labels:
        fields["labels"] = torch.from_numpy(source.label_matrix(indices))
    if needs.caption:
        fields["caption"] = [clip.caption for clip in clips]
    return Batch(torch.from_numpy(source.ids[indices]), torch.from_numpy(positions), fields, replacements)


def tensors(clips: Sequence[Clip], needs: Needs) -> dict[str, Any]:
    """Fields of sound and pictures, with `has_audio` and `has_image`."""
    fields: dict[str, Any] = {}
    if needs.audio is not None:
        fields["waveform"], fields["waveform_samples"] = _waveforms(clips, needs.audio)
        fields["has_audio"] = torch.tensor([clip.audio is not None for clip in clips])
    if needs.frames is not None:
        fields["frames"] = _frames(clips, needs.frames)
        fields["has_image"] = torch.tensor([clip.frames is not None for clip in clips])
    return fields


def _waveforms(clips: Sequence[Clip], need: AudioNeed) -> tuple[Tensor, Tensor]:
    """`[B, S]` int16, zero after each valid length, and the valid lengths `[B]`."""
    length = round(need.seconds * SAMPLE_RATE)
    waveform = np.empty((len(clips), length), dtype=np.int16)
    valid = np.zeros(len(clips), dtype=np.int64)
    for row, clip in enumerate(clips):
        if clip.audio is not None:
            samples = clip.audio[:length]
            waveform[row, : len(samples)], valid[row] = samples, len(samples)
        waveform[row, valid[row] :] = 0
    return torch.from_numpy(waveform), torch.from_numpy(valid)


def _frames(clips: Sequence[Clip], need: FrameNeed) -> Tensor:
    """`[B, T, 3, H, W]` uint8."""
    frames = torch.empty(len(clips), need.count, 3, need.height, need.width, dtype=torch.uint8)
    for row, clip in enumerate(clips):
        frames[row] = 0 if clip.frames is None else fit(clip.frames, need)
    return frames


def check_needs(needs: Needs) -> None:
    """Refuse needs that no clip can meet.

    Raises:
        UsageError: on another sample rate than the tables', a length, count or size that is not positive, or a
            wrong fit.
    """
    if needs.audio is not None:
        if needs.audio.sample_rate != SAMPLE_RATE:
            raise UsageError(f"sound at {needs.audio.sample_rate} Hz is asked for", expected=f"{SAMPLE_RATE} Hz")
        if not round(needs.audio.seconds * SAMPLE_RATE) > 0:
            raise UsageError(f"{needs.audio.seconds} seconds of sound are asked for", expected="more than 0")
    if needs.frames is not None:
        frames = needs.frames
        if min(frames.count, frames.height, frames.width) < 1:
            raise UsageError(
                f"{frames.count} frames of {frames.height} x {frames.width}", expected="at least 1 of each"
            )
        if frames.fit not in ("squash", "crop"):
            raise UsageError(f"fit is {frames.fit!r}", expected="'squash' or 'crop'")
