"""Builds: whole, equal whatever the number of processes, resumable, honest about bad folders."""

import errno
import io
import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from seehear.errors import StorageError, UsageError
from seehear.media import atomic, encoders, probe, read_audio, read_frames
from seehear.world import PRESETS, build, memory_clips
from seehear.world.disk import building, manifest

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
    with pytest.raises(UsageError, match=r"(?s)another world: preset .*track A.*expected .*track J"):
        build(small, "unit", clips=CLIPS, track="J", arrays=())


def test_another_version_is_refused(small):
    sheet = json.loads((small / "DATASHEET.json").read_text())
    (small / "DATASHEET.json").write_text(json.dumps(sheet | {"world_version": -1}))
    with pytest.raises(StorageError, match=r"(?s)holds world version -1.*build into another folder"):
        build(small, "unit", clips=CLIPS)
    (small / "DATASHEET.json").write_text(json.dumps({k: v for k, v in sheet.items() if k != "truth_schema"}))
    with pytest.raises(StorageError, match=r"(?s)holds truth of schema None; expected version 1.*another release"):
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


FILL = """
import sys
from seehear import world
if __name__ == "__main__":
    world.build(sys.argv[1], "unit", workers=2)
"""


def test_a_build_that_is_killed_goes_on_and_leaves_no_one_behind(unit, tmp_path):
    (tmp_path / "fill.py").write_text(FILL)
    root = tmp_path / "world"
    journal = root / "train" / "manifest.partial.jsonl"
    run = subprocess.Popen([sys.executable, "fill.py", root], cwd=tmp_path, stderr=subprocess.PIPE)
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 8)
    workers = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert len(workers) >= 2
    wait_until(lambda: not any(running(worker) for worker in workers))
    (root / "train" / "clips" / ".half.mp4.1.ab.tmp").write_bytes(b"half")  # what a clip is until it is whole
    assert not (root / "train" / "manifest.jsonl").exists()
    report = build(root, "unit", workers=1)
    assert report.reused >= 8
    assert report.made >= 8
    assert content(root) == content(unit[0])


def wait_until(fact):
    until = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.02)


def running(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_without_an_encoder_for_h264_another_takes_over_and_is_said(tmp_path, monkeypatch):
    clips = {"train": 2, "test": 1}
    with monkeypatch.context() as patch:
        patch.setattr(encoders, "has_encoder", lambda name: name == "mpeg4")
        with pytest.warns(UserWarning, match="no encoder for H.264: 3 clips with mpeg4"):
            report = build(tmp_path / "world", "unit", clips=clips, workers=1)
        assert report.datasheet["encoder"] == {"mpeg4": 3}
        records = manifest.read(tmp_path / "world" / "train" / manifest.MANIFEST)
        assert [item["encoder"] for item in records] == ["mpeg4", "mpeg4"]
        assert probe(tmp_path / "world" / "train" / records[0]["file"]).video.codec == "mpeg4"
    (tmp_path / "world" / "test" / "clips" / "test-A0-0-000000.mp4").unlink()
    with pytest.warns(UserWarning, match="2 clips with mpeg4"):  # finished by a machine that has x264
        report = build(tmp_path / "world", "unit", clips=clips, workers=1)
    assert report.datasheet["encoder"] == {"mpeg4": 2, "libx264": 1}


def test_without_any_encoder_the_cure_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "has_encoder", lambda name: False)
    with pytest.raises(UsageError, match=r"(?s)none of the encoders libx264.*pip install"):
        build(tmp_path / "world", "unit", clips=CLIPS, workers=1)


@pytest.mark.parametrize("suffix", [".mp4", ".npz"])
def test_a_disk_that_fills_within_a_file_leaves_no_half_of_it(tmp_path, monkeypatch, suffix):
    real = open

    def full(path, mode):
        file = real(path, mode)
        if suffix in path.name and "000003" in path.name:
            file = FullDisk(file)
        return file

    options = {"clips": CLIPS, "workers": 1, "arrays": ("masks",)}
    with monkeypatch.context() as patch:
        patch.setattr(atomic, "open", full, raising=False)
        with pytest.raises(StorageError, match=rf"(?s)000003\{suffix}: could not be written.*full disk.*df -h"):
            build(tmp_path / "world", "unit", **options)
    assert not [p.name for p in (tmp_path / "world").rglob("*000003" + suffix + "*")]
    assert build(tmp_path / "world", "unit", **options).clips == 10


class FullDisk(io.BufferedWriter):
    """A file on a disk without room."""

    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_and_the_build_goes_on_later(tmp_path, monkeypatch):
    def full(path, records):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(building.manifest, "append", full)
        with pytest.raises(StorageError, match=r"(?s)No space left.*disk is full.*start the same build again"):
            build(tmp_path / "world", "unit", clips=CLIPS, workers=1)
    assert build(tmp_path / "world", "unit", clips=CLIPS, workers=1).clips == 10
    shutil.rmtree(tmp_path / "world")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "tinny"}, r"unknown preset 'tinny'; expected one of base, .*; try: tiny"),
        ({"track": "a"}, r"unknown track 'a'; expected one of A, "),
        ({"style": "scetch"}, r"unknown style 'scetch'; .*; try: sketch"),
        ({"intervention": "mutes"}, r"unknown intervention 'mutes'; .*; try: mute"),
        ({"arrays": ["mask"]}, r"unknown truth array 'mask'; .*; try: masks"),
        ({"clips": {"tests": 3}}, r"unknown split 'tests'; .*; try: test"),
        ({"level": 9}, "unknown level 9; expected one of 0, 1, 2, 3"),
        ({"workers": 0}, "0 workers; expected at least 1"),
        ({"size": 7}, "picture size 7; expected one of"),
        ({"clips": 3}, "3 clips; expected at least 24"),
    ],
)
def test_bad_options_are_named_and_leave_no_folder(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        build(tmp_path / "world", **{"preset": "unit"} | options)
    assert not (tmp_path / "world").exists()


def test_a_damaged_journal_line_is_named(tmp_path):
    (tmp_path / "manifest.jsonl").write_text('{"a": 1}\n{"b\n{"c": 2}\n')
    with pytest.raises(StorageError, match="line 2 is damaged"):
        manifest.read(tmp_path / "manifest.jsonl")
    assert manifest.read(tmp_path / "nothing.jsonl") == []
