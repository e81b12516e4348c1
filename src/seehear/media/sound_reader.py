"""Decoding one sound track into mono chunks that lie gaplessly on the presentation clock.

Positions count samples at the track's own rate from the presentation's start. The time stamps of the decoded blocks
place them; where a container's ticks are coarser than a sample (Matroska: 1 ms), blocks are placed on the codec's
frame grid and then counted. Legend: S samples.
"""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from seehear.errors import MediaError, SkipReason
from seehear.media.downmix import Downmix
from seehear.media.media_file import MediaFile, codec_name

_PREROLL_SECONDS = Fraction(1, 2)  # decoded before the range: bit reservoirs and overlapping transforms settle in it
_GRIDS = {"opus": 120}  # samples between possible block starts, where the decoder does not tell
_EQUAL_BLOCKS = {"flac", "alac"}  # all blocks but the last have the size of the first
_RAGGED = {"mp3", "aac", "mpegts", "mpeg"}  # cut anywhere or wrapped in tags: rubbish at both ends is harmless
_NO_GAPS = {"flac", "ogg", "wav"}  # time stamps count samples: a leap in them is loss


class SoundReader:
    """Sound of one track by rising time.

    Args:
        file: an open file, at its start.
        stream: its sound track.

    Attributes:
        rate: samples per second.
        position: where the sound that was read so far ends.
    """

    def __init__(self, file: MediaFile, stream: Any):
        self.file, self.container, self.stream = file, file.container, stream
        self.rate: int = stream.codec_context.sample_rate
        self.base, self.origin = Fraction(stream.time_base), file.origin_seconds()
        self.position, self._downmix = 0, Downmix()
        self._damaged = False
        scale, offset = self.base * self.rate, self.origin * self.rate
        self._unit = math.lcm(scale.denominator, offset.denominator)
        self._ticks, self._offset = int(scale * self._unit), int(offset * self._unit)
        self._tolerance = 0 if self.base.denominator % self.rate == 0 else math.ceil(scale)
        file.keep_only(stream)

    def read(self, begin: int, end: int | None) -> Iterator[np.ndarray]:
        """Float32 `[S]` chunks that cover [begin, end) without a gap, as far as the sound goes.

        Raises:
            MediaError: TRUNCATED at damage, OVER_LIMIT past the allowed length, UNSUPPORTED where the rate changes.
        """
        self.position = begin
        longest = begin + (self.file.limits.decoded_seconds + 1) * self.rate
        for start, samples in self._from(begin):
            reach = start + len(samples) if end is None else min(end, start + len(samples))
            if reach > longest:
                self.file.limits.check("decoded_seconds", (reach - begin) / self.rate, self.file.path)
            if start > self.position:
                if self.position > 0 and self.file.name in _NO_GAPS:
                    raise self._damage()
                silent_until = min(start, reach)
                yield np.zeros(silent_until - self.position, np.float32)
                self.position = silent_until
            yield samples[self.position - start : reach - start] if start < reach else samples[:0]
            self.position = reach
            if reach == end:
                return

    def _from(self, begin: int) -> Iterator[tuple[int, np.ndarray]]:
        """Blocks that end after `begin`, reached by seeking where that is far."""
        target = Fraction(begin, self.rate) - _PREROLL_SECONDS + self.origin
        far = target > self._first_stamp * self.base and not self._stamps_drift
        if far and self._seek(int(target / self.base)):
            blocks = self._blocks(begin, sought=True)
            head = next(blocks, None)
            if head is not None and head[0] <= begin:
                yield head
                yield from blocks
                return
            self._seek(self._first_stamp)  # landed too late: read from the start
        yield from self._blocks(begin, sought=False)

    @property
    def _stamps_drift(self) -> bool:
        """Whether time stamps after a seek differ from those read in a row: WMA, and Ogg with anything but its own."""
        return self.file.name == "asf" or (
            self.file.name == "ogg" and codec_name(self.stream) not in ("vorbis", "opus")
        )

    @property
    def _first_stamp(self) -> int:
        return self.stream.start_time or 0

    def _seek(self, stamp: int) -> bool:
        try:
            self.container.seek(stamp, stream=self.stream)
        except (av.error.PermissionError, av.error.InvalidDataError, av.error.ArgumentError, av.error.OSError):
            return False
        return True

    def _blocks(self, begin: int, *, sought: bool) -> Iterator[tuple[int, np.ndarray]]:
        """(position, float32 `[S]`) of each decoded block that ends after `begin`."""
        expected = None if sought else 0
        self._damaged = False
        in_mp4 = self.file.name == "mp4"
        for packet in self.container.demux(self.stream):
            for frame in self._decoded(packet):
                start = self._place(frame, expected)
                if start is None:
                    continue
                samples = self._length(packet, frame) if in_mp4 else frame.samples
                expected = start + samples
                if expected > begin:
                    self._check(frame, start, begin)
                    yield start, self._downmix(frame)[:samples]
                self._damaged = False
        if self._damaged and self.file.name not in _RAGGED:
            raise self._damage()

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return self.stream.codec_context.decode(packet if packet.size else None)
        except av.error.InvalidDataError:
            self._damaged = True
            return []
        except av.error.EOFError:
            return []

    def _check(self, frame: Any, start: int, begin: int) -> None:
        """Refuse what would otherwise be passed over in silence."""
        if frame.sample_rate != self.rate:
            found = f"the sample rate changes from {self.rate} to {frame.sample_rate}"
            raise MediaError(SkipReason.UNSUPPORTED, found, path=self.file.path)
        leading = self.file.name in _RAGGED and self.position == begin == 0
        if self._damaged and start > begin and not leading:
            raise self._damage()

    def _damage(self) -> MediaError:
        return self.file.damaged(f"sound after {self.position / self.rate:.3f} s does not decode")

    def _place(self, frame: Any, expected: int | None) -> int | None:
        """Where a block begins; None where that is not known (right after a seek)."""
        if frame.pts is None:
            return expected
        position = self._samples_at(frame.pts)
        if expected is not None and abs(position - expected) <= self._tolerance:
            return expected
        grid = self._grid(frame)
        if self._tolerance > 1 and grid > 2 * self._tolerance:
            first = self._samples_at(self._first_stamp)
            nearest = first + round((position - first) / grid) * grid
            if abs(nearest - position) <= self._tolerance:
                return nearest
        return position

    def _grid(self, frame: Any) -> int:
        """Samples from one possible block start to the next; 0 where blocks may start anywhere."""
        codec = codec_name(self.stream)
        if codec in _EQUAL_BLOCKS:
            return frame.samples
        return _GRIDS.get(codec, self.stream.codec_context.frame_size or 0)

    def _samples_at(self, stamp: int) -> int:
        """Position of a time stamp, rounded to a sample (whole numbers only: this runs for every block)."""
        return (2 * (stamp * self._ticks - self._offset) + self._unit) // (2 * self._unit)

    def _length(self, packet: Any, frame: Any) -> int:
        """Samples of a block of an mp4 that are to be heard: its edit list ends inside the last one."""
        count, duration = frame.samples, packet.duration
        if packet.pts != frame.pts or not duration:
            return count
        return min(count, max(1, duration * self._ticks // self._unit))
