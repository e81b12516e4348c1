"""R0's loader gives what its description says, and the benchmark's media are what they claim to be."""

import av
import numpy as np
import pytest
import torch
from torch.nn import functional

from benchmarks import loader_media, loader_rival
from seehear import signals
from seehear.media import probe, read_audio, read_frames


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("media") / "clips"
    loader_media.make(place, "own", 1, 64, 48)
    return place


def test_every_frame_is_decoded_and_one_of_ten_kept(folder):
    video, sound = folder / "clip0000.mp4", folder.with_suffix(".wav") / "clip0000.wav"
    frames = loader_rival.every_frame(video)
    assert frames.shape == (300, 3, 48, 64)
    places = np.linspace(0, 299, 10).astype(int)
    for draw, place in ((0.0, places[0]), (0.35, places[3]), (0.99, places[9])):
        kept, mel = loader_rival.load(video, sound, draw)
        one = frames[place : place + 1].float() / 255
        resized = functional.interpolate(one, size=(224, 224), mode="bicubic", antialias=True)
        torch.testing.assert_close(kept, signals.normalize_image(resized)[0])
        ours = read_frames(video, [(place + 0.5) / 30]).pixels[0].astype(int)
        assert (
            np.abs(frames[place].permute(1, 2, 0).numpy().astype(int) - ours).mean() < 3
        )  # chroma is blurred otherwise
        assert mel.shape == (1024, 128)


def test_its_sound_is_that_of_the_clip(folder):
    found = loader_rival.spectrogram(folder.with_suffix(".wav") / "clip0000.wav")
    waveform = torch.from_numpy(loader_media.sound(0, 16_000))[None]
    mel = signals.fbank(waveform)
    padded = torch.cat([mel, torch.zeros(1, 1024 - mel.shape[1], 128)], dim=1)
    torch.testing.assert_close(found, signals.normalize_spectrogram(padded)[0])
    heard = read_audio(folder / "clip0000.mp4").astype(float)
    assert np.corrcoef(heard, waveform[0].numpy())[0, 1] > 0.9


@pytest.mark.parametrize("kind", sorted(loader_media.KINDS))
def test_media_are_ten_seconds_with_a_key_frame_each_second(kind, tmp_path):
    (path,) = loader_media.make(tmp_path / "clips", kind, 1, 64, 48)
    facts = probe(path)
    assert (facts.video.frames, facts.video.frames_per_second) == (300, pytest.approx(30))
    assert facts.audio.duration_seconds == pytest.approx(10, abs=0.05)
    assert facts.header_tells
    with av.open(str(path)) as container:
        stamps = [float(p.pts * p.time_base) for p in container.demux(video=0) if p.size and p.is_keyframe]
    assert stamps == pytest.approx(list(range(10)))
