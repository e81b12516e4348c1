"""What a file holds, measured by the time stamps of its packets: headers may promise more, or less.

All packets are read (at memory speed, without decoding) and one frame is decoded, which shows whether the pictures
decode at all and how they are turned.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from seehear.errors import MediaError, SkipReason
from seehear.media.containers import audio_stream, codec_name, open_container, origin_seconds, video_stream
from seehear.media.frame_reader import FrameReader
from seehear.media.limits import Limits
from seehear.media.orientation import orientation_of, shown_size
from seehear.media.pictures import picture_facts
from seehear.media.sources import PICTURES, Source, name_of, open_source, sniff
from seehear.media.tracks import AudioTrack, MediaInfo, VideoTrack


@dataclass
class Extent:
    """Where the packets of one track lie, in its own ticks: `first` and `last` begin, `end` ends the last."""

    stamps: set[int] = field(default_factory=set)
    end: int | None = None
    skipped_first: int = 0  # samples at the start and end that are not to be heard
    skipped_last: int = 0

    @property
    def first(self) -> int:
        """Time stamp of the first packet that is shown."""
        return min(self.stamps)

    @property
    def last(self) -> int:
        """Time stamp of the last packet that is shown."""
        return max(self.stamps)

    def add(self, packet: Any) -> None:
        """Count a packet, unless an edit list drops it."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.is_discard:
            return
        if packet.has_sidedata("skip_samples"):
            first, last = _skipped_samples(packet)
            self.skipped_last = last
            if not self.stamps:
                self.skipped_first = first
        self.stamps.add(stamp)
        self.end = max(self.end if self.end is not None else stamp, stamp + (packet.duration or 0))


def _skipped_samples(packet: Any) -> tuple[int, int]:
    data = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")


def scan(container: Any, *streams: Any) -> dict[int, Extent]:
    """The extents of some tracks by stream index, from all their packets."""
    extents = {stream.index: Extent() for stream in streams if stream is not None}
    for packet in container.demux([s for s in streams if s is not None]):
        extents[packet.stream_index].add(packet)
    return extents


def probe(source: Source, limits: Limits | None = None) -> MediaInfo:
    """The facts of a media file, by its packets.

    Args:
        source: a path, or the bytes of a file.
        limits: defaults to those for one's own media.

    Raises:
        MediaError: where it is empty, no media, damaged, unsupported or over a limit.
    """
    limits, path = limits or Limits(), name_of(source)
    with open_source(source, limits) as file:
        if sniff(file, path) == PICTURES:
            return _picture(file.read(), path, limits)
    with open_container(source, limits) as (name, container):
        video, audio = video_stream(container, path, limits), audio_stream(container, path, limits)
        origin = origin_seconds(video, audio)
        extents = scan(container, video, audio)
        sound = _audio(audio, extents.get(audio.index), origin) if audio is not None else None
        pictures = (
            _video(container, video, extents.get(video.index), origin, path, limits) if video is not None else None
        )
    if pictures is None and sound is None:
        raise MediaError(SkipReason.TRUNCATED, "no frame and no sample", path=path, expected="pictures or sound")
    kind = "audio" if pictures is None else "image" if pictures.frames == 1 else "video"
    ends = [
        pictures.duration_seconds if pictures else 0.0,
        sound.start_seconds + sound.duration_seconds if sound else 0,
    ]
    limits.check("file_seconds", max(ends), path)
    return MediaInfo(path, kind, name, float(max(ends)), pictures, sound)


def _picture(data: bytes, path: str, limits: Limits) -> MediaInfo:
    codec, width, height, rotation = picture_facts(data, path, limits)
    track = VideoTrack(codec, width, height, rotation, 0.0, 0.0, 0.0, 0.0, 1)
    return MediaInfo(path, "image", codec, 0.0, track, None)


def _audio(stream: Any, extent: Extent | None, origin: Fraction) -> AudioTrack | None:
    context = stream.codec_context
    if extent is None or not extent.stamps or not context.sample_rate or extent.end is None:
        return None
    start = extent.first * stream.time_base + Fraction(extent.skipped_first, context.sample_rate) - origin
    end = extent.end * stream.time_base - Fraction(extent.skipped_last, context.sample_rate) - origin
    seconds = float(max(end - start, Fraction(0)))
    return AudioTrack(codec_name(stream), context.sample_rate, context.channels, float(start), seconds)


def _video(
    container: Any, stream: Any, extent: Extent | None, origin: Fraction, path: str, limits: Limits
) -> VideoTrack | None:
    if extent is None or not extent.stamps or extent.end is None:
        return None
    base, count = Fraction(stream.time_base), len(extent.stamps)
    start, last = extent.first * base - origin, extent.last * base - origin
    rate = (count - 1) / (last - start) if count > 1 else Fraction(0)
    limits.check("frames_per_second", float(rate), path)
    end = max(extent.end * base - origin, last + (1 / rate if rate else 0))
    container.seek(stream.start_time or 0, stream=stream)
    frame = FrameReader(container, stream, origin, path, limits).frame_at(float(start))
    orientation = orientation_of(frame)
    width, height = shown_size(frame.width, frame.height, stream.sample_aspect_ratio, orientation)
    return VideoTrack(
        codec=codec_name(stream),
        width=width,
        height=height,
        rotation=orientation.degrees,
        frames_per_second=float(rate),
        start_seconds=float(start),
        last_frame_seconds=float(last),
        duration_seconds=float(end),
        frames=count,
    )
