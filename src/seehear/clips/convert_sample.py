"""A WebDataset sample of pictures and sound to what the table stores: run in a decoding process.

Clips that were exported from a table come back as they were: the frames' bytes and every sample of sound; they are
decoded all the same, to see that they can be. Other pictures are resized and coded anew. Legend: F pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seehear.clips.choice import FIXED, choose_frames
from seehear.clips.convert import Stored, Storing, coded
from seehear.clips.cutting import Span, cut
from seehear.clips.pieces import Cutting, Modality
from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, decode_flac, decode_jpeg, encode_jpeg, probe, read_audio, read_frames

SAMPLE_RATE = 16_000


@dataclass(frozen=True)
class Part:
    """One clip of a sample."""

    span: Span
    stored: Stored


@dataclass(frozen=True)
class Parts:
    """What a sample holds beside its video.

    Attributes:
        pictures: bytes of each.
        sound: bytes, or None.
        sound_suffix: "flac", "wav", ... as its member is called.
        times: seconds at which the pictures are shown; None where nothing says so.
        exported: it was exported from a table: one clip, to be kept as it is.
        duration_seconds: its length, where it was exported.
    """

    pictures: tuple[bytes, ...]
    sound: bytes | None
    sound_suffix: str
    times: tuple[float, ...] | None
    exported: bool
    duration_seconds: float


def convert_parts(parts: Parts, cutting: Cutting, storing: Storing, limits: Limits) -> list[Part]:
    """The clips of a sample.

    Raises:
        MediaError: if a picture or the sound cannot be decoded, or it lacks what the modality needs.
    """
    parts = _needed(parts, cutting.modality)
    sound = None if parts.sound is None else _sound(parts, limits)
    if parts.exported:
        for picture in parts.pictures:
            decode_jpeg(picture, limits)
        seconds = list(parts.times or ())
        if len(seconds) != len(parts.pictures):
            raise MediaError(SkipReason.TRUNCATED, f"{len(parts.pictures)} pictures with {len(seconds)} times")
        stored = Stored(list(parts.pictures), seconds, _coded(sound, storing), None)
        return [Part(Span(0.0, parts.duration_seconds), stored)]
    frames = [_resized(picture, storing, limits) for picture in parts.pictures]
    return _cut(frames, _times(parts, sound), sound, cutting, storing)


def _needed(parts: Parts, modality: Modality) -> Parts:
    """Without what the modality leaves aside."""
    if modality == "audio":
        parts = replace(parts, pictures=(), times=())
    if modality == "image":
        parts = replace(parts, sound=None)
    if parts.sound is None and (modality in ("audio", "audiovisual") or not parts.pictures):
        raise MediaError(SkipReason.NO_AUDIO, "a sample without sound")
    if not parts.pictures and modality in ("image", "audiovisual"):
        raise MediaError(SkipReason.NO_VIDEO, "a sample without pictures")
    return parts


def _sound(parts: Parts, limits: Limits) -> np.ndarray:
    """int16 `[S]` at 16 kHz; what was exported is not resampled, only unpacked."""
    data = parts.sound or b""
    if parts.exported and parts.sound_suffix == "flac":
        return decode_flac(data)
    track = probe(data, limits).audio
    if track is None:
        raise MediaError(SkipReason.NO_AUDIO, f"a .{parts.sound_suffix} without sound")
    return read_audio(data, 0.0, track.start_seconds + track.duration_seconds, limits=limits)


def _coded(sound: np.ndarray | None, storing: Storing) -> bytes | None:
    return None if sound is None else coded(sound, storing.audio_codec)


def _resized(picture: bytes, storing: Storing, limits: Limits) -> bytes:
    pixels = read_frames(picture, [0.0], shorter_side=storing.size, limits=limits).pixels[0]
    return encode_jpeg(pixels, storing.jpeg_quality)


def _times(parts: Parts, sound: np.ndarray | None) -> np.ndarray:
    """When each picture is shown, `[F]`: as said, else evenly over the sound, else one second apart."""
    count = len(parts.pictures)
    if parts.times is not None and len(parts.times) == count:
        return np.array(parts.times)
    length = count if sound is None else len(sound) / SAMPLE_RATE
    return (np.arange(count) + 0.5) * length / max(1, count)


def _cut(
    frames: Sequence[bytes], times: np.ndarray, sound: np.ndarray | None, cutting: Cutting, storing: Storing
) -> list[Part]:
    length = 0.0 if sound is None else len(sound) / SAMPLE_RATE
    if sound is None and len(frames) > 1:
        length = float(times[-1] + (times[-1] - times[0]) / (len(frames) - 1) / 2)
    found = []
    for span in cut(length, cutting.clip_seconds, cutting.every, most=cutting.max_clips_per_file):
        begin, end = span.start_seconds, span.start_seconds + span.duration_seconds
        shown, seconds = [], []
        if len(frames):
            window = None if len(frames) == 1 or span.duration_seconds >= length else (begin, end)
            places = choose_frames(times, min(cutting.frames, len(frames)), FIXED, window)
            for place in sorted(set(places.tolist())):
                shown.append(frames[place])
                seconds.append(0.0 if len(frames) == 1 else max(0.0, float(times[place]) - begin))
        heard = None if sound is None else sound[round(begin * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        found.append(Part(span, Stored(shown, seconds, _coded(heard, storing), None)))
    return found
