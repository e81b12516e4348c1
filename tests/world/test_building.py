"""Builds: whole, equal whatever the number of processes, resumable, honest about bad folders."""

import errno
import json
import shutil

import numpy as np
import pytest

from seehear.errors import StorageError, UsageError
from seehear.media import read_audio, read_frames
from seehear.world import PRESETS, build, building, manifest, memory_clips

CLIPS = {"train": 8, "val": 1, "test": 1}


class StoppedError(Exception):
    """Stands for whatever ends a build from outside."""


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The unit preset, built by two processes."""
    root = tmp_path_factory.mktemp("unit") / "world"
    seen = []
    report = build(root, "unit", workers=2, progress=lambda done, total: seen.append((done, total)))
    return root, report, seen


@pytest.fixture
def small(tmp_path):
    """A few clips, for tests that damage them."""
    build(tmp_path / "world", "unit", clips=CLIPS, workers=1)
    return tmp_path / "world"


def content(root):
    return {p.relative_to(root): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_build_is_whole(unit):
    root, report, seen = unit
    assert (report.clips, report.made, report.reused) == (64, 64, 0)
    assert seen[0] == (0, 64)
    assert seen[-1] == (64, 64)
    for split, count in PRESETS["unit"].clips.items():
        records = manifest.read(root / split / manifest.MANIFEST)
        assert len(records) == count
        assert [item["truth"]["index"] for item in records] == list(range(count))
        assert sorted(p.name for p in (root / split / "clips").iterdir()) == sorted(
            item["file"].removeprefix("clips/") for item in records
        )
    sheet = json.loads((root / "DATASHEET.json").read_text())
    assert sheet["complete"]
    assert sheet["audit"]["status"] == "not audited"
    assert json.loads((root / "classes.json").read_text())[0]["name"] == "bell"
    assert not [p for p in root.rglob("*") if p.name.endswith(".tmp") or "partial" in p.name]


def test_files_show_and_sound_what_memory_holds(unit):
    root, _, _ = unit
    for clip in memory_clips("unit", "val", count=8):
        path = manifest.clip_path(root / "val", clip.id)
        times = [k * 2 / 25 for k in range(len(clip.pixels))]
        pixels = read_frames(path, times).pixels.astype(float)
        error = ((pixels - clip.pixels) ** 2).mean()
        assert 10 * np.log10(255**2 / error) > 26
        sound = read_audio(path).astype(float)[: len(clip.waveform)]
        assert np.corrcoef(sound, clip.waveform[: len(sound)])[0, 1] > 0.97
        assert abs(lag(sound, clip.waveform[: len(sound)].astype(float))) <= 16


def lag(heard, played):
    """Samples by which `heard` is late."""
    spectrum = np.fft.rfft(heard, 2**16) * np.conj(np.fft.rfft(played, 2**16))
    peak = int(np.fft.irfft(spectrum).argmax())
    return peak if peak < 2**15 else peak - 2**16


def test_building_again_does_nothing(unit):
    root, first, _ = unit
    before = content(root)
    again = build(root, "unit")
    assert (again.made, again.reused) == (0, 64)
    assert again.datasheet == first.datasheet
    assert content(root) == before


def test_a_stopped_build_goes_on_and_the_number_of_processes_changes_nothing(unit, tmp_path):
    def stop(done, _):
        if done >= 20:
            raise StoppedError

    with pytest.raises(StoppedError):
        build(tmp_path / "world", "unit", workers=1, progress=stop)
    assert not (tmp_path / "world" / "train" / "manifest.jsonl").exists()
    report = build(tmp_path / "world", "unit", workers=1)
    assert report.reused >= 20
    assert report.made + report.reused == 64
    assert content(tmp_path / "world") == content(unit[0])


def test_damaged_clips_and_torn_lines_are_made_again(small, tmp_path):
    whole = content(small)
    clips = sorted((small / "train" / "clips").iterdir())
    clips[0].write_bytes(b"half")
    clips[1].unlink()
    (small / "train" / "manifest.jsonl").rename(small / "train" / "manifest.partial.jsonl")
    with open(small / "train" / "manifest.partial.jsonl", "r+b") as file:
        file.truncate(file.seek(0, 2) - 100)  # the last record is torn
    report = build(small, "unit", clips=CLIPS, workers=1)
    assert report.made == 3
    assert content(small) == whole


def test_harder_views_are_built_and_taken_over(tmp_path):
    clips = {"train": 3, "test_ood": 3}
    build(tmp_path / "world", "base", level=2, size=64, seconds=1.6, clips=clips, workers=1)
    whole = content(tmp_path / "world")
    again = build(tmp_path / "world", "base", level=2, size=64, seconds=1.6, clips=clips, workers=1)
    assert (again.made, again.reused) == (0, 6)
    assert content(tmp_path / "world") == whole
    for split, level in (("train", 2), ("test_ood", 3)):
        facts = [item["truth"] for item in manifest.read(tmp_path / "world" / split / manifest.MANIFEST)]
        assert {fact["knobs"]["level"] for fact in facts} == {level}
        assert all(len(fact["occlusion"]) == len(fact["objects"]) for fact in facts)
        assert all((fact["board"] is not None) == (level == 3) for fact in facts)


def test_another_preset_or_seed_is_refused(small):
    with pytest.raises(UsageError, match=r"(?s)another world: preset .*delete"):
        build(small, "tiny")
    with pytest.raises(UsageError, match="seed 0; expected 1"):
        build(small, "unit", clips=CLIPS, seed=1)


def test_another_version_is_refused(small):
    sheet = json.loads((small / "DATASHEET.json").read_text())
    (small / "DATASHEET.json").write_text(json.dumps(sheet | {"world_version": -1}))
    with pytest.raises(StorageError, match=r"(?s)holds world version -1.*build into another folder"):
        build(small, "unit", clips=CLIPS)


def test_a_torn_datasheet_is_named(small):
    (small / "DATASHEET.json").write_text('{"world_ver')
    with pytest.raises(StorageError, match=r"DATASHEET\.json cannot be read"):
        build(small, "unit", clips=CLIPS)


def test_foreign_folders_and_files_are_left_alone(tmp_path):
    (tmp_path / "holiday.mp4").write_bytes(b"mine")
    with pytest.raises(StorageError, match=r"holds other things \(holiday.mp4\)"):
        build(tmp_path, "unit")
    with pytest.raises(StorageError, match="is a file"):
        build(tmp_path / "holiday.mp4", "unit")
    assert (tmp_path / "holiday.mp4").read_bytes() == b"mine"


def test_a_full_disk_is_said_and_the_build_goes_on_later(tmp_path, monkeypatch):
    def full(path, records):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building.manifest, "append", full)
        with pytest.raises(StorageError, match=r"(?s)No space left.*disk is full.*start the same build again"):
            build(tmp_path / "world", "unit", clips=CLIPS, workers=1)
    assert build(tmp_path / "world", "unit", clips=CLIPS, workers=1).clips == 10
    shutil.rmtree(tmp_path / "world")


def test_bad_options_leave_no_folder(tmp_path):
    for options in ({"preset": "tinny"}, {"level": 9}, {"workers": 0}, {"size": 7}, {"clips": 3}):
        with pytest.raises(UsageError):
            build(tmp_path / "world", **{"preset": "unit"} | options)
    assert not (tmp_path / "world").exists()


def test_a_damaged_journal_line_is_named(tmp_path):
    (tmp_path / "manifest.jsonl").write_text('{"a": 1}\n{"b\n{"c": 2}\n')
    with pytest.raises(StorageError, match="line 2 is damaged"):
        manifest.read(tmp_path / "manifest.jsonl")
    assert manifest.read(tmp_path / "nothing.jsonl") == []
