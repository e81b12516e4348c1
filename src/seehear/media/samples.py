"""Sound of a file in a given range, as 16 kHz mono int16.

Time stamps place every decoded block on the presentation clock, so encoder priming, edit lists, late starts and gaps
are honoured. Sound that begins after the presentation does is preceded by silence up to its start, because that is
what is heard; a gap inside is silence for the same reason. Nothing else is ever filled in.

Legend: S samples.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.containers import audio_stream, keep_only, open_container, origin_seconds, video_stream
from seehear.media.downmix import to_mono
from seehear.media.limits import Limits
from seehear.media.resampler import Resampler, grid_step
from seehear.media.sources import Source, name_of
from seehear.media.tracks import SAMPLE_RATE

_PREROLL_SECONDS = Fraction(1, 2)  # decoded before the range: bit reservoirs and overlapping transforms settle in it
_FILTER_SECONDS = Fraction(1, 50)  # fed to the resampler before and after the range
_CHUNK_SAMPLES = 65_536


def read_audio(
    source: Source,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    *,
    limits: Limits | None = None,
) -> np.ndarray:
    """Sound from `start_seconds` on, int16 `[S]` at 16 kHz mono.

    Sample n is at `round(start_seconds * 16000) / 16000 + n / 16000` on the presentation clock; consecutive ranges
    join without seams. S is `duration_seconds * 16000` rounded, or less where the sound ends before.

    Args:
        source: a path, or the bytes of a file.
        start_seconds: start of the range, not negative.
        duration_seconds: its length; None reads to the end.
        limits: defaults to those for one's own media.

    Raises:
        MediaError: NO_AUDIO, OUT_OF_RANGE where the sound ends before the range, TRUNCATED where some of it is
            missing or damaged, OVER_LIMIT, ...
        UsageError: on a negative or non-finite range.
    """
    limits, path = limits or Limits(), name_of(source)
    first, count = _range(start_seconds, duration_seconds)
    if count is not None:
        limits.check("decoded_seconds", count / SAMPLE_RATE, path)
    with open_container(source, limits) as (_, container):
        stream = audio_stream(container, path, limits)
        if stream is None:
            raise MediaError(SkipReason.NO_AUDIO, "pictures only", path=path)
        origin = origin_seconds(video_stream(container, path, limits), stream)
        reader = _Reader(container, stream, origin, path, limits)
        return reader.read(first, count)


def _range(start_seconds: float, duration_seconds: float | None) -> tuple[int, int | None]:
    duration = 1.0 if duration_seconds is None else duration_seconds
    if not (0 <= start_seconds < float("inf") and 0 < duration < float("inf")):
        raise UsageError(
            f"range of {duration_seconds} s from {start_seconds} s", expected="a start of 0 or more, a length above 0"
        )
    first = round(Fraction(start_seconds) * SAMPLE_RATE)
    if duration_seconds is None:
        return first, None
    return first, max(1, round((Fraction(start_seconds) + Fraction(duration_seconds)) * SAMPLE_RATE) - first)


class _Reader:
    """One pass over a range of one sound track. Positions count its own samples from the presentation's start."""

    def __init__(self, container: Any, stream: Any, origin: Fraction, path: str, limits: Limits):
        self.container, self.stream, self.origin, self.path, self.limits = container, stream, origin, path, limits
        self.rate = stream.codec_context.sample_rate
        keep_only(container, stream)

    def read(self, first: int, count: int | None) -> np.ndarray:
        """Int16 `[<= count]` from output sample `first`."""
        step = grid_step(self.rate)
        begin = max(0, int((Fraction(first, SAMPLE_RATE) - _FILTER_SECONDS) * self.rate) // step * step)
        end = None if count is None else int((Fraction(first + count, SAMPLE_RATE) + _FILTER_SECONDS) * self.rate) + 1
        resampler, parts = Resampler(self.rate), []
        skip = first - begin * SAMPLE_RATE // self.rate
        for chunk in self._placed(begin, end):
            parts.append(resampler.push(chunk))
        parts.append(resampler.finish())
        sound = np.concatenate(parts)[skip:][:count]
        return np.clip(np.rint(sound * 32768.0), -32768, 32767).astype(np.int16)

    def _placed(self, begin: int, end: int | None) -> Iterator[np.ndarray]:
        """Float32 chunks that cover [begin, end) without a gap, as far as the sound goes."""
        position = begin
        for start, samples in self._blocks(begin):
            if end is not None and start >= end:
                return
            if start > position:
                yield np.zeros(min(start, end or start) - position, np.float32)
                position = start
            samples = samples[position - start : None if end is None else end - start]
            position += len(samples)
            yield samples
            if position == end:
                return

    def _blocks(self, begin: int) -> Iterator[tuple[int, np.ndarray]]:
        """(position, float32 samples) of each decoded frame that ends after `begin`."""
        base = Fraction(self.stream.time_base)
        target = Fraction(begin, self.rate) - _PREROLL_SECONDS
        if target > 0:
            self.container.seek(int((target + self.origin) / base), stream=self.stream)
        for frame in self.container.decode(self.stream):
            position = round((frame.pts * base - self.origin) * self.rate)
            if position + frame.samples > begin:
                yield position, to_mono(frame)
