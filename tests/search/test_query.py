"""Queries from files, bytes and clips of the table: the vectors of the embedding pipeline, windows, and bad input."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seehear.errors import DataError, MediaError, UsageError
from seehear.media import Limits, Pool, encode_jpeg, encode_wav, write_video
from seehear.search import EmbeddedTable, Query, query_of_clip, query_of_file
from tests.search import made_tables

RATE = 16_000
ENCODER = made_tables.encoder()
WINDOW = ENCODER.method.needs.audio.seconds  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def pool():
    with Pool(1, limits=Limits.for_strangers()) as processes:
        yield processes


@pytest.fixture(scope="module")
def ask(pool: Pool) -> Callable[..., list[Query]]:
    def asked(source, kind, **options) -> list[Query]:
        return query_of_file(ENCODER, source, kind, pool=pool, **options)

    return asked


@pytest.fixture(scope="module")
def table(embedded_table: Path) -> EmbeddedTable:
    return EmbeddedTable(embedded_table)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, round(seconds * RATE)).astype(np.int16)


def vector(samples: np.ndarray) -> np.ndarray:
    """Of one window, by the encoder itself."""
    import torch

    from seehear.signals import waveform_from_int16

    found = ENCODER.encode_audio(waveform_from_int16(torch.from_numpy(samples)), RATE)
    return found.embedding[0].numpy()


def mean(*vectors: np.ndarray) -> np.ndarray:
    total = np.mean(vectors, axis=0)
    return total / np.linalg.norm(total)


def test_a_clips_own_sound_and_picture_give_its_own_vectors(table: EmbeddedTable, ask) -> None:
    stored = {query.modality: query.vector for query in query_of_clip(table, "clip003")}
    (heard,) = ask(encode_wav(table.sound_of(3)), "audio")
    (seen,) = ask(table.frames_of(3)[1], "image")
    assert (heard.modality, seen.modality) == ("audio", "image")
    assert float(heard.vector @ stored["audio"]) == pytest.approx(1, abs=1e-5)
    assert float(seen.vector @ stored["image"]) == pytest.approx(1, abs=1e-3)  # the frame in the middle may differ
    assert max(abs(np.linalg.norm(q.vector) - 1) for q in (heard, seen)) < 1e-5


def test_of_a_clip_both_together_come_first(table: EmbeddedTable) -> None:
    assert [query.modality for query in query_of_clip(table, "clip003")] == ["audiovisual", "audio", "image"]
    assert {query.clip for query in query_of_clip(table, "clip003")} == {"clip003"}
    assert [query.modality for query in query_of_clip(table, made_tables.ONLY_SOUND)] == ["audio"]
    assert [query.modality for query in query_of_clip(table, made_tables.ONLY_PICTURE)] == ["image"]


def test_without_a_vector_of_both_their_mean_stands_for_it(own_table: Path) -> None:
    one, other = np.eye(4)[0], np.eye(4)[1]
    made_tables.write(own_table, {"audio": [one] * 24, "image": [other] * 23 + [None]}, "x" * 16, "two")
    both, *_ = query_of_clip(EmbeddedTable(own_table), "clip003", "two")
    np.testing.assert_allclose(both.vector, mean(one, other), atol=1e-6)
    last = query_of_clip(EmbeddedTable(own_table), made_tables.ONLY_PICTURE, "two")
    assert [query.modality for query in last] == ["audio"]


def test_a_clip_without_any_vector_is_refused(own_table: Path) -> None:
    made_tables.write(own_table, {"audio": [None] + [np.eye(4)[0]] * 23}, "x" * 16, "holes")
    with pytest.raises(DataError, match=r"'clip000' has no vector.*seehear embed MODEL"):
        query_of_clip(EmbeddedTable(own_table), "clip000", "holes")


def test_a_long_sound_is_the_mean_over_its_windows(ask) -> None:
    sound, size = noise(2.5 * WINDOW), round(WINDOW * RATE)
    (query,) = ask(encode_wav(sound), "audio")
    expected = mean(vector(sound[:size]), vector(sound[size : 2 * size]), vector(sound[2 * size :]))
    np.testing.assert_allclose(query.vector, expected, atol=2e-5)
    assert query.seconds is None


def test_a_window_can_be_asked_with_alone(ask) -> None:
    sound = noise(3 * WINDOW)
    (query,) = ask(encode_wav(sound), "audio", at=1.0)
    np.testing.assert_allclose(query.vector, vector(sound[RATE : RATE + round(WINDOW * RATE)]), atol=2e-5)
    assert query.seconds == 1.0


def test_silent_windows_are_left_out(ask) -> None:
    sound, size = noise(WINDOW), round(WINDOW * RATE)
    (query,) = ask(encode_wav(np.concatenate([np.zeros(size, np.int16), sound])), "audio")
    np.testing.assert_allclose(query.vector, vector(sound), atol=2e-5)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Red, then green, with noise."""
    pixels = np.zeros((20, 64, 64, 3), np.uint8)
    pixels[:10, ..., 0], pixels[10:, ..., 1] = 200, 200
    return _written(tmp_path_factory.mktemp("videos") / "two.mp4", pixels, noise(2.0))


