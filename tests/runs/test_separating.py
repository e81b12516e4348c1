"""Mixtures taken apart: windows that join without a seam, regions where they belong, figures of known sounds."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seehear import media
from seehear.errors import DataError, MediaError, StorageError, UsageError
from seehear.metrics.separation import bss_eval
from seehear.runs.regions import cropped, peaks
from seehear.runs.separating import separate
from seehear.runs.sounding_maps import SoundingMaps
from seehear.runs.taking_apart import take_apart, window_starts
from tests.runs import planted


class Quiet:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, label: str, total: int | None = None, unit: str = "clips") -> Any:
        """Nothing."""
        return nullcontext(lambda done, total=None, note="": None)


class Echo(planted.Bright):
    """Gives each window back, as many times as its picture is bright."""

    def separate(self, mixture: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
        """`[B, S]`."""
        return mixture * frames.float().mean(dim=(1, 2, 3, 4))[:, None]


def _brightness(seconds: np.ndarray) -> np.ndarray:
    levels = (20 * seconds).round().astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), 8, 8, 3))


@pytest.mark.parametrize("samples", [5_000, 16_000, 16_001, 41_234])
def test_windows_join_as_a_slow_loop_joins_them(samples: int) -> None:
    mixture = np.random.default_rng(samples).normal(size=samples).astype(np.float32)
    found = take_apart(Echo(), "echo", mixture, [_brightness, lambda s: _brightness(s * 0 + 0.05)])
    length, total, weights = min(samples, 16_000), np.zeros(samples), np.zeros(samples)
    for start in window_starts(samples, 16_000):
        gain = round(20 * (start + length / 2) / 16_000)
        for at in range(length):
            weight = min(at + 1, length - at)
            total[start + at] += weight * gain * mixture[start + at]
            weights[start + at] += weight
    np.testing.assert_allclose(found[0], total / weights, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found[1], mixture, rtol=1e-5, atol=1e-5)


def test_every_sample_lies_in_a_window() -> None:
    for samples in (1, 9, 10, 11, 14, 15, 16, 99):
        starts = window_starts(samples, 10)
        covered = set().union(*(range(start, min(start + 10, samples)) for start in starts))
        assert covered == set(range(samples))
        assert all(start + 10 <= samples for start in starts) or samples < 10


def test_peaks_lie_apart_and_around_the_greatest_places() -> None:
    mean = np.zeros((4, 4), np.float32)
    mean[0, 0], mean[0, 1], mean[3, 2] = 5, 4, 3
    maps = SoundingMaps(
        0.5, np.array([0, 0.5, 1.0]), np.zeros(2), 1.0, np.array([False, True]), np.stack([mean, mean * np.nan]),
        (0.0, 0.0, 1.0, 1.0),
    )  # fmt: skip
    assert peaks(maps, 2) == [(0.0, 0.0, 0.5, 0.5), (0.375, 0.5, 0.875, 1.0)]
    with pytest.raises(UsageError, match="no place of the map is left"):
        peaks(maps, 9)


def test_a_region_is_cut_out() -> None:
    pictures = np.arange(4 * 8 * 3, dtype=np.uint8).reshape(1, 4, 8, 3)
    np.testing.assert_array_equal(cropped(pictures, (0.5, 0.0, 1.0, 0.5)), pictures[:, :2, 4:])
    assert cropped(pictures[:, :1, :1], (0.5, 0.5, 1.0, 1.0)).shape == (1, 1, 1, 3)


def test_two_clips_are_mixed_and_taken_apart(tmp_path: Path) -> None:
    planted.write_tone(tmp_path / "red.mp4", planted.RED, 400, 2.0)
    planted.write_tone(tmp_path / "blue.mp4", planted.BLUE, 3000, 3.0)
    clips = (tmp_path / "red.mp4", tmp_path / "blue.mp4")
    found = separate(planted.encoder(planted.Sides()), clips, tmp_path / "out", Quiet())
    assert found.seconds == pytest.approx(2.0, abs=0.05)
    assert "both were cut to 2.0" in found.notes[0]
    assert json.loads((tmp_path / "out" / "separation.json").read_text())["seconds"] == found.seconds
    names = {
        "mixture.wav",
        "separation.json",
        "separation.png",
        *(f"source_{k}.{e}" for k in "12" for e in ("wav", "png")),
    }
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"true_1.wav", "true_2.wav"}
    true, own = (
        np.stack([media.read_audio(tmp_path / "out" / f"{kind}_{k}.wav") for k in (1, 2)]) / 32768
        for kind in ("true", "source")
    )
    mixture = media.read_audio(tmp_path / "out" / "mixture.wav") / 32768
    assert np.abs(mixture - true.sum(axis=0)).max() < 1e-3
    sdr, floor = bss_eval(true, own)[0], bss_eval(true, np.stack([mixture] * 2))[0]
    for k, source in enumerate(found.sources):
        assert source.sdr == pytest.approx(sdr[k], abs=1.0)
        assert source.mixture_sdr == pytest.approx(floor[k], abs=0.1)
        assert source.sdr > source.mixture_sdr + 20
    with pytest.raises(StorageError, match="--overwrite"):
        separate(planted.encoder(planted.Sides()), clips, tmp_path / "out", Quiet())


def test_what_would_clip_is_written_quieter_and_said_so(tmp_path: Path) -> None:
    planted.write_tone(tmp_path / "red.mp4", planted.RED, 400, 1.0, size=30_000)
    planted.write_tone(tmp_path / "blue.mp4", planted.BLUE, 3000, 1.0, size=30_000)
    clips = (tmp_path / "red.mp4", tmp_path / "blue.mp4")
    found = separate(planted.encoder(planted.Sides()), clips, tmp_path / "out", Quiet())
    assert 0.45 < found.gain < 0.7
    assert any("full scale" in note for note in found.notes)
    written = media.read_audio(tmp_path / "out" / "mixture.wav").astype(int)
    assert 32_000 < np.abs(written).max() <= 32_767


def test_the_halves_of_a_duet(tmp_path: Path) -> None:
    planted.write_duet(tmp_path / "duet.mp4")
    encoder, clips = planted.encoder(planted.Sides()), (tmp_path / "duet.mp4",)
    found = separate(encoder, clips, tmp_path / "out", Quiet(), regions="halves", from_seconds=0.5)
    assert [source.region for source in found.sources] == [(0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)]
    assert [source.sdr for source in found.sources] == [None, None]
    for k, hertz in ((1, 400), (2, 3000)):
        sound = media.read_audio(tmp_path / "out" / f"source_{k}.wav").astype(float)
        assert np.abs(np.fft.rfft(sound)).argmax() * 16_000 / len(sound) == pytest.approx(hertz, abs=2)
        colour = media.read_frames(tmp_path / "out" / f"source_{k}.png", [0.0]).pixels[0].mean(axis=(0, 1))
        assert int(colour.argmax()) == (0 if k == 1 else 2)


def test_peaks_of_the_models_own_map(tmp_path: Path) -> None:
    planted.write_planted(tmp_path / "clip.mp4")
    found = separate(planted.encoder(planted.Sides()), (tmp_path / "clip.mp4",), tmp_path / "out", Quiet())
    assert found.regions == "peaks"
    assert len({source.region for source in found.sources}) == 2


def test_what_cannot_be_separated_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    planted.write_tone(tmp_path / "red.mp4", planted.RED, 400, 1.0)
    media.write_video(tmp_path / "mute.mp4", np.zeros((5, 32, 32, 3), np.uint8), 5)
    (tmp_path / "broken.mp4").write_bytes(b"no media at all" * 99)
    encoder, out, red = planted.encoder(planted.Sides()), tmp_path / "out", tmp_path / "red.mp4"
    with pytest.raises(UsageError, match=r"planted separates nothing; expected a model that .*OneAVM"):
        separate(planted.encoder(planted.Bright()), (red,), out, Quiet())
    with pytest.raises(MediaError, match="no audio track"):
        separate(encoder, (red, tmp_path / "mute.mp4"), out, Quiet())
    with pytest.raises(MediaError, match="not a media file"):
        separate(encoder, (tmp_path / "broken.mp4",), out, Quiet())
    with pytest.raises(UsageError, match="1 to 4 peaks"):
        separate(encoder, (red,), out, Quiet(), count=5)
    with pytest.raises(StorageError, match="is no folder"):
        separate(encoder, (red,), red, Quiet())
    assert not out.exists()


def test_estimates_that_are_no_numbers_are_refused() -> None:
    class Broken(Echo):
        def separate(self, mixture: torch.Tensor, frames: torch.Tensor) -> torch.Tensor:
            return mixture * float("nan")

    with pytest.raises(DataError, match="NaN"):
        take_apart(Broken(), "broken", np.ones(100, np.float32), [_brightness])
