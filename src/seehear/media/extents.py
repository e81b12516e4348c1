"""Where the packets of a file's tracks lie on the presentation clock, measured without decoding."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from seehear.errors import MediaError, SkipReason
from seehear.media.frame_order import is_counted
from seehear.media.media_file import DAMAGE, END_SLACK_SECONDS, MediaFile

ZERO = Fraction(0)


@dataclass
class Extent:
    """One track.

    Attributes:
        stream: PyAV's stream.
        origin_seconds: time stamp of the presentation's start.
        counted: a video track without presentation times (see `frame_order`).
        stamps: time stamps of the packets that are shown, in the track's ticks.
        end: end of the last packet, in ticks, without samples that are not to be heard.
        priming: time stamp up to which an encoder's start-up samples are to be dropped, in ticks.
        longest: duration of the longest packet, in ticks.
        first_key: time stamp of the first key frame that is shown, or None.
    """

    stream: Any
    origin_seconds: Fraction
    counted: bool = False
    stamps: set[int] = field(default_factory=set)
    end: Fraction = ZERO
    priming: Fraction | None = None
    longest: int = 0
    first_key: int | None = None

    def add(self, packet: Any) -> None:
        """Count a packet, unless an edit list drops it."""
        stamp = packet.dts if packet.pts is None or self.counted else packet.pts
        if stamp is None:
            return
        duration = packet.duration or 0
        first, padding = _skipped_samples(packet)
        if first and self.priming is None:
            self.priming = stamp + self._ticks(first)
        if packet.is_discard:
            return
        end = stamp + (duration if duration < self.longest else duration - self._ticks(padding))
        self.longest = max(self.longest, duration)
        self.end = max(self.end, end) if self.stamps else end
        if packet.is_keyframe and self.first_key is None:
            self.first_key = stamp
        self.stamps.add(stamp)

    def _ticks(self, samples: int) -> Fraction:
        return (
            Fraction(samples, self.stream.codec_context.sample_rate or 1) / self.stream.time_base if samples else ZERO
        )

    @property
    def start_seconds(self) -> Fraction:
        """When the first frame or sample is shown or heard."""
        first = min(self.stamps) if self.priming is None else max(min(self.stamps), self.priming)
        return max(first * self.stream.time_base - self.origin_seconds, ZERO)

    @property
    def first_key_seconds(self) -> Fraction:
        """When the first key frame is shown, or else the first frame: what is quickest to decode."""
        first = min(self.stamps) if self.first_key is None else self.first_key
        return first * self.stream.time_base - self.origin_seconds

    @property
    def packets_per_second(self) -> float:
        """Mean rate of the packets that are shown; 0 for a single one."""
        span = (max(self.stamps) - min(self.stamps)) * self.stream.time_base
        return float((len(self.stamps) - 1) / span) if span else 0.0

    @property
    def last_seconds(self) -> Fraction:
        """When the last packet begins."""
        return max(self.stamps) * self.stream.time_base - self.origin_seconds

    @property
    def end_seconds(self) -> Fraction:
        """When the last packet ends."""
        return self.end * self.stream.time_base - self.origin_seconds


def _skipped_samples(packet: Any) -> tuple[int, int]:
    """Samples at the start and at the end of a packet that are not to be heard."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    data = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")


def scan(file: MediaFile, *streams: Any, rewind: bool = False) -> list[Extent | None]:
    """The extents of some tracks (None for None, and for a track without packets), as far as the file can be read.

    `rewind` where the container is not at its start.
    """
    origin, counted = file.origin_seconds(), is_counted(file.container)
    extents = {s.index: Extent(s, origin, counted and s.type == "video") for s in streams if s is not None}
    tracks = [extent.stream for extent in extents.values()]
    file.keep_only(*tracks)
    if rewind:
        file.container.seek(file.container.start_time or 0)
    try:
        for packet in file.container.demux(tracks) if tracks else ():
            extents[packet.stream.index].add(packet)
    except av.error.InvalidDataError:
        pass  # what was read so far is what the file holds
    found = [None if stream is None else extents[stream.index] for stream in streams]
    return [extent if extent is not None and extent.stamps else None for extent in found]


def is_cut_short(file: MediaFile, end_seconds: Fraction) -> bool:
    """Whether the header promises clearly more than the file holds."""
    promised = file.promised_seconds()
    return promised is not None and promised > end_seconds + END_SLACK_SECONDS


def past_the_end(file: MediaFile, asked_seconds: float, track_end: Fraction, file_end: Fraction) -> MediaError:
    """The error for a time after a track's end: TRUNCATED where the header promised it, else OUT_OF_RANGE."""
    promised = file.promised_seconds()
    if promised is not None and asked_seconds - END_SLACK_SECONDS <= promised > file_end + END_SLACK_SECONDS:
        found = f"it ends at {float(file_end):.3f} s, its header says {float(promised):.3f} s"
        return MediaError(SkipReason.TRUNCATED, found, path=file.path, cause=DAMAGE)
    return MediaError(
        SkipReason.OUT_OF_RANGE,
        f"{asked_seconds:.3f} s was asked for",
        path=file.path,
        expected=f"a time up to {float(track_end):.3f} s",
    )
