"""Packing of arrays and of folders: rows, resuming, refusals; nothing half-written."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lance
import numpy as np
import pytest

from seehear import clips
from seehear.clips import MemoryClips, PackProgress, PackReport, pack
from seehear.clips.pack_state import state_of
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import DataError, SkipReason, StorageError, UsageError
from tests.clips.made_clips import Damaged, make_clip, make_clips, noises

ALL = Needs(AudioNeed(100.0), FrameNeed(10, 8, 8))


def contents(path: Path) -> list[dict]:
    """All rows of a table, in their order."""
    return lance.dataset(path).to_table().to_pylist()


def files_under(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---------------------------------------------------------------------------------------------------- from arrays
def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    path, source = tmp_path / "t.lance", make_clips(3)
    first = pack(source, path)
    again = pack(source, path)
    assert (again.version, again.clips, again.skips) == (first.version, 3, ())
    with pytest.raises(UsageError, match=r"other settings: size was 224 and is 96; .*--overwrite"):
        pack(source, path, size=96)
    with pytest.raises(UsageError, match=r"files was '3 clips, .*' and is '4 clips"):
        pack(make_clips(4), path)
    assert pack(make_clips(4), path, overwrite=True).clips == 4
    assert len(clips.open(path)) == 4


def test_other_things_in_the_place_of_the_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "precious.mp4").write_text("x")
    for place in (tmp_path / "videos", tmp_path / "videos" / "precious.mp4"):
        with pytest.raises(UsageError, match="exists and is not a table"):
            pack(make_clips(2), place, overwrite=True)
    assert (tmp_path / "videos" / "precious.mp4").read_text() == "x"
    lance.write_dataset(clips_free_table(), tmp_path / "foreign.lance")
    with pytest.raises(UsageError, match="was not made by `seehear pack`"):
        pack(make_clips(2), tmp_path / "foreign.lance")


def clips_free_table() -> object:
    import pyarrow as pa

    return pa.table({"a": [1, 2]})


def test_skips_are_typed_counted_and_listed(tmp_path: Path) -> None:
    made = [make_clip(i) for i in range(70)]
    made[3].audio = None
    made[69].frames = None
    report = pack(Damaged(made, {5, 68}), tmp_path / "t.lance")
    assert report.clips == 66
    assert report.files == 70
    assert report.skipped == {"no audio track": 1, "truncated or damaged": 2, "no video track": 1}
    assert [skip.file for skip in report.skips] == ["clip3", "clip5", "clip68", "clip69"]
    assert report.skip_list is not None
    written = json.loads(report.skip_list.read_text())
    assert written["skips"][1] == {"file": "clip5", "reason": "truncated or damaged", "detail": "damaged on purpose"}
    assert pack(Damaged(made, {5, 68}), tmp_path / "t.lance").skips == report.skips
    assert pack(MemoryClips(made), tmp_path / "a.lance", modality="audio").with_image == 0
    kept = pack(MemoryClips(made), tmp_path / "any.lance", modality="any")
    assert (kept.clips, kept.with_audio, kept.with_image) == (70, 69, 69)


def test_nothing_usable_leaves_nothing_behind(tmp_path: Path) -> None:
    silent = MemoryClips([make_clip(i, audio=None) for i in range(3)])
    with pytest.raises(DataError, match=r"no clip .* can be used \(3 no audio track.*clip0.*seehear doctor"):
        pack(silent, tmp_path / "t.lance")
    assert files_under(tmp_path) == []
    pack(make_clips(2), tmp_path / "t.lance")
    with pytest.raises(DataError):
        pack(silent, tmp_path / "t.lance", overwrite=True)
    assert len(clips.open(tmp_path / "t.lance")) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0},
        {"frames": 0},
        {"audio_codec": "mp3"},
        {"modality": "smell"},
        {"clip_seconds": -1},
        {"keep_video": True},
        {"manifest": "m.csv"},
    ],
)
def test_options_out_of_range_are_refused(tmp_path: Path, options: dict) -> None:
    with pytest.raises(UsageError):
        pack(make_clips(1), tmp_path / "t.lance", **options)
    assert files_under(tmp_path) == []


class Stopped(Exception):  # noqa: N818
    """What a test raises to stop a packing."""


def stop_after(count: int) -> Callable[[PackProgress], None]:
    def progress(seen: PackProgress) -> None:
        if seen.clips + seen.skipped >= count:
            raise Stopped

    return progress


def test_a_stopped_packing_goes_on_to_the_same_table(tmp_path: Path) -> None:
    source = Damaged([make_clip(i) for i in range(300)], {0, 150, 151, 299})
    whole = pack(source, tmp_path / "whole.lance", size=16)
    path = tmp_path / "parts.lance"
    for stop in (10, 100, 200, 290):
        with pytest.raises(Stopped):
            pack(source, path, size=16, progress=stop_after(stop))
        if stop > 32:
            with pytest.raises(StorageError, match="goes on where it stopped"):
                clips.open(path)
            with pytest.raises(UsageError, match="frames was 10 and is 3"):
                pack(source, path, size=16, frames=3)
    report = pack(source, path, size=16)
    assert report.resumed_files > 32
    assert contents(path) == contents(tmp_path / "whole.lance")
    assert report.skips == whole.skips
    assert clips.open(path).fingerprint == clips.open(tmp_path / "whole.lance").fingerprint


def test_a_stopped_overwrite_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "t.lance"
    pack(make_clips(5), path)
    with pytest.raises(Stopped):
        pack(make_clips(200), path, size=16, overwrite=True, progress=stop_after(150))
    report = pack(make_clips(200), path, size=16, overwrite=True)
    assert report.resumed_files > 0
    assert clips.open(path).names == [f"clip{i}" for i in range(200)]


def test_ctrl_c_keeps_what_is_ready(tmp_path: Path) -> None:
    def interrupt(seen: PackProgress) -> None:
        if seen.clips == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(make_clips(50), tmp_path / "t.lance", progress=interrupt)
    assert len(clips.open(tmp_path / "t.lance", partial=True)) == 30
    assert pack(make_clips(50), tmp_path / "t.lance").resumed_files == 29


def test_two_packings_into_one_table_are_noticed(tmp_path: Path) -> None:
    def intrude(seen: PackProgress) -> None:
        if seen.clips == 40:
            lance.dataset(tmp_path / "t.lance").update_config({"other": "writer"})

    with pytest.raises(StorageError, match="written by another process"):
        pack(make_clips(200), tmp_path / "t.lance", progress=intrude)


FULL = """
import resource, sys
from seehear.clips import pack
from seehear.errors import StorageError
from tests.clips.made_clips import noises
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
for path, seconds in zip(sys.argv[1:], ([2.0] * 100, [0.02] * 32 + [2.0] * 100)):
    try:
        pack(noises(seconds), path, modality="audio")
    except StorageError as error:
        print(error)
