"""The containers and codecs that are opened; everything else is refused before a decoder exists.

Playlists (HLS, DASH, concat, SDP), devices and rare demuxers are left out on purpose: they open other files and
addresses, or have little use and much untried code.
"""

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
_OTHER_DECODERS = "libdav1d mp3float mp2float msmpeg4 flv amrnb amrwb libopus libvorbis libvpx libvpx-vp9"
OTHER_DECODERS = _OTHER_DECODERS.split()  # decoders of these codecs that go by another name
