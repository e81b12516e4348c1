"""world, pack and doctor as a person and as a machine meet them, on a small world and on real recordings."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from seehear.cli import main
from seehear.world import PRESETS
from tests.cli.calls import failure, machine, people


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "unit"
    assert main(["world", str(folder), "--preset", "unit", "--clips", "32", "--workers", "1"]) == 0
    return folder


# ------------------------------------------------------------------------------------------------------------ the world
def test_a_finished_world_is_taken_over(small_world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = machine(capsys, "world", small_world, "--preset", "unit", "--clips", 32)
    assert (report["clips"], report["made"], report["reused"]) == (32, 0, 32)
    assert report["datasheet"]["complete"]
    said = people(capsys, "world", small_world, "--preset", "unit", "--clips", 32)
    assert "32 clips (16 train, 8 val, 8 test)" in said
    assert "all of them were there already" in said
    assert "shortcut audit: not audited (32 clips" in said
    assert f"next: seehear pack {small_world} {small_world}.lance" in said


def test_another_world_in_the_same_folder_is_refused(small_world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = failure(capsys, "world", small_world, "--preset", "unit", "--clips", 32, "--seed", 3)
    assert status == 2
    assert "seed 0; expected 3" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--preset", "unti"), "unknown preset 'unti'; expected one of"),
        (("--size", "100"), "picture size 100"),
        (("--level", "9"), "unknown level 9"),
        (("--clips", "3"), "3 clips"),
        (("--workers", "0"), "0 workers"),
    ],
)
def test_an_impossible_world_is_refused_before_it_begins(
    words: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, line = failure(capsys, "world", tmp_path / "out", *words)
    assert status == 2
    assert says in line
    assert not list(tmp_path.iterdir())


def test_the_help_of_world_names_every_preset(capsys: pytest.CaptureFixture[str]) -> None:
    said = people(capsys, "world", "--help")
    assert not [name for name in PRESETS if name not in said]


# ---------------------------------------------------------------------------------------------------- pack and doctor
def test_a_world_is_packed_and_looked_at(small_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "clips.lance"
    report = machine(capsys, "pack", small_world, table, "--frames", 2, "--size", 32, "--workers", 1)
    assert (report["clips"], report["skips"], report["splits"]) == (32, [], {"test": 8, "train": 16, "val": 8})
    assert (report["settings"]["frames"], report["settings"]["size"]) == (2, 32)
    facts = machine(capsys, "doctor", table)["table"]
    assert (facts["clips"], facts["with_audio"], facts["with_image"], facts["most_frames"]) == (32, 32, 32, 2)
    assert len(facts["classes"]) == 8
    assert facts["total_seconds"] == pytest.approx(32 * 1.6)
    assert "32 clips (8 test, 16 train, 8 val)" in people(capsys, "doctor", table)
    status, line = failure(capsys, "pack", small_world, table, "--frames", 3)
    assert status == 2
    assert "--overwrite" in line
    again = people(capsys, "pack", small_world, table, "--frames", 3, "--size", 32, "--workers", 1, "--overwrite")
    assert again.startswith("32 clips (8 test, 16 train, 8 val)")


def test_doctor_tells_what_the_machine_has(capsys: pytest.CaptureFixture[str]) -> None:
    facts = machine(capsys, "doctor")["machine"]
    assert facts["cores"] >= 1
    assert 0 < facts["free_memory_bytes"] <= facts["memory_bytes"]
    assert facts["free_disk_bytes"] > 0
    assert facts["devices"][-1]["device"] == "cpu"
    assert {"libx264", "aac"} <= set(facts["media"]["encoders"])
    assert {"mp4", "wav"} <= set(facts["media"]["containers"])
    assert all(facts["libraries"].values())
    said = people(capsys, "doctor")
    assert f"torch {facts['libraries']['torch']}" in said
    assert "warning" not in said.replace("warnings", "") or facts["warnings"]


@pytest.mark.parametrize(
    ("make", "status", "says"),
    [
        (lambda place: None, 3, "there is no folder"),
        (lambda place: place.mkdir(), 3, "holds no media (it is empty)"),
        (lambda place: (place.mkdir(), (place / "a.txt").touch()), 3, "holds no media (1 txt)"),
        (lambda place: place.write_text("hello"), 3, "is no media file by its name"),
    ],
)
@pytest.mark.parametrize("verb", ["pack", "doctor"])
def test_a_place_without_media_is_named(
    make: Any, status: int, says: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "media"
    make(place)
    before = sorted(tmp_path.rglob("*"))
    words = [verb, place, tmp_path / "out.lance"] if verb == "pack" else [verb, place]
    found, line = failure(capsys, *words)
    assert found == status
    assert says in line
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("these are words, not pictures\n" * 9)
    (folder / "notes.txt").write_text("notes")
    return folder


def test_what_cannot_be_used_is_listed_with_its_reason(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = machine(capsys, "doctor", broken, "--workers", 1)["folder"]
    assert (facts["files"], facts["readable"], facts["clips"]) == (2, 0, 0)
    assert facts["skipped"] == {"empty file": 1, "not a media file": 1}
    assert facts["left_aside"] == {"txt": 1}
    said = people(capsys, "doctor", broken, "--workers", 1)
    assert "skipped for audiovisual clips: 1 empty file, 1 not a media file" in said
    assert "left aside by name: 1 .txt" in said


def test_a_folder_of_broken_files_gives_no_table(
    broken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, line = failure(capsys, "pack", broken, tmp_path / "out.lance", "--workers", 1)
    assert status == 3
    assert "1 empty file, 1 not a media file" in line
    assert not list(tmp_path.iterdir())


# -------------------------------------------------------------------------------------------------------- real clips
def test_doctor_has_the_right_facts_of_real_recordings(real_clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The facts are those of the folder's README, and of the file formats themselves."""
    facts = machine(capsys, "doctor", real_clips)["folder"]
    each = {item["file"]: item for item in facts["each"]}
    silent = each["kinetics_dog_silent.mp4"]
    assert silent["info"]["audio"] is None
    assert [skip["reason"] for skip in silent["skips"]] == ["no audio track"]
    still = each["music_one_frame.mp4"]["info"]
    assert (still["kind"], still["video"]["frames"], round(still["audio"]["duration_seconds"])) == ("image", 1, 3)
    large = each["vggsound_KlsG1EnBEjc.mp4"]["info"]
    assert (large["video"]["width"], large["video"]["height"], large["video"]["frames"]) == (1280, 720, 299)
    assert large["video"]["last_frame_seconds"] == pytest.approx(9.94, abs=0.01)
    assert large["audio"]["duration_seconds"] == pytest.approx(10.008, abs=0.001)
    ordinary = each["audioset_00W1lcxW-WU.mp4"]["info"]
    assert (ordinary["video"]["frames_per_second"], ordinary["audio"]["sample_rate"]) == (12.5, 44100)
    sound = each["audioset_--BfvyPmVMo.wav"]
    assert (sound["info"]["kind"], [skip["reason"] for skip in sound["skips"]]) == ("audio", ["no video track"])
    assert each["kinetics_goat.mp4"]["info"]["audio"]["sample_rate"] == 48000
    assert facts["clips_by_modality"] == {"audiovisual": 4, "audio": 5, "image": 5, "any": 6}


def test_the_silent_clip_is_packed_for_its_pictures_only(
    real_clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    for name in ("kinetics_dog_silent.mp4", "music_one_frame.mp4"):
        shutil.copy(real_clips / name, folder)
    refused = machine(capsys, "pack", folder, tmp_path / "av.lance", "--workers", 1)
    assert (refused["clips"], refused["skipped"]) == (1, {"no audio track": 1})
    kept = machine(capsys, "pack", folder, tmp_path / "image.lance", "--modality", "image", "--workers", 1)
    assert (kept["clips"], kept["skipped"], kept["with_audio"]) == (2, {}, 0)


def test_a_second_stage_without_a_teacher_is_refused_at_once(capsys, tmp_path):
    words = ["pretrain", "mavil_tiny", "--method.stage", 2, "--data.table", "none.lance", "--out", tmp_path / "run"]
    status, line = failure(capsys, *words)
    assert status == 2
    assert "--teacher" in line
    assert not (tmp_path / "run").exists()
