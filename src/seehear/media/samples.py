"""Sound of a file in a given range, as 16 kHz mono int16.

Encoder priming, edit lists, late starts and gaps are honoured. Sound that begins after the presentation does is
preceded by silence up to its start, because that is what is heard; a gap in the time stamps is silence for the same
reason. Nothing else is ever filled in. Legend: S samples.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.extents import is_cut_short, past_the_end, scan
from seehear.media.limits import Limits
from seehear.media.media_file import MediaFile, open_media
from seehear.media.resampler import Resampler, grid_step
from seehear.media.sound_reader import SoundReader
from seehear.media.sources import Source
from seehear.media.tracks import SAMPLE_RATE

_FILTER_SECONDS = Fraction(1, 50)  # fed to the resampler before and after the range
_BATCH_SAMPLES = 16_384
_NOTHING = np.zeros(0, np.float32)
_LATEST_SECONDS = 1e9  # keeps times within what time stamps can hold


def read_audio(
    source: Source,
    start_seconds: float = 0.0,
    duration_seconds: float | None = None,
    *,
    limits: Limits | None = None,
) -> np.ndarray:
    """Sound from `start_seconds` on, int16 `[S]` at 16 kHz mono.

    Sample n is at `round(start_seconds * 16000) / 16000 + n / 16000` on the presentation clock; consecutive ranges
    join without seams. (A codec that draws noise for itself, as AAC may, draws it anew in each call.) S is
    `duration_seconds * 16000` rounded, or less where the sound ends before.

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
    limits = limits or Limits()
    _range(start_seconds, duration_seconds)
    with open_media(source, limits) as media:
        return sound_of(media, start_seconds, duration_seconds)


def sound_of(media: MediaFile, start_seconds: float, duration_seconds: float | None) -> np.ndarray:
    """`read_audio` of a file that is open and at its start."""
    first, count = _range(start_seconds, duration_seconds)
    if count is not None:
        media.limits.check("decoded_seconds", count / SAMPLE_RATE, media.path)
    stream = media.audio()
    if stream is None:
        raise MediaError(SkipReason.NO_AUDIO, "pictures only", path=media.path)
    reader = SoundReader(media, stream)
    sound = _resampled(reader, first, count)
    _check_end(reader, first, count, len(sound))
    return sound


def _range(start_seconds: float, duration_seconds: float | None) -> tuple[int, int | None]:
    duration = 1.0 if duration_seconds is None else duration_seconds
    if not (0 <= start_seconds < _LATEST_SECONDS and 0 < duration < _LATEST_SECONDS):
        raise UsageError(
            f"range of {duration_seconds} s from {start_seconds} s", expected="a start of 0 or more, a length above 0"
        )
    first = round(Fraction(start_seconds) * SAMPLE_RATE)
    if duration_seconds is None:
        return first, None
    return first, max(1, round((Fraction(start_seconds) + Fraction(duration_seconds)) * SAMPLE_RATE) - first)


def _resampled(reader: SoundReader, first: int, count: int | None) -> np.ndarray:
    """Int16 `[<= count]` from output sample `first`, decoded from a sample that lies on the grid of both rates."""
    step = grid_step(reader.rate)
    begin = max(0, int((Fraction(first, SAMPLE_RATE) - _FILTER_SECONDS) * reader.rate) // step * step)
    end = None
    if count is not None:
        end = int((Fraction(first + count, SAMPLE_RATE) + _FILTER_SECONDS) * reader.rate) + 1
    if reader.rate == SAMPLE_RATE:
        parts = list(reader.read(begin, end))
    else:
        resampler = Resampler(reader.rate)
        parts = [resampler.push(chunk) for chunk in _batched(reader.read(begin, end))]
        parts.append(resampler.finish())
    skip = first - begin * SAMPLE_RATE // reader.rate
    available = (reader.position * SAMPLE_RATE + reader.rate - 1) // reader.rate - first
    sound = np.concatenate([*parts, _NOTHING])[skip : skip + max(0, available)][:count]
    sound *= 32768.0
    return np.clip(np.rint(sound, out=sound), -32768, 32767, out=sound).astype(np.int16)


def _batched(chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same samples in longer chunks, which are quicker to resample."""
    waiting: list[np.ndarray] = []
    for chunk in chunks:
        waiting.append(chunk)
        if sum(map(len, waiting)) >= _BATCH_SAMPLES:
            yield np.concatenate(waiting)
            waiting.clear()
    if waiting:
        yield np.concatenate(waiting)


def _check_end(reader: SoundReader, first: int, count: int | None, found: int) -> None:
    """Refuse an empty range, and one that the header promised but the file does not hold."""
    if found and count is not None and found >= count:
        return
    file, end = reader.file, Fraction(reader.position, reader.rate)
    if found and not is_cut_short(file, end):
        return
    tracks = scan(file, *file.container.streams.video[:1], reader.stream, rewind=True)
    end = tracks[-1].end_seconds if tracks[-1] is not None else Fraction(0)
    whole = max((track.end_seconds for track in tracks if track is not None), default=end)
    if found and not is_cut_short(file, whole):
        return
    asked = first if not found or count is None else first + count
    raise past_the_end(file, asked / SAMPLE_RATE, end, whole)
