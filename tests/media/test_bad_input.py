"""Files that are none, or not what they seem: one clear typed error each, and no other file is ever opened."""

import io
import os
import sys

import av
import numpy as np
import pytest

from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, encode_flac, encode_jpeg, encode_wav, probe, read_audio, read_frames, write_video
from tests.media.making import add_video, grainy, mux_picture, numbered, numbers, reference, sound, video


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """8 s of pictures and sound, the index at the end."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, numbered(200), 25, reference(8.0))
    return path


@pytest.fixture(scope="module")
def fast_start(tmp_path_factory):
    """8 s of pictures, the index at the front, as for the web."""
    path = tmp_path_factory.mktemp("web") / "film.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream = add_video(out, numbered(1))
        for index, picture in enumerate(grainy(numbered(200))):
            mux_picture(out, stream, picture, index)
        out.mux(stream.encode(None))
    return path.read_bytes()


def calls():
    return (probe, lambda path: read_frames(path, [0.0]), read_audio)


def refused(path, reason, words=None):
    for call in calls():
        with pytest.raises(MediaError, match=words) as caught:
            call(path)
        assert caught.value.reason is reason
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["empty.mp4", "empty.wav", "empty.jpg", "empty"])
def test_empty_files(tmp_path, name):
    (tmp_path / name).touch()
    refused(tmp_path / name, SkipReason.EMPTY, "0 bytes")


TEXTS = {
    "notes.txt": b"nothing to see or hear",
    "text.mp4": b"once upon a time " * 500,
    "page.mp4": b"<!DOCTYPE html><html><body>404</body></html>",
    "playlist.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "playlist.mp4": b"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:9/secret.ts\n",
    "list.ffconcat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "stream.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "manifest.mpd": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "one": b"x",
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_files_and_playlists(tmp_path, name):
    (tmp_path / name).write_bytes(TEXTS[name])
    refused(tmp_path / name, SkipReason.NOT_MEDIA, "a text file.*expected mp4")


@pytest.mark.parametrize("kind", ["random", "zeros", "gzip", "zip", "elf", "gif", "pdf"])
def test_other_files(tmp_path, kind):
    heads = {"gzip": b"\x1f\x8b\x08", "zip": b"PK\x03\x04", "elf": b"\x7fELF", "gif": b"GIF89a", "pdf": b"%PDF-1.7"}
    body = np.random.default_rng(5).integers(0, 256, 10_000).astype(np.uint8).tobytes()
    data = bytes(10_000) if kind == "zeros" else heads.get(kind, b"\x12") + body
    (tmp_path / "file.mp4").write_bytes(data)
    refused(tmp_path / "file.mp4", SkipReason.NOT_MEDIA)


def test_paths_that_cannot_be_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    for path in (
        tmp_path,
        tmp_path / "missing.mp4",
        tmp_path / "pipe.mp4",
        tmp_path / "loop.mp4",
        tmp_path / ("x" * 999),
    ):
        refused(path, SkipReason.UNREADABLE)
    for path in ("http://127.0.0.1:9/a.mp4", "file:/etc/passwd", "concat:a|b", "pipe:0", "null\0byte.mp4"):
        refused(path, SkipReason.UNREADABLE)
    if os.geteuid():
        (tmp_path / "secret.mp4").touch(mode=0)
        refused(tmp_path / "secret.mp4", SkipReason.UNREADABLE, "ermission")


def test_the_content_decides_not_the_name(tmp_path, film):
    for name in ("film.txt", "film.wav", "film.jpg", "film"):
        (tmp_path / name).write_bytes(film.read_bytes())
        assert numbers(read_frames(tmp_path / name, [2.0]).pixels) == [50]
    (tmp_path / "picture.mp4").write_bytes(encode_jpeg(numbered(1)[0]))
    assert probe(tmp_path / "picture.mp4").kind == "image"
    (tmp_path / "link.mp4").symlink_to(film)
    assert probe(tmp_path / "link.mp4").video.frames == 200


def test_a_codec_outside_the_list_is_refused():
    for codec, container, pixel_format in (("qtrle", "mov", "rgb24"), ("huffyuv", "avi", "yuv422p")):
        data = video(numbered(3), codec=codec, container=container, pixel_format=pixel_format)
        with pytest.raises(MediaError, match=f"video codec {codec}.*ffmpeg -i") as caught:
            read_frames(data, [0.0])
        assert caught.value.reason is SkipReason.UNSUPPORTED
    with pytest.raises(MediaError, match="audio codec wavpack"):
        read_audio(sound(0.2, codec="wavpack", container="matroska"))


# ----------------------------------------------------------------------------------------------------------- truncation
def test_a_film_without_its_index(film):
    data = film.read_bytes()
    for share in (0.01, 0.3, 0.6):
        with pytest.raises(MediaError) as caught:
            probe(data[: int(share * len(data))])
        assert caught.value.reason is SkipReason.TRUNCATED


def test_a_cut_film_gives_what_is_there_and_nothing_else(fast_start):
    cut = fast_start[: int(0.6 * len(fast_start))]
    info = probe(cut)
    assert info.truncated
    assert 2.0 < info.duration_seconds < 6.5
    last = info.video.frames - 2
    assert numbers(read_frames(cut, [0.0, 1.0, last / 25]).pixels) == [0, 25, last]
    with pytest.raises(MediaError) as caught:
        read_frames(cut, [1.0, 7.5])
    assert caught.value.reason is SkipReason.TRUNCATED


CUT_SOUND = [("pcm_s16le", "wav"), ("flac", "flac"), ("aac", "matroska"), ("libopus", "webm"), ("pcm_s16le", "avi")]


@pytest.mark.parametrize(("codec", "container"), CUT_SOUND)
def test_cut_sound_is_noticed(codec, container):
    data = sound(4.0, codec=codec, container=container, rate=48_000)
    cut = data[: len(data) // 2]
    assert len(read_audio(cut, 0.5, 1.0)) == 16_000
    for asked in ((0.0, None), (0.5, 3.0), (3.0, 0.5)):
        with pytest.raises(MediaError) as caught:
            read_audio(cut, *asked)
        assert caught.value.reason is SkipReason.TRUNCATED


def test_damage_inside_sound_is_not_passed_over():
    data = bytearray(encode_flac(reference(4.0)))
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    with pytest.raises(MediaError) as caught:
        read_audio(bytes(data))
    assert caught.value.reason is SkipReason.TRUNCATED
    assert len(read_audio(bytes(data), 0.0, 1.0)) == 16_000
    for start in np.arange(1.6, 2.6, 0.1):  # wherever a range begins, loss is never turned into silence
        try:
            assert read_audio(bytes(data), start, 0.2)[:100].any()
        except MediaError as error:
            if error.reason is not SkipReason.TRUNCATED:
                raise


def test_tags_and_rubbish_around_mp3_are_harmless():
    data = sound(1.0, codec="libmp3lame", container="mp3", rate=44_100)
    tagged = data + b"TAG" + bytes(125) + b"APETAGEX" + bytes(200)
    assert abs(len(read_audio(tagged)) - 16_000) < 1500


def test_a_wav_from_a_pipe_has_no_size_but_all_its_sound():
    data = bytearray(encode_wav(reference(2.0)))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    np.testing.assert_array_equal(read_audio(bytes(data)), reference(2.0))
    assert not probe(bytes(data)).truncated


# ---------------------------------------------------------------------------------------------------- hostile headers
def patched(data, old, new):
    assert data.count(old) >= 1
    return data.replace(old, new)


def test_sizes_in_headers_are_checked_before_memory_is_taken():
    film = video(numbered(3, 48, 96), codec="mjpeg", container="matroska", pixel_format="yuvj420p")
    size = np.array([48, 96], ">u2").tobytes()
    huge = patched(film, b"\x08" + size, b"\x08\xff\xdc\xff\xdc")  # in each frame's own header: 65500 x 65500
    for call in (probe, lambda data: read_frames(data, [0.0])):
        with pytest.raises(MediaError):
            call(huge)
    still = encode_jpeg(numbered(1, 48, 96)[0])
    with pytest.raises(MediaError, match=r"pixels: .*4290250000.*at most 16,777,216") as caught:
        read_frames(patched(still, b"\x08" + size, b"\x08\xff\xdc\xff\xdc"), [0.0])
    assert caught.value.reason is SkipReason.OVER_LIMIT


@pytest.mark.parametrize(("place", "value", "name"), [(22, 200, "channels"), (24, 768_000, "sample rate")])
def test_wild_wav_headers(place, value, name):
    data = bytearray(encode_wav(reference(1.0)))
    data[place : place + 4] = value.to_bytes(4, "little") if place == 24 else value.to_bytes(2, "little") + data[24:26]
    for call in (probe, read_audio):
        with pytest.raises(MediaError) as caught:
            call(bytes(data))
        assert caught.value.reason in (SkipReason.OVER_LIMIT, SkipReason.TRUNCATED)
        assert place == 22 or name in str(caught.value)


def test_too_many_tracks():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as out:
        tracks = [out.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(70)]
        frame = av.AudioFrame.from_ndarray(reference(0.1)[None], "s16", "mono")
        frame.sample_rate = 16_000
        for track in tracks:
            out.mux(track.encode(frame))
    with pytest.raises(MediaError, match="streams: 70") as caught:
        probe(buffer.getvalue())
    assert caught.value.reason is SkipReason.OVER_LIMIT


def test_the_shortest_sound_and_film():
    assert len(read_audio(encode_wav(reference(1 / 16_000)))) == 1
    assert len(read_audio(sound(0.1, codec="aac", container="mp4"))) == 1600
    assert numbers(read_frames(video(numbered(1)), [0.0]).pixels) == [0]


def test_a_leap_in_time_does_not_fill_memory(tmp_path):
    path = tmp_path / "leap.mka"
    with av.open(str(path), "w", format="matroska") as out:
        track = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for stamp in (0, 16_000 * 100_000):
            frame = av.AudioFrame.from_ndarray(reference(0.5)[None], "s16", "mono")
            frame.sample_rate, frame.pts = 16_000, stamp
            out.mux(track.encode(frame))
    with pytest.raises(MediaError, match="decoded seconds") as caught:
        read_audio(path)
    assert caught.value.reason is SkipReason.OVER_LIMIT
    assert len(read_audio(path, 0.0, 2.0)) == 32_000


def test_frames_are_counted_against_memory(film):
    with pytest.raises(MediaError, match="resident bytes") as caught:
        read_frames(film, np.zeros(100), limits=Limits(resident_bytes=1_000_000))
    assert caught.value.reason is SkipReason.OVER_LIMIT
    with pytest.raises(MediaError, match="pixels"):
        read_frames(film, [0.0], shorter_side=4000)


def test_many_frames_per_second_are_refused():
    data = video(numbered(300, 16, 16), stamps=np.arange(300), options={"g": "300"})
    with pytest.raises(MediaError, match="frames per second: 1,000"):
        probe(data)
    with pytest.raises(MediaError, match="frames per second"):
        read_frames(data, [0.299])


def test_a_long_way_to_the_key_frame_is_limited():
    data = video(numbered(3), stamps=[0, 1000, 700_000], options={"g": "100"})
    with pytest.raises(MediaError, match="decoded seconds: 700") as caught:
        read_frames(data, [700.0])
    assert caught.value.reason is SkipReason.OVER_LIMIT
    assert numbers(read_frames(data, [400.0]).pixels) == [1]


def test_nothing_else_is_opened(tmp_path, film):
    """Watch every open and connection that Python sees, in a process of its own (audit hooks cannot be taken off)."""
    import subprocess

    (tmp_path / "playlist.m3u8").write_bytes(TEXTS["playlist.m3u8"])
    program = f"""
import sys
import seehear.media.frames, seehear.media.samples, seehear.media.probing, seehear.media.pictures
from seehear.errors import MediaError
from seehear.media import read_frames, read_audio, probe
seen = []
watched = ("open", "socket.connect")
sys.addaudithook(lambda event, args: seen.append((event, str(args[0]))) if event in watched else None)
for path in ({str(film)!r}, {str(tmp_path / "playlist.m3u8")!r}):
    for call in (probe, read_audio, lambda p: read_frames(p, [0.0])):
        try:
            call(path)
        except MediaError:
            pass
paths = {{path for _, path in seen if not path.endswith((".py", ".pyc", ".so"))}}
print(sorted(paths))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(sorted([str(film), str(tmp_path / "playlist.m3u8")]))
