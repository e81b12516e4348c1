"""Opening a container with FFmpeg: the allow-lists, the limits on its header, and typed failures.

The container is chosen by content and given to FFmpeg by name, so that playlists (HLS, DASH, concat, SDP), devices and
rare demuxers are out of reach; a codec outside `CODECS` is refused before its decoder is opened.
"""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from seehear.errors import MediaError, SkipReason
from seehear.media.limits import Limits
from seehear.media.sources import PICTURES, Source, name_of, open_source, sniff

CONTAINERS = {  # our name -> FFmpeg's demuxer
    "mp4": "mov",
    "matroska": "matroska",
    "avi": "avi",
    "mpegts": "mpegts",
    "mpeg": "mpeg",
    "flv": "flv",
    "asf": "asf",
    "wav": "wav",
    "flac": "flac",
    "mp3": "mp3",
    "aac": "aac",
    "ogg": "ogg",
}
_VIDEO_CODECS = """
h264 hevc vp8 vp9 av1 mpeg4 mpeg2video mpeg1video h263 mjpeg msmpeg4v2 msmpeg4v3 wmv1 wmv2 wmv3 vc1 flv1 prores dnxhd
theora ffv1 rawvideo png
"""
_AUDIO_CODECS = """
aac mp3 mp2 opus vorbis flac alac ac3 eac3 wmav1 wmav2 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be
pcm_f32le pcm_f32be pcm_f64le pcm_u8 pcm_s8 pcm_alaw pcm_mulaw adpcm_ms adpcm_ima_wav amr_nb amr_wb
"""
VIDEO_CODECS = frozenset(_VIDEO_CODECS.split())
AUDIO_CODECS = frozenset(_AUDIO_CODECS.split())
CODECS = VIDEO_CODECS | AUDIO_CODECS
DAMAGE = "an incomplete or damaged file"
END_SLACK_SECONDS = Fraction(1, 2)  # headers and tracks may differ by this much about where the end is
_KEEPS_DURATION = {"mp4", "matroska", "avi", "wav", "flac", "flv", "asf"}
_READ_BYTES = 262_144  # bytes per read from the file object
_OTHER_DECODERS = "libdav1d,mp3float,mp2float,msmpeg4,flv,amrnb,amrwb,libopus,libvorbis,libvpx,libvpx-vp9"


@contextlib.contextmanager
def open_container(source: Source, limits: Limits) -> Iterator[tuple[str, Any]]:
    """(our name of the container, PyAV's container), its header checked against the limits.

    Raises:
        MediaError: typed, also for anything FFmpeg raises inside the block; a still picture has no tracks and is
            UNSUPPORTED here (see `pictures`).
    """
    path = name_of(source)
    with open_source(source, limits) as file:
        name = sniff(file, path)
        if name == PICTURES:
            raise MediaError(SkipReason.UNSUPPORTED, "a still picture has no tracks", path=path)
        with failures(path), _open(file, name, limits) as container:
            _check_header(container, path, limits)
            yield name, container


def _open(file: Any, name: str, limits: Limits) -> Any:
    whitelist = ",".join(sorted(CODECS)) + "," + _OTHER_DECODERS
    options = {"codec_whitelist": whitelist, "max_pixels": str(limits.pixels), "threads": "1"}
    return av.open(
        file, "r", format=CONTAINERS[name], options=options, metadata_errors="replace", buffer_size=_READ_BYTES
    )


@contextlib.contextmanager
def failures(path: str) -> Iterator[None]:
    """Turn what FFmpeg raises into a `MediaError` that names the file."""
    try:
        yield
    except MemoryError as error:
        raise MediaError(SkipReason.OVER_LIMIT, "memory ran out while decoding", path=path) from error
    except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError, av.error.NotImplementedError) as error:
        raise MediaError(SkipReason.UNSUPPORTED, error.strerror or str(error), path=path) from error
    except (av.FFmpegError, EOFError, OverflowError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise MediaError(SkipReason.TRUNCATED, found, path=path, cause=DAMAGE) from error


def video_stream(container: Any, path: str, limits: Limits) -> Any | None:
    """The first real video track, ready to decode on one thread; or None.

    Raises:
        MediaError: UNSUPPORTED where its codec is outside `CODECS`.
    """
    return _prepared(_first_video(container), VIDEO_CODECS, path, limits)


def audio_stream(container: Any, path: str, limits: Limits) -> Any | None:
    """The first sound track, ready to decode; or None.

    Raises:
        MediaError: UNSUPPORTED where its codec is outside `CODECS`.
    """
    return _prepared(next(iter(container.streams.audio), None), AUDIO_CODECS, path, limits)


def codec_name(stream: Any) -> str:
    """FFmpeg's name of the coding (not of a decoder): "av1", whichever library decodes it."""
    context = stream.codec_context
    return "unknown" if context is None else context.codec.canonical_name


def keep_only(container: Any, stream: Any) -> None:
    """Let the demuxer skip the bytes of every other track."""
    for other in container.streams:
        other.discard = av.stream.Discard.default if other.index == stream.index else av.stream.Discard.all


def origin_seconds(container: Any) -> Fraction:
    """Time stamp, in seconds, of the start of the presentation: the earliest start of its pictures and sound."""
    tracks = (_first_video(container), next(iter(container.streams.audio), None))
    starts = [t.start_time * t.time_base for t in tracks if t is not None and t.start_time is not None]
    return min(starts, default=Fraction(0))


def promised_seconds(container: Any, name: str) -> Fraction | None:
    """Where the header says that the presentation ends; None where a container only guesses (MP3, MPEG-TS, ...)."""
    if name not in _KEEPS_DURATION:
        return None
    tracks = [t for t in (*container.streams.video, *container.streams.audio) if t.duration is not None]
    ends = [(t.duration + (t.start_time or 0)) * t.time_base for t in tracks]
    if not ends and container.duration is not None:
        ends = [Fraction(container.duration + (container.start_time or 0), av.time_base)]
    return max(ends) - origin_seconds(container) if ends else None


def _first_video(container: Any) -> Any | None:
    pictures = (s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic)
    return next(pictures, None)  # album art is no video


def _prepared(stream: Any, allowed: frozenset[str], path: str, limits: Limits) -> Any | None:
    if stream is None:
        return None
    if codec_name(stream) not in allowed:
        raise MediaError(
            SkipReason.UNSUPPORTED,
            f"{stream.type} codec {codec_name(stream)}",
            path=path,
            expected=f"one of {', '.join(sorted(allowed))}",
            cure=f"ffmpeg -i {path or 'FILE'} converted.mp4",
        )
    stream.codec_context.thread_count = 1
    if stream.type == "video":
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    return stream


def _check_header(container: Any, path: str, limits: Limits) -> None:
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
