"""Files to frames and samples, and back: the only room that opens media.

Names are loaded on first use, so importing the room loads neither PyAV nor Pillow.
"""

from typing import TYPE_CHECKING

from seehear.lazily import lazily

if TYPE_CHECKING:
    from seehear.media.allowed import CODECS as CODECS
    from seehear.media.allowed import CONTAINERS as CONTAINERS
    from seehear.media.clip_reader import read_clip as read_clip
    from seehear.media.decoding_process import WorkerError as WorkerError
    from seehear.media.frames import read_frames as read_frames
    from seehear.media.limits import Limits as Limits
    from seehear.media.masks import decode_mask as decode_mask
    from seehear.media.pictures import decode_jpeg as decode_jpeg
    from seehear.media.pictures import encode_jpeg as encode_jpeg
    from seehear.media.pool import Pool as Pool
    from seehear.media.probing import probe as probe
    from seehear.media.samples import read_audio as read_audio
    from seehear.media.sound_files import decode_flac as decode_flac
    from seehear.media.sound_files import encode_flac as encode_flac
    from seehear.media.sound_files import encode_wav as encode_wav
    from seehear.media.sound_files import write_flac as write_flac
    from seehear.media.tracks import AudioTrack as AudioTrack
    from seehear.media.tracks import Frames as Frames
    from seehear.media.tracks import MediaInfo as MediaInfo
    from seehear.media.tracks import VideoTrack as VideoTrack
    from seehear.media.video_stream import stream_video as stream_video
    from seehear.media.video_writer import WrittenVideo as WrittenVideo
    from seehear.media.video_writer import write_video as write_video

_HOMES = {
    "AudioTrack": "tracks",
    "CODECS": "allowed",
    "CONTAINERS": "allowed",
    "Frames": "tracks",
    "Limits": "limits",
    "MediaInfo": "tracks",
    "Pool": "pool",
    "VideoTrack": "tracks",
    "WorkerError": "decoding_process",
    "WrittenVideo": "video_writer",
    "decode_flac": "sound_files",
    "decode_jpeg": "pictures",
    "decode_mask": "masks",
    "encode_flac": "sound_files",
    "encode_jpeg": "pictures",
    "encode_wav": "sound_files",
    "probe": "probing",
    "read_audio": "samples",
    "read_clip": "clip_reader",
    "read_frames": "frames",
    "stream_video": "video_stream",
    "write_flac": "sound_files",
    "write_video": "video_writer",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
