"""`seehear localize`: video, sheet and numbers of a clip; and of what it cannot be done with, why not."""

import json
from pathlib import Path

import numpy as np
import pytest

from seehear import media
from seehear.errors import UsageError
from seehear.runs.localizing import localize
from seehear.runs.stretch import check_reads_both
from tests.cli.calls import failure, machine, people
from tests.runs import planted

MODEL = ("--model", "avsiam-world")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "clip.mp4"
    planted.write_planted(path, silent=(2.0, 3.0))
    return path


class _Quiet:
    """Shows nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def progress(self, label, total=None, unit="clips"):
        """Nothing."""
        from contextlib import nullcontext

        return nullcontext(lambda done, total=None, note="": None)


def test_the_planted_square_is_warm_in_the_video(clip: Path, tmp_path: Path) -> None:
    """Colour comes to the sounding square alone; where it is silent the frame is the clip's own; the sound stays."""
    found = localize(planted.encoder(planted.Bright()), clip, tmp_path / "heat.mp4", _Quiet())
    times = np.array([0.25, 1.25, 2.5, 3.6])
    before, after = (media.read_frames(path, times).pixels.astype(float) for path in (clip, tmp_path / "heat.mp4"))
    change = np.abs(after - before).mean(axis=3)
    side = planted.SIZE // planted.CELLS
    cells = change.reshape(4, planted.CELLS, side, planted.CELLS, side).mean(axis=(2, 4))
    for number in (0, 1, 3):
        row, column = planted.square_at(float(times[number]))
        assert divmod(int(cells[number].argmax()), planted.CELLS) == (row, column)
        assert cells[number, row, column] > 20
    assert cells[2].max() < 4
    assert found.silent == ((2.0, 3.0),)
    heard = [media.read_audio(path)[1000:30_000].astype(float) for path in (clip, tmp_path / "heat.mp4")]
    assert np.corrcoef(*heard)[0, 1] > 0.99
    assert media.probe(tmp_path / "heat.mp4").video.frames == 40  # type: ignore[union-attr]