def _written(path: Path, pixels: np.ndarray, sound: np.ndarray | None) -> Path:
    write_video(path, pixels, 10, sound)
    return path


def test_a_video_gives_both_and_each_alone(video: Path, ask) -> None:
    queries = ask(video, "clip")
    assert [query.modality for query in queries] == ["audiovisual", "audio", "image"]
    assert [query.modality for query in ask(video, "audio")] == ["audio"]
    by_bytes = ask(video.read_bytes(), "clip")
    np.testing.assert_allclose(by_bytes[0].vector, queries[0].vector, atol=1e-6)


def test_a_video_asked_for_its_picture_gives_the_frame_at_that_second(video: Path, ask) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    (early,), (late,) = ask(video, "image", at=0.2), ask(video, "image", at=1.7)
    (still,) = ask(encode_jpeg(red), "image")
    assert early.vector @ still.vector > 0.99
    assert early.vector @ still.vector > late.vector @ still.vector


def test_a_clip_whose_sound_is_silent_is_its_picture(tmp_path: Path, ask) -> None:
    pixels = np.full((10, 64, 64, 3), 90, np.uint8)
    path = _written(tmp_path / "mute.mp4", pixels, np.zeros(RATE, np.int16))
    assert [query.modality for query in ask(path, "clip")] == ["image"]


def test_a_pool_of_its_own_is_made_where_none_is_given() -> None:
    assert len(query_of_file(ENCODER, encode_wav(noise(0.5)), "audio")) == 1


# ---------------------------------------------------------------------------------------------------------- bad input
def _refused(ask, source, kind: str, error: type[Exception], says: str, **options) -> None:
    with pytest.raises(error, match=says):
        ask(source, kind, **options)


def test_digital_silence_is_refused(ask, tmp_path: Path) -> None:
    silence = np.zeros(RATE, np.int16)
    _refused(ask, encode_wav(silence), "audio", DataError, "the sound: digital silence.*another file")
    _refused(ask, encode_wav(silence), "clip", DataError, "digital silence")
    half = encode_wav(np.concatenate([noise(WINDOW), np.zeros(round(WINDOW * RATE), np.int16)]))
    _refused(ask, half, "audio", DataError, "silence from 3.5 s on", at=WINDOW + 0.3)


def test_a_file_of_the_wrong_kind_is_named(ask, video: Path, tmp_path: Path) -> None:
    picture = encode_jpeg(np.full((40, 40, 3), 90, np.uint8))
    _refused(ask, picture, "audio", MediaError, "no audio track .a picture.*--image")
    _refused(ask, encode_wav(noise(0.2)), "image", MediaError, "no video track .sound only.*--audio")
    without = _written(tmp_path / "a.mp4", np.full((5, 32, 32, 3), 90, np.uint8), None)
    _refused(ask, without, "audio", MediaError, "a.mp4: no audio track .a video without sound")
    assert [query.modality for query in ask(without, "clip")] == ["image"]
    assert [query.modality for query in ask(picture, "clip")] == ["image"]


def test_a_broken_or_missing_file_is_named(ask, video: Path, tmp_path: Path) -> None:
    _refused(ask, b"", "audio", MediaError, "empty file")
    _refused(ask, b"just words, no media at all", "audio", MediaError, "not a media file")
    _refused(ask, tmp_path / "none.wav", "audio", MediaError, "unreadable path")
    _refused(ask, tmp_path, "image", MediaError, "not a regular file")
    jpeg = encode_jpeg(np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8))
    _refused(ask, jpeg[: len(jpeg) // 2], "image", MediaError, "truncated or damaged")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes())
    os.truncate(cut, cut.stat().st_size // 2)
    _refused(ask, cut, "clip", MediaError, "cut.mp4")


def test_a_huge_file_is_refused_by_its_limit(ask, tmp_path: Path) -> None:
    from dataclasses import replace

    small = replace(Limits.for_strangers(), file_bytes=1000)
    _refused(ask, encode_wav(noise(1.0)), "audio", MediaError, "over a limit .file bytes", limits=small)
    short = replace(Limits(), decoded_seconds=2.0)
    _refused(ask, encode_wav(noise(4.0)), "audio", MediaError, "at most 2 s to average over.*--at", limits=short)
    long = replace(Limits.for_strangers(), file_seconds=1.0)
    _refused(ask, encode_wav(noise(4.0)), "audio", MediaError, "over a limit", limits=long)


@pytest.mark.parametrize(
    ("kind", "at", "error", "says"),
    [
        ("audio", 9.0, MediaError, "second 9 of 1"),
        ("audio", -1.0, UsageError, "window at -1"),
        ("audio", float("nan"), UsageError, "window at nan"),
        ("sound", None, UsageError, "kind 'sound'"),
    ],
)
def test_a_second_or_kind_that_is_not_there(kind: str, at: float | None, error, says: str, ask) -> None:
    _refused(ask, encode_wav(noise(1.0)), kind, error, says, at=at)
