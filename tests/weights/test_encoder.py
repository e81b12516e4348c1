"""The encoder: arrays and files in, features out, errors that cure."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from seehear import media
from seehear.contracts import AudioNeed, Needs
from seehear.errors import MediaError, StorageError, UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.weights import Encoder, load

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
        (lambda e: e.encode_audio(torch.zeros(1, 2, 100), 16_000), r"sound of shape \(1, 2, 100\)"),
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
