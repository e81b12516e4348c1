"""An open media file: PyAV's container with its header checked, its tracks, and its presentation clock.

FFmpeg is told the container by name, chosen by content, so it never guesses; and it reads from a file object, so it
never opens anything by itself. Faults come out as typed errors.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

import av

from seehear.errors import MediaError, SkipReason
from seehear.media.allowed import AUDIO_CODECS, CODECS, CONTAINERS, OTHER_DECODERS, VIDEO_CODECS
from seehear.media.limits import Limits
from seehear.media.sources import PICTURES, Source, name_of, open_source, sniff

DAMAGE = "an incomplete or damaged file"
END_SLACK_SECONDS = Fraction(1, 2)  # headers and tracks may differ by this much about where the end is
_KEEPS_DURATION = {"mp4", "matroska", "avi", "wav", "flac", "flv", "asf"}
_UNKNOWN_RIFF_SIZE = 0xFFFF_FFF0  # and above: written by a pipe that could not come back to fill it in
_READ_BYTES = 65_536  # bytes per read from the file object: a seek throws away what was read ahead
_HEADER_ONLY = {"probesize": "32", "skip_frame": "all"}  # no packet is tried out, and no picture decoded, at opening


@dataclass(frozen=True)
class MediaFile:
    """One open file.

    Attributes:
        container: PyAV's container.
        name: our name of its kind, a key of `allowed.CONTAINERS`.
        path: as given, for messages; "" for bytes.
        limits: what may be decoded.
        announced_part: announced over actual bytes of a cut WAV or AVI file, whose duration FFmpeg derives from the
            actual ones; else 1.
    """

    container: Any
    name: str
    path: str
    limits: Limits
    announced_part: Fraction = Fraction(1)

    def video(self) -> Any | None:
        """The first real video track (album art is none), ready to decode on one thread; or None.

        Raises:
            MediaError: UNSUPPORTED where its codec is outside the allow-list.
        """
        return self._prepared(self._first_video(), VIDEO_CODECS)

    def audio(self) -> Any | None:
        """The first sound track, ready to decode; or None.

        Raises:
            MediaError: UNSUPPORTED where its codec is outside the allow-list, TRUNCATED where its header is damaged.
        """
        return self._prepared(self._first_audio(), AUDIO_CODECS)

    def origin_seconds(self) -> Fraction:
        """Time stamp of the start of the presentation: the earliest start of its pictures and sound."""
        tracks = (self._first_video(), self._first_audio())
        starts = [t.start_time * t.time_base for t in tracks if t is not None and t.start_time is not None]
        return min(starts, default=Fraction(0))

    def promised_seconds(self) -> Fraction | None:
        """Where the header says that the presentation ends; None for containers that guess (MP3, MPEG-TS, ...)."""
        if self.name not in _KEEPS_DURATION:
            return None
        streams = self.container.streams
        tracks = [t for t in (*streams.video, *streams.audio) if t.duration is not None]
        ends = [(t.duration + (t.start_time or 0)) * t.time_base for t in tracks]
        if not ends and self.container.duration is not None:
            ends = [Fraction(self.container.duration + (self.container.start_time or 0), av.time_base)]
        return (max(ends) - self.origin_seconds()) * self.announced_part if ends else None

    def keep_only(self, *tracks: Any) -> None:
        """Let the demuxer skip the bytes of all other tracks."""
        kept = {track.index for track in tracks}
        for stream in self.container.streams:
            stream.discard = av.stream.Discard.default if stream.index in kept else av.stream.Discard.all

    def damaged(self, found: str) -> MediaError:
        """The error for what is missing or does not decode."""
        return MediaError(SkipReason.TRUNCATED, found, path=self.path, cause=DAMAGE)

    def facts(self) -> list[tuple[Any, ...]]:
        """What opening the file told of its tracks, as far as reading them rests on it."""
        container = self.container
        told: list[tuple[Any, ...]] = [(container.start_time, container.duration)]
        for stream in container.streams:
            told.append((stream.type, stream.start_time, stream.duration, stream.time_base, len(stream.index_entries)))
            context = stream.codec_context
            if context is not None:
                told.append((codec_name(stream), bytes(context.extradata or b""), int(stream.disposition)))
            if stream.type == "video" and context is not None:
                told.append((context.width, context.height, context.reorder_depth, stream.sample_aspect_ratio))
            if stream.type == "audio" and context is not None:
                coarse = bool(stream.time_base.denominator % (context.sample_rate or 1))  # blocks lie on a grid then
                told.append((context.sample_rate, context.layout.name, context.frame_size if coarse else 0))
        return told

    def _first_video(self) -> Any | None:
        art = av.stream.Disposition.attached_pic
        return next((s for s in self.container.streams.video if not s.disposition & art), None)

    def _first_audio(self) -> Any | None:
        return next(iter(self.container.streams.audio), None)

    def _prepared(self, stream: Any, allowed: frozenset[str]) -> Any | None:
        if stream is None:
            return None
        if codec_name(stream) not in allowed:
            raise MediaError(
                SkipReason.UNSUPPORTED,
                f"{stream.type} codec {codec_name(stream)}",
                path=self.path,
                expected=f"one of {', '.join(sorted(allowed))}",
                cure=f"ffmpeg -i {self.path or 'FILE'} converted.mp4",
            )
        if stream.type == "audio" and not (stream.codec_context.sample_rate and stream.codec_context.channels):
            raise self.damaged("sound without a sample rate or channels")
        stream.codec_context.thread_count = 1
        if stream.type == "video":
            stream.codec_context.options = {"max_pixels": str(self.limits.pixels)}
        return stream


def codec_name(stream: Any) -> str:
    """FFmpeg's name of the coding (not of a decoder): "av1", whichever library decodes it."""
    context = stream.codec_context
    return "unknown" if context is None else context.codec.canonical_name