"""


def test_a_full_disk_is_a_storage_error(tmp_path: Path) -> None:
    """A limit on the size of a file makes the operating system refuse writes, as a full disk does."""
    first, later = tmp_path / "first.lance", tmp_path / "later.lance"
    done = subprocess.run([sys.executable, "-c", FULL, first, later], capture_output=True, text=True, check=True)
    assert len(done.stdout.strip().splitlines()) == 2
    assert not first.exists()
    assert len(clips.open(later, partial=True)) == 32
    assert pack(noises([0.02] * 32 + [2.0] * 100), later, modality="audio").clips == 132
    assert clips.open(later).names == [f"noise{i}" for i in range(132)]


# --------------------------------------------------------------------------------------------------- from folders
PACK = """
import sys
from seehear.clips import pack
def progress(seen):
    print(seen.clips, flush=True)
pack(sys.argv[1], sys.argv[2], modality="audio", clip_seconds=0.05, hop=0.05, workers=1, progress=progress)
"""


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sound files of 50 clips of 0.05 s, and one that is not a sound."""
    from seehear.media import encode_wav

    folder = tmp_path_factory.mktemp("sounds")
    for name in "abc":
        samples = np.random.default_rng(ord(name)).integers(-9000, 9000, 40_000).astype(np.int16)
        (folder / f"{name}.wav").write_bytes(encode_wav(samples))
    (folder / "broken.wav").write_text("this is text")
    return folder


