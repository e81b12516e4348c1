"""What a file holds, measured by the time stamps of its packets: headers may promise more, or less.

All packets are read (at memory speed, without decoding) and one frame is decoded, which shows whether the pictures
decode at all and how they are turned.
"""

from fractions import Fraction

from seehear.media.extents import Extent, is_cut_short, scan
from seehear.media.frame_reader import FrameReader
from seehear.media.limits import Limits
from seehear.media.media_file import MediaFile, codec_name, open_media
from seehear.media.orientation import orientation_of, shown_size
from seehear.media.pictures import picture_facts
from seehear.media.sources import PICTURES, Source, name_of, open_source, sniff
from seehear.media.tracks import AudioTrack, MediaInfo, VideoTrack

_WHOLE_HEADERS = {"mp4"}  # containers whose header can describe the tracks in full


def probe(source: Source, limits: Limits | None = None) -> MediaInfo:
    """The facts of a media file, by its packets.

    Args:
        source: a path, or the bytes of a file.
        limits: defaults to those for one's own media.

    Raises:
        MediaError: where it is empty, no media, damaged throughout, unsupported or over a limit.
    """
    limits, path = limits or Limits(), name_of(source)
    with open_source(source, limits) as file:
        if sniff(file, path) == PICTURES:
            return _picture(file.read(), path, limits)
    with open_media(source, limits) as media:
        pictures, sound = scan(media, media.video(), media.audio())
        if pictures is None and sound is None:
            raise media.damaged("no frame and no sample")
        end = max(extent.end_seconds for extent in (pictures, sound) if extent is not None)
        limits.check("file_seconds", float(end), path)
        video = None if pictures is None else _video(media, pictures)
        audio = None if sound is None else _audio(sound)
        kind = "audio" if video is None else "image" if video.frames == 1 else "video"
        short, tells = is_cut_short(media, end), _header_tells(media, source)
        return MediaInfo(path, kind, media.name, float(end), video, audio, short, tells)


def _picture(data: bytes, path: str, limits: Limits) -> MediaInfo:
    codec, width, height, rotation = picture_facts(data, path, limits)
    track = VideoTrack(codec, width, height, rotation, 0.0, 0.0, 0.0, 0.0, 1)
    return MediaInfo(path, "image", codec, 0.0, track, None, False)


def _header_tells(media: MediaFile, source: Source) -> bool:
    """Whether the header alone tells the same of the tracks as their first packets."""
    if media.name not in _WHOLE_HEADERS:
        return False
    with open_media(source, media.limits, header_tells=True) as alone:
        return alone.facts() == media.facts()


def _audio(extent: Extent) -> AudioTrack:
    context = extent.stream.codec_context
    seconds = max(extent.end_seconds - extent.start_seconds, Fraction(0))
    codec = codec_name(extent.stream)
    return AudioTrack(codec, context.sample_rate, context.channels, float(extent.start_seconds), float(seconds))


def _video(media: MediaFile, extent: Extent) -> VideoTrack:
    stream, rate = extent.stream, extent.packets_per_second
    media.limits.check("frames_per_second", rate, media.path)
    reader = FrameReader(media, stream)
    reader.rewind()
    frame = reader.frame_at(float(extent.first_key_seconds))
    orientation = orientation_of(frame)
    width, height = shown_size(frame.width, frame.height, stream.sample_aspect_ratio, orientation)
    return VideoTrack(
        codec=codec_name(stream),
        width=width,
        height=height,
        rotation=orientation.degrees,
        frames_per_second=rate,
        start_seconds=float(extent.start_seconds),
        last_frame_seconds=float(extent.last_seconds),
        duration_seconds=float(extent.end_seconds),
        frames=len(extent.stamps),
    )
