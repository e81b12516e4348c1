"""The encoder: arrays and files in, features out, errors that cure."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear import media
from seehear.contracts import AudioNeed, Needs
from seehear.errors import DataError, MediaError, StorageError, UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.weights import Encoder, load
from seehear.weights.file_windows import covering

INPUTS = InputConfig(audio_seconds=1.0, mel_bins=16, audio_frames=96, image_height=16, image_width=24)
TINY = Config(
    inputs=INPUTS,
    patch=8,
    width=16,
    depth=1,
    heads=2,
    masking=MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=ReconstructionConfig(fusion_depth=1, width=8, depth=1, heads=2),
)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(AVSiam(TINY))


def _tone(sample_rate: int, seconds: float = 1.0) -> torch.Tensor:
    time = torch.arange(round(sample_rate * seconds)) / sample_rate
    return 0.4 * torch.sin(2 * torch.pi * 440 * time)


def test_the_same_sound_at_another_rate_gives_the_same_embedding(encoder: Encoder):
    one = encoder.encode_audio(_tone(16_000), 16_000).embedding
    other = encoder.encode_audio(_tone(44_100)[None], 44_100).embedding
    assert one.shape == (1, 16)
    assert (one * other).sum().item() > 0.999


def test_a_short_sound_is_padded_and_a_long_one_cut(encoder: Encoder):
    sound = _tone(16_000, 3.0)
    whole = encoder.encode_audio(sound, 16_000).tokens
    torch.testing.assert_close(whole, encoder.encode_audio(sound[:16_000], 16_000).tokens)
    assert encoder.encode_audio(sound[:8000], 16_000).tokens.shape == whole.shape


def test_pictures_of_any_size_are_fitted(encoder: Encoder):
    picture = torch.full((3, 32, 48), 200, dtype=torch.uint8)
    big, small = (encoder.encode_frames(p).embedding for p in (picture, picture[:, :16, :24]))
    torch.testing.assert_close(big, small)


def test_files_give_what_they_hold(encoder: Encoder, tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 255, (10, 32, 48, 3), dtype=np.uint8)
    sound = (_tone(16_000).numpy() * 32_767).astype(np.int16)
    media.write_video(tmp_path / "both.mp4", pixels, Fraction(10), sound)
    media.write_video(tmp_path / "silent.mp4", pixels, Fraction(10))
    media.write_flac(tmp_path / "sound.flac", sound)
    both, silent, heard = encoder.encode_files(tmp_path / name for name in ("both.mp4", "silent.mp4", "sound.flac"))
    assert set(both) == {"audio", "image", "audiovisual"}
    assert set(silent) == {"image"}
    from_samples = encoder.encode_audio(torch.from_numpy(sound / np.float32(32_768)), 16_000).embedding
    torch.testing.assert_close(heard["audio"].embedding, from_samples)
    torch.testing.assert_close(both["image"].embedding, silent["image"].embedding)


def test_files_come_back_in_order_and_as_if_each_were_alone(encoder: Encoder, tmp_path: Path):
    rng, names = np.random.default_rng(3), []
    for number in range(11):  # more than go together
        sound = (0.1 * rng.normal(size=8_000 + 500 * number) * 32_767).astype(np.int16)
        pixels = rng.integers(0, 256, size=(4, 32, 48, 3), dtype=np.uint8)
        names.append(tmp_path / (f"{number}.flac" if number % 3 == 0 else f"{number}.mp4"))
        if number % 3 == 0:
            media.write_flac(names[-1], sound)
        else:
            media.write_video(names[-1], pixels, Fraction(10), sound if number % 3 == 1 else None)
    together, alone = encoder.encode_files(names), [encoder.encode_files([name])[0] for name in names]
    for found, expected in zip(together, alone, strict=True):
        assert set(found) == set(expected)
        for modality, features in found.items():
            assert features.tokens.shape == expected[modality].tokens.shape
            torch.testing.assert_close(features.embedding, expected[modality].embedding, atol=1e-6, rtol=0)
            torch.testing.assert_close(features.tokens, expected[modality].tokens, atol=1e-5, rtol=1e-5)


def test_channels_are_averaged(encoder: Encoder):
    left, right = _tone(16_000), torch.randn(16_000) / 10
    both = encoder.encode_audio(torch.stack([left, right])[None], 16_000).embedding
    torch.testing.assert_close(both, encoder.encode_audio((left + right) / 2, 16_000).embedding)


def test_more_clips_than_go_together_come_back_in_order(encoder: Encoder):
    sounds = torch.randn(19, 4_000, generator=torch.Generator().manual_seed(5)) / 10
    together = encoder.encode_audio(sounds, 16_000)
    assert together.tokens.shape[0] == 19
    for row in (0, 8, 18):
        alone = encoder.encode_audio(sounds[row], 16_000).embedding[0]
        torch.testing.assert_close(together.embedding[row], alone, atol=1e-6, rtol=0)


def _long(path: Path, seconds: float, sound_seconds: float) -> np.ndarray:
    """A film whose every frame differs, with sound that ends earlier."""
    rng = np.random.default_rng(7)
    pixels = np.repeat(rng.integers(0, 255, (round(seconds * 10), 4, 6, 3), dtype=np.uint8), 8, axis=1).repeat(
        8, axis=2
    )
    sound = rng.integers(-9_000, 9_000, round(sound_seconds * 16_000)).astype(np.int16)
    media.write_video(path, pixels, Fraction(10), sound)
    return sound


def test_a_long_file_is_heard_to_its_end_in_windows(encoder: Encoder, tmp_path: Path):
    _long(tmp_path / "long.mp4", 4.3, 2.5)
    (found,) = encoder.encode_files([tmp_path / "long.mp4"])
    length = media.probe(tmp_path / "long.mp4").duration_seconds
    np.testing.assert_allclose(found.start_seconds, [0, 1, 2, 3, length - 1], atol=1e-6)
    np.testing.assert_allclose(found.duration_seconds, 1.0, atol=1e-6)
    assert found.windows["image"].tolist() == [0, 1, 2, 3, 4]
    assert found.windows["audio"].tolist() == found.windows["audiovisual"].tolist() == [0, 1, 2]
    for place, start in enumerate(found.start_seconds[:3]):
        heard = torch.from_numpy(media.read_audio(tmp_path / "long.mp4", float(start), 1.0) / np.float32(32_768))
        expected = encoder.encode_audio(heard, 16_000).embedding[0]
        torch.testing.assert_close(found["audio"].embedding[place], expected, atol=1e-6, rtol=0)
    shown = media.read_frames(tmp_path / "long.mp4", found.start_seconds + 0.5).pixels
    expected = encoder.encode_frames(torch.from_numpy(shown).permute(0, 3, 1, 2)).embedding
    torch.testing.assert_close(found["image"].embedding, expected, atol=1e-6, rtol=0)


def test_one_vector_for_a_file_is_the_normalised_mean_of_its_windows(encoder: Encoder, tmp_path: Path):
    sound = _long(tmp_path / "long.mp4", 3.0, 3.0)
    media.write_flac(tmp_path / "long.flac", sound)
    (found,) = encoder.encode_files([tmp_path / "long.flac"], hop=0.5, tokens=False)
    np.testing.assert_allclose(found.start_seconds, [0, 0.5, 1, 1.5, 2])
    assert found["audio"].tokens.shape == (5, 0, 16)
    mean = found["audio"].embedding.mean(dim=0)
    torch.testing.assert_close(found.embedding("audio"), mean / mean.norm())
    with pytest.raises(DataError, match="has no image embedding"):
        found.embedding("image")
    with pytest.raises(UsageError, match="every -1"):
        encoder.encode_files([tmp_path / "long.flac"], hop=-1.0)


@given(st.floats(0.0, 30.0), st.floats(0.2, 3.0), st.floats(0.1, 1.0))
def test_windows_leave_nothing_out(duration: float, window: float, part: float):
    spans = covering(duration, window, window * part)
    ends = [span.start_seconds + span.duration_seconds for span in spans]
    assert spans[0].start_seconds == 0
    assert all(span.duration_seconds <= window + 1e-5 for span in spans)
    assert all(span.start_seconds <= end + 1e-5 for span, end in zip(spans[1:], ends, strict=False))
    assert ends[-1] == pytest.approx(duration, abs=1e-5)


def test_features_may_be_learnt_from(encoder: Encoder):
    features = encoder.encode_audio(_tone(16_000), 16_000)
    head = torch.nn.Linear(features.pooled.shape[1], 2)
    head(features.pooled).sum().backward()
    torch.testing.assert_close(head.weight.grad[0], features.pooled[0])


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_lower_precision_stays_near(encoder: Encoder, precision: str):
    other = Encoder(encoder.method, precision=precision)
    one, near = (e.encode_audio(_tone(16_000), 16_000).embedding for e in (encoder, other))
    assert torch.cosine_similarity(one, near).item() >= 0.999
    assert not torch.equal(one, near)


def test_a_file_without_what_the_method_reads_gives_nothing(tmp_path: Path, monkeypatch):
    encoder = Encoder(AVSiam(TINY))
    monkeypatch.setattr(AVSiam, "needs", Needs(audio=AudioNeed(1.0)))
    media.write_video(tmp_path / "silent.mp4", np.zeros((4, 32, 48, 3), np.uint8), Fraction(10))
    assert encoder.encode_files([tmp_path / "silent.mp4"]) == [{}]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.encode_audio(torch.zeros(1, 100, 2), 16_000), r"sound of shape \(1, 100, 2\)"),
        (lambda e: e.encode_audio(torch.zeros(0), 16_000), r"sound of shape \(0,\)"),
        (lambda e: e.encode_audio(torch.full((100,), torch.nan), 16_000), "NaN"),
        (lambda e: e.encode_frames(torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)), r"\(1, 2, 3, 8, 8\)"),
        (lambda e: e.encode_audio(torch.zeros(100, dtype=torch.int16), 16_000), r"torch\.int16.*floating-point"),
        (lambda e: e.encode_frames(torch.zeros(3, 8, 8)), r"torch\.float32.*uint8"),
        (lambda e: e.encode_frames(torch.zeros(8, 8, 3, dtype=torch.uint8)), r"\[B, 3, H, W\]"),
    ],
)
def test_arrays_of_another_kind_are_refused(encoder: Encoder, call, message):
    with pytest.raises(UsageError, match=message):
        call(encoder)


def test_files_that_are_none_are_refused(encoder: Encoder, tmp_path: Path):
    (tmp_path / "notes.mp4").write_text("no film")
    with pytest.raises(MediaError, match=r"notes\.mp4"):
        encoder.encode_files([tmp_path / "notes.mp4"])


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path):
    with pytest.raises(StorageError):
        load(tmp_path)