@pytest.fixture(scope="module")
def packed_sounds(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PackReport]:
    path = tmp_path_factory.mktemp("whole") / "t.lance"
    return path, pack(sounds, path, modality="audio", clip_seconds=0.05, workers=2)


def test_a_killed_packing_leaves_whole_rows_and_goes_on(
    sounds: Path, packed_sounds: tuple[Path, PackReport], tmp_path: Path
) -> None:
    whole, report = packed_sounds
    assert report.clips == 150
    assert report.skipped == {"not a media file": 1}
    expected, path = contents(whole), tmp_path / "t.lance"
    for kill_at in (40, 100):
        process = subprocess.Popen([sys.executable, "-c", PACK, sounds, path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= kill_at:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.wait()
        process.stdout.close()
        rows = contents(path)
        assert 0 < len(rows) < 150
        assert rows == expected[: len(rows)]
        state = state_of(lance.dataset(path))
        assert state is not None
        assert (state.clips, state.complete) == (len(rows), False)
    again = pack(sounds, path, modality="audio", clip_seconds=0.05, hop=0.05, workers=2)
    assert contents(path) == expected
    assert (again.skips, again.clips) == (report.skips, 150)
    assert clips.open(path).fingerprint == clips.open(whole).fingerprint


def test_cut_clips_join_to_the_whole_sound(sounds: Path, packed_sounds: tuple[Path, PackReport]) -> None:
    source = clips.open(packed_sounds[0])
    joined = np.concatenate([source.read(i, ALL).audio for i in range(50)])
    assert source.names[:2] == ["a.wav@0.000", "a.wav@0.050"]
    whole = clips.FolderClips(sounds, cutting=clips.Cutting(modality="any"), workers=1).read(0, ALL)
    assert np.array_equal(joined, whole.audio)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of file that a careless folder holds."""
    from PIL import Image

    from seehear.media import encode_wav, write_video

    folder = tmp_path_factory.mktemp("videos")
    tone = (8_000 * np.sin(np.arange(40_000) / 5)).astype(np.int16)
    frames = (np.arange(25)[:, None, None, None] * 8 + np.zeros((1, 32, 48, 3))).astype(np.uint8)
    write_video(folder / "both.mp4", frames, 10, tone)
    write_video(folder / "silent.mp4", frames, 10)
    write_video(folder / "short picture.mp4", frames[:10], 10, tone)
    (folder / "sound.wav").write_bytes(encode_wav(tone))
    Image.fromarray(frames[9]).save(folder / "still.png")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "truncated.mp4").write_bytes((folder / "both.mp4").read_bytes()[:900])
    (folder / "text.mp4").write_text("not a video at all")
    (folder / "notes.txt").write_text("notes")
    (folder / "manifest.jsonl").write_text(
        "\n".join(
            json.dumps({"file": name, "labels": "a;b", "split": "train", "truth": {"name": name}})
            for name in [*files_under(folder), "gone.mp4"]
            if name not in ("notes.txt", "manifest.jsonl")
        )
    )
    return folder


def test_every_kind_of_file(videos: Path, tmp_path: Path) -> None:
    report = pack(videos, tmp_path / "t.lance", clip_seconds=1.0, hop=1.0, size=32, workers=1, keep_video=True)
    source = clips.open(tmp_path / "t.lance")
    assert source.names == ["both.mp4@0.000", "both.mp4@1.000", "both.mp4@2.000", "short picture.mp4@0.000"]
    reasons = {skip.file: skip.reason for skip in report.skips}
    assert reasons == {
        "gone.mp4": "unreadable path",
        "empty.mp4": "empty file",
        "text.mp4": "not a media file",
        "truncated.mp4": "truncated or damaged",
        "silent.mp4": "no audio track",
        "sound.wav": "no video track",
        "still.png": "no audio track",
        "short picture.mp4@1.000": "no video track",
        "short picture.mp4@2.000": "no video track",
    }
    clip = source.read(1, ALL)
    assert clip.frames is not None
    assert clip.audio is not None
    assert len(clip.audio) == 16_000
    assert clip.frame_seconds == pytest.approx(np.arange(10) / 10, abs=1e-6)
    assert np.abs(clip.frames[:, 16, 24, 0] - np.arange(10, 20) * 8.0).max() <= 4
    assert (clip.labels, clip.split, clip.truth) == (["a", "b"], "train", {"name": "both.mp4"})
    moving = source.video(1)
    assert moving is not None
    again = tmp_path / "again.mp4"
    again.write_bytes(moving)
    from seehear.media import probe, read_frames

    info = probe(again)
    assert info.video is not None
    assert info.duration_seconds == pytest.approx(1.0, abs=0.07)
    assert abs(int(read_frames(again, [0.55]).pixels[0, 16, 24, 0]) - 15 * 8) <= 4


def test_a_folder_and_its_table_agree(videos: Path, tmp_path: Path) -> None:
    cutting = clips.Cutting(clip_seconds=10.0, modality="any")
    folder = clips.FolderClips(videos, cutting=cutting, size=32, workers=1)
    pack(videos, tmp_path / "t.lance", size=32, workers=1, modality="any")
    table = clips.open(tmp_path / "t.lance")
    assert folder.counts == {"unreadable path": 1, "empty file": 1, "not a media file": 1, "truncated or damaged": 1}
    assert folder.names == table.names
    assert folder.ids.tolist() == table.ids.tolist()
    assert folder.has_audio.tolist() == table.has_audio.tolist()
    assert folder.has_image.tolist() == table.has_image.tolist()
    assert folder.label_names == table.label_names
    needs = Needs(AudioNeed(1.5), FrameNeed(3, 32, 48))
    for index in range(len(folder)):
        one, other = folder.read(index, needs), table.read(index, needs)
        assert (one.id, one.truth, one.labels) == (other.id, other.truth, other.labels)
        if one.audio is not None or other.audio is not None:
            assert np.array_equal(one.audio, other.audio)
        if one.frames is not None or other.frames is not None:
            assert one.frame_seconds == pytest.approx(other.frame_seconds)
            assert np.abs(one.frames.astype(int) - other.frames).max() <= 6
    folder.close()


def test_workers_change_nothing(videos: Path, tmp_path: Path) -> None:
    options = {"clip_seconds": 0.7, "hop": 0.5, "size": 32, "modality": "any", "max_clips_per_file": 3}
    tables = [tmp_path / f"{workers}.lance" for workers in (1, 2)]
    reports = [pack(videos, path, workers=n, **options) for path, n in zip(tables, (1, 2), strict=True)]
    assert contents(tables[0]) == contents(tables[1])
    assert reports[0].skips == reports[1].skips


def test_a_file_that_crashes_or_changes_meanwhile_is_skipped(videos: Path, tmp_path: Path) -> None:
    from shutil import copytree

    folder = copytree(videos, tmp_path / "copy")
    source = clips.FolderClips(folder, cutting=clips.Cutting(modality="any"), size=32, workers=1)
    (folder / "both.mp4").unlink()
    (bad, *good) = source.read_many(range(len(source)), ALL)
    assert bad.reason == SkipReason.UNREADABLE
    assert all(not isinstance(clip, Exception) for clip in good)


def test_truth_arrays_travel_with_their_clips(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "b.wav")
    masks = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.savez(tmp_path / "a.npz", masks=masks)
    (tmp_path / "manifest.csv").write_text("file,truth_arrays\na.wav,a.npz\nb.wav,\n")
    pack(tmp_path, tmp_path / "t.lance", modality="audio", workers=1)
    source = clips.open(tmp_path / "t.lance")
    assert np.array_equal(source.truth_arrays(0)["masks"], masks)
    assert source.truth_arrays(1) == {}
    with pytest.raises(StorageError, match=r"no column 'video'.*--keep-video"):
        source.video(0)


def test_repeated_ids_are_refused_before_any_work(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    write_wav(tmp_path / "a.wav")
    (tmp_path / "manifest.csv").write_text("file,id\na.wav,x\na.wav,x\n")
    with pytest.raises(DataError, match="'x' occurs twice"):
        pack(tmp_path, tmp_path / "t.lance", modality="audio")


def test_decoding_processes_load_neither_torch_nor_lance() -> None:
    code = "import sys, seehear.clips.convert; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "lance", "pyarrow"}
