"""The six real recordings: what each is known to hold, and the end-to-end promises on them."""

import numpy as np
import pytest

from seehear.errors import MediaError, SkipReason
from seehear.media import Pool, probe, read_audio, read_frames
from tests.media.making import lag

FACTS = {  # file: kind, video (codec, width, height, frames, rate, last frame), audio (codec, rate, channels, seconds)
    "audioset_00W1lcxW-WU.mp4": ("video", ("h264", 256, 144, 125, 12.5, 9.92), ("aac", 44_100, 2, 10.0)),
    "vggsound_KlsG1EnBEjc.mp4": ("video", ("h264", 1280, 720, 299, 29.97, 9.943), ("aac", 44_100, 2, 10.008)),
    "kinetics_goat.mp4": ("video", ("mpeg4", 256, 256, 150, 30.0, 4.967), ("aac", 48_000, 2, 5.0)),
    "kinetics_dog_silent.mp4": ("video", ("mpeg4", 256, 256, 150, 30.0, 4.967), None),
    "music_one_frame.mp4": ("image", ("h264", 257, 230, 1, 0.0, 0.0), ("aac", 16_000, 1, 3.0)),
    "audioset_--BfvyPmVMo.wav": ("audio", None, ("pcm_f32le", 16_000, 1, 10.0)),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts(real_clips, name):
    info = probe(real_clips / name)
    kind, video, audio = FACTS[name]
    assert (info.kind, info.truncated) == (kind, False)
    if video is None:
        assert info.video is None
    else:
        found = info.video
        assert (found.codec, found.width, found.height, found.frames) == video[:4]
        assert (found.frames_per_second, found.last_frame_seconds) == pytest.approx(video[4:], abs=5e-3)
        assert found.start_seconds == 0
    if audio is None:
        assert info.audio is None
    else:
        assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == audio[:3]
        assert info.audio.duration_seconds == pytest.approx(audio[3], abs=1e-3)
        assert info.audio.start_seconds == 0


@pytest.mark.parametrize("name", [name for name, facts in FACTS.items() if facts[2]])
def test_sound_has_the_length_that_the_facts_say_and_ranges_that_fit(real_clips, name):
    whole = read_audio(real_clips / name)
    assert len(whole) == pytest.approx(probe(real_clips / name).audio.duration_seconds * 16_000, abs=1)
    if name == "kinetics_goat.mp4":  # its sound track is digital silence
        assert not whole.any()
        return
    assert whole.std() > 10
    for start in (0.9, 2.2):
        begin = round(start * 16_000)
        part, same = read_audio(real_clips / name, start, 0.5), whole[begin : begin + 8000]
        assert len(part) == 8000
        assert lag(part, same) == 0
        assert np.corrcoef(part, same)[0, 1] > 0.999  # AAC draws noise of its own, so not bit for bit


def test_the_header_of_the_720p_clip_promises_more_than_there_is(real_clips):
    path = real_clips / "vggsound_KlsG1EnBEjc.mp4"
    frames = read_frames(path, [9.94, 9.95, 10.0], shorter_side=96)
    np.testing.assert_allclose(frames.seconds, [9.90990, 9.94327, 9.94327], atol=1e-4)
    assert np.abs(frames.pixels[0].astype(int) - frames.pixels[1]).mean() > 0
    assert len(read_audio(path, 9.0, 5.0)) == pytest.approx(1.008 * 16_000, abs=10)
    with pytest.raises(MediaError) as caught:
        read_frames(path, [13.3])  # 400 frames at 30 per second, as its header counts
    assert caught.value.reason is SkipReason.OUT_OF_RANGE


def test_one_time_alone_and_among_many_gives_the_same_frame(real_clips):
    for name in ("vggsound_KlsG1EnBEjc.mp4", "kinetics_goat.mp4", "audioset_00W1lcxW-WU.mp4"):
        times = np.linspace(0.1, 4.9, 7)
        together = read_frames(real_clips / name, times, shorter_side=64)
        assert np.all(together.seconds <= times)
        assert np.all(together.seconds > times - 0.081)
        for index in (2, 6):
            alone = read_frames(real_clips / name, times[index : index + 1], shorter_side=64)
            assert alone.seconds[0] == together.seconds[index]
            np.testing.assert_array_equal(alone.pixels[0], together.pixels[index])


def test_the_silent_clip_is_typed(real_clips):
    with pytest.raises(MediaError, match="no audio track") as caught:
        read_audio(real_clips / "kinetics_dog_silent.mp4")
    assert caught.value.reason is SkipReason.NO_AUDIO
    assert read_frames(real_clips / "kinetics_dog_silent.mp4", [2.5]).pixels.shape == (1, 256, 256, 3)


def test_the_one_frame_clip_is_a_picture_with_sound(real_clips):
    frames = read_frames(real_clips / "music_one_frame.mp4", [0.0, 1.5, 2.99])
    assert (frames.seconds == 0).all()
    np.testing.assert_array_equal(frames.pixels[0], frames.pixels[2])


def test_all_of_them_through_the_pool(real_clips):
    paths = [real_clips / name for name in FACTS]
    with Pool(2) as pool:
        found = list(pool.map(probe, paths))
    assert [info.kind for info in found] == [facts[0] for facts in FACTS.values()]