def test_it_writes_video_sheet_and_numbers(clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "heat.mp4"
    found = machine(capsys, "localize", clip, *MODEL, "-o", out, "--hop", 0.5, "--from-seconds", 1)
    assert found == json.loads((tmp_path / "heat.json").read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heat.json", "heat.mp4", "heat.png"]
    assert (tmp_path / "heat.png").read_bytes().startswith(b"\x89PNG")
    assert (found["from_seconds"], found["to_seconds"], found["hop_seconds"]) == (1.0, 4.0, 0.5)
    assert [tile["silent"] for tile in found["tiles"]] == [False, False, True, True, False, False]
    for tile in found["tiles"]:
        assert tile["silent"] == (tile["peak"] is None) == (tile["score"] is None)
        assert tile["silent"] or (max(tile["peak"]) < 1 and tile["mean"] <= tile["score"])
        assert 1.0 <= tile["sound_from_seconds"] < tile["sound_to_seconds"] <= 4.0
    assert found["model"] == "avsiam-world"
    assert "generated" in found["knows"]
    assert media.probe(out).duration_seconds == pytest.approx(3.0, abs=0.1)
    status, line = failure(capsys, "localize", clip, *MODEL, "-o", out)
    assert status == 5
    assert "--overwrite" in line
    said = people(capsys, "localize", clip, *MODEL, "-o", out, "--overwrite", "--size", 32)
    assert "silent" in said
    assert "Silent, and so without a map: 2.00 to 3.00 s." in said
    assert media.probe(out).video.width == 32  # type: ignore[union-attr]


def test_one_picture_with_sound_is_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tone = (5000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
    media.write_video(tmp_path / "one.mp4", np.full((1, 48, 64, 3), 90, np.uint8), 25, tone)
    found = machine(capsys, "localize", tmp_path / "one.mp4", *MODEL, "-o", tmp_path / "heat.mp4")
    assert [tile["silent"] for tile in found["tiles"]] == [False, False]
    assert media.probe(tmp_path / "heat.mp4").video.frames == 10  # type: ignore[union-attr]


def _without_sound(path: Path) -> None:
    media.write_video(path, np.zeros((5, 32, 32, 3), np.uint8), 5)


def _only_sound(path: Path) -> None:
    path.write_bytes(media.encode_wav(np.ones(16_000, np.int16)))


def _muted(path: Path) -> None:
    media.write_video(path, np.zeros((5, 32, 32, 3), np.uint8), 5, np.zeros(16_000, np.int16))


def _picture(path: Path) -> None:
    path.write_bytes(media.encode_jpeg(np.zeros((32, 32, 3), np.uint8)))


@pytest.mark.parametrize(
    ("make", "status", "says"),
    [
        (_without_sound, 3, "no audio track (a video without sound)"),
        (_picture, 3, "no audio track (a still picture)"),
        (_only_sound, 3, "no video track (sound only)"),
        (_muted, 3, "nothing is to be heard in it"),
        (lambda path: path.touch(), 3, "empty file"),
        (lambda path: path.write_text("these are words, not pictures\n" * 9), 3, "not a media file"),
        (lambda path: None, 3, "unreadable path"),
    ],
)
def test_a_clip_that_will_not_do_is_one_clear_line(
    make, status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clip.mp4"
    make(path)
    found, line = failure(capsys, "localize", path, *MODEL, "-o", tmp_path / "heat.mp4")
    assert (found, says in line) == (status, True), line
    assert not list(tmp_path.glob("*heat*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "heat.avi"), "a name that ends in .mp4"),
        (("-o", "nowhere/heat.mp4"), "is no folder"),
        (("--size", "8"), "at least 16"),
        (("--hop", "0"), "at least 0.05 s"),
        (("--from-seconds", "9"), "hold nothing"),
    ],
)
def test_wrong_words_write_nothing(
    words: tuple[str, ...], says: str, clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, line = failure(capsys, "localize", clip, *MODEL, *words)
    assert says in line
    assert not list(tmp_path.iterdir())


def test_the_clip_itself_is_not_written_over(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = clip.read_bytes()
    _, line = failure(capsys, "localize", clip, *MODEL, "-o", clip, "--overwrite")
    assert "is the clip itself" in line
    assert clip.read_bytes() == before


def test_a_model_that_does_not_both_hear_and_see_is_refused() -> None:
    from seehear.contracts import FrameNeed, Needs

    class Deaf(planted.Bright):
        @property
        def needs(self) -> Needs:
            return Needs(frames=FrameNeed(1, 32, 32))

    with pytest.raises(UsageError, match="planted reads no sound; expected a model of sound and pictures"):
        check_reads_both(Deaf(), "planted")


def test_real_clips_are_localized_or_refused(
    real_clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one with a silent sound track is refused for that, the still picture with sound is a clip."""
    _, line = failure(capsys, "localize", real_clips / "kinetics_goat.mp4", *MODEL, "-o", tmp_path / "a.mp4")
    assert "nothing is to be heard" in line
    _, line = failure(capsys, "localize", real_clips / "kinetics_dog_silent.mp4", *MODEL, "-o", tmp_path / "a.mp4")
    assert "no audio track" in line
    still = machine(capsys, "localize", real_clips / "music_one_frame.mp4", *MODEL, "-o", tmp_path / "a.mp4")
    assert len(still["tiles"]) == 6
    words = ("--from-seconds", 2, "--to-seconds", 4, "--size", 96)
    found = machine(
        capsys, "localize", real_clips / "audioset_00W1lcxW-WU.mp4", *MODEL, "-o", tmp_path / "b.mp4", *words
    )
    assert [tile["middle_seconds"] for tile in found["tiles"]] == [2.25, 2.75, 3.25, 3.75]