@contextlib.contextmanager
def open_media(source: Source, limits: Limits, *, header_tells: bool = False) -> Iterator[MediaFile]:
    """A file of moving pictures or sound, its header checked against the limits.

    With `header_tells` the tracks are taken as the header describes them, which takes a third of the time. FFmpeg
    otherwise tries out the first packets, since some headers leave things open: only where both ways gave the same
    before (`MediaInfo.header_tells`) may this be asked for.

    Raises:
        MediaError: typed, also for anything FFmpeg raises inside the block; NO_AUDIO for a still picture, whose
            pixels are read by `pictures`.
    """
    path = name_of(source)
    with open_source(source, limits) as file:
        name = sniff(file, path)
        if name == PICTURES:
            raise MediaError(SkipReason.NO_AUDIO, "a still picture", path=path)
        part = _announced_part(file) if name in ("wav", "avi") else Fraction(1)
        with _failures(path), _open(file, name, limits, header_tells) as container:
            opened = MediaFile(container, name, path, limits, part)
            _check_header(opened)
            yield opened


def _open(file: BinaryIO, name: str, limits: Limits, header_tells: bool) -> Any:
    whitelist = ",".join([*sorted(CODECS), *OTHER_DECODERS])
    options = {"codec_whitelist": whitelist, "max_pixels": str(limits.pixels), "threads": "1"}
    options |= _HEADER_ONLY if header_tells else {}
    return av.open(
        file, "r", format=CONTAINERS[name], options=options, metadata_errors="replace", buffer_size=_READ_BYTES
    )


def _announced_part(file: BinaryIO) -> Fraction:
    actual = file.seek(0, 2)
    file.seek(4)
    announced = int.from_bytes(file.read(4), "little") + 8
    file.seek(0)
    return Fraction(announced, actual) if actual < announced < _UNKNOWN_RIFF_SIZE else Fraction(1)


@contextlib.contextmanager
def _failures(path: str) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise MediaError(SkipReason.OVER_LIMIT, "memory ran out while decoding", path=path) from error
    except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError, av.error.NotImplementedError) as error:
        raise MediaError(SkipReason.UNSUPPORTED, error.strerror or str(error), path=path) from error
    except (av.FFmpegError, EOFError, OverflowError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise MediaError(SkipReason.TRUNCATED, found, path=path, cause=DAMAGE) from error


def _check_header(file: MediaFile) -> None:
    container, limits, path = file.container, file.limits, file.path
    limits.check("streams", len(container.streams), path)
    if container.duration is not None:
        limits.check("file_seconds", container.duration / av.time_base, path)
    for stream in container.streams.video:
        if stream.codec_context is not None:
            limits.check("pixels", stream.codec_context.width * stream.codec_context.height, path)
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            limits.check("channels", stream.codec_context.channels, path)
            limits.check("sample_rate", stream.codec_context.sample_rate, path)
