"""WebDataset tars: a table out and back as it was, foreign tars in, hostile ones refused."""

import dataclasses
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import lance
import numpy as np
import pytest

from seehear import clips, media
from seehear.clips import MemoryClips, PackProgress, export_webdataset, pack
from seehear.clips.schema import Row, schema, to_table
from seehear.clips.shards import expanded, shards_of
from seehear.clips.webdataset_names import key_of, split_name
from seehear.contracts import AudioNeed, Needs
from seehear.errors import DataError, StorageError, UsageError
from seehear.media import Limits
from tests.clips.made_clips import make_clip

SOUND = Needs(audio=AudioNeed(100.0))
LIGHT = ["id", "source", "start_seconds", "duration_seconds", "split", "labels", "caption", "frame_seconds"]
STORED = [*LIGHT, "frames", "audio", "audio_codec", "truth"]
NAMES = ("plain", "a/b.mp4@1.500", "ünïcode ✓", "x" * 300, "..", "%41", "A")


def rows(path: Path, columns: list[str] | None = None) -> list[dict]:
    return lance.dataset(path).to_table(columns=columns or STORED).to_pylist()


def tar(path: Path, members: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.TarFile(path, "w", format=tarfile.PAX_FORMAT) as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for info in others:
            file.addfile(info)
    return path


def jpeg(value: int = 90, side: int = 16) -> bytes:
    return media.encode_jpeg(np.full((side, side, 3), value, np.uint8))


def noise(seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * 16_000)).astype(np.int16)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of all sorts, with names that no file may have."""
    made = [make_clip(i) for i in range(len(NAMES) + 3)]
    made = [dataclasses.replace(c, id=name) for c, name in zip(made, NAMES, strict=False)] + made[len(NAMES) :]
    made[7].audio = made[8].frames = None
    made[9].truth = {"boxes": [[0.5, 1.0]], "text": "ü"}
    path = tmp_path_factory.mktemp("table") / "t.lance"
    pack(MemoryClips(made), path, size=8, frames=5, modality="any")
    return path


# ---------------------------------------------------------------------------------------------------------- round trip
def test_a_table_comes_back_as_it_was(table: Path, tmp_path: Path):
    report = export_webdataset(table, tmp_path / "tars", shard_bytes=60_000)
    assert report.clips == 10
    assert report.skips == ()
    assert sorted(p.name for p in (tmp_path / "tars").iterdir()) == [f"{i:06d}.tar" for i in range(report.shards)]
    assert report.shards > 2
    assert report.bytes == sum(p.stat().st_size for p in (tmp_path / "tars").iterdir())
    packed = pack(tmp_path / "tars", tmp_path / "back.lance", modality="any", size=8, workers=1)
    assert (packed.clips, packed.files, packed.skips, packed.ignored) == (10, report.shards, (), {})
    for before, after in zip(rows(table), rows(tmp_path / "back.lance"), strict=True):
        assert before == after


def test_other_codings_of_sound_keep_every_sample(table: Path, tmp_path: Path):
    export_webdataset(table, tmp_path / "tars")
    flac = {"modality": "any", "audio_codec": "flac", "workers": 1}
    pack(tmp_path / "tars" / "000000.tar", tmp_path / "flac.lance", **flac)
    source, before = clips.open(tmp_path / "flac.lance"), clips.open(table)
    assert np.array_equal(source.read(0, SOUND).audio, before.read(0, SOUND).audio)
    assert source.names == before.names
    export_webdataset(tmp_path / "flac.lance", tmp_path / "again")
    pack(tmp_path / "again", tmp_path / "back.lance", **flac)
    assert rows(tmp_path / "back.lance") == rows(tmp_path / "flac.lance")


def test_equal_tables_give_equal_bytes(table: Path, tmp_path: Path):
    one, other = (export_webdataset(table, tmp_path / name) for name in "ab")
    assert (tmp_path / "a" / "000000.tar").read_bytes() == (tmp_path / "b" / "000000.tar").read_bytes()
    assert one.bytes == other.bytes


def test_the_webdataset_package_reads_what_is_written(table: Path, tmp_path: Path):
    webdataset = pytest.importorskip("webdataset")
    export_webdataset(table, tmp_path / "tars", shard_bytes=60_000)
    shards = [str(path) for path in sorted((tmp_path / "tars").iterdir())]
    stream = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False).decode("rgb8")
    found = list(stream)
    stored = rows(table)
    assert [sample["json"]["id"] for sample in found] == [row["id"] for row in stored]
    assert [sample["__key__"] for sample in found] == [key_of(row["id"]) for row in stored]
    for sample, row in zip(found, stored, strict=True):
        assert sample["json"]["labels"] == row["labels"]
        assert sum(name.endswith(".jpg") for name in sample) == len(row["frames"])
        assert ("wav" in sample or "flac" in sample) == (row["audio"] is not None)
    assert np.array_equal(found[0]["000.jpg"], media.decode_jpeg(stored[0]["frames"][0]))


def test_videos_and_arrays_come_back_where_they_are_kept(tmp_path: Path, write_video: Callable[..., Path]):
    folder = tmp_path / "media"
    write_video(folder / "one.mp4", 1.0)
    np.savez(folder / "masks.npz", mask=np.arange(6))
    write_video(folder / "two.mp4", 1.0)
    (folder / "manifest.csv").write_text("file,truth_arrays\none.mp4,\ntwo.mp4,masks.npz\n")
    pack(folder, tmp_path / "t.lance", keep_video=True, size=32, workers=1)
    export_webdataset(tmp_path / "t.lance", tmp_path / "tars")
    pack(tmp_path / "tars", tmp_path / "back.lance", keep_video=True, workers=1)
    before, after = clips.open(tmp_path / "t.lance"), clips.open(tmp_path / "back.lance")
    assert after.video(0) == before.video(0) is not None
    assert after.truth_arrays(0) == {}
    assert np.array_equal(after.truth_arrays(1)["mask"], np.arange(6))
    without = pack(tmp_path / "tars", tmp_path / "without.lance", workers=1)
    assert without.ignored == {"mp4": 2}


class Stopped(Exception):  # noqa: N818
    """What a test raises to stop a packing."""


def test_a_stopped_packing_of_tars_goes_on(tmp_path: Path):
    made = MemoryClips([make_clip(i) for i in range(150)])
    pack(made, tmp_path / "t.lance", size=8, frames=1)
    export_webdataset(tmp_path / "t.lance", tmp_path / "tars", shard_bytes=400_000)
    for stop in (40, 110):

        def progress(now: PackProgress, stop: int = stop) -> None:
            if now.clips >= stop:
                raise Stopped

        with pytest.raises(Stopped):
            pack(tmp_path / "tars", tmp_path / "back.lance", workers=1, progress=progress)
    report = pack(tmp_path / "tars", tmp_path / "back.lance", workers=1)
    assert report.resumed_files > 0
    assert rows(tmp_path / "back.lance") == rows(tmp_path / "t.lance")


# ---------------------------------------------------------------------------------------------------------- refusals
def test_what_is_there_is_not_overwritten_by_mistake(table: Path, tmp_path: Path):
    place = tmp_path / "tars"
    export_webdataset(table, place)
    with pytest.raises(UsageError, match="holds 1 shards"):
        export_webdataset(table, place)
    assert export_webdataset(table, place, overwrite=True, shard_bytes=60_000).shards > 1
    (place / "precious.txt").write_text("x")
    with pytest.raises(UsageError, match="other things than shards"):
        export_webdataset(table, place, overwrite=True)
    with pytest.raises(UsageError, match="shards of 0 bytes"):
        export_webdataset(table, tmp_path / "b", shard_bytes=0)
    with pytest.raises(StorageError, match="there is no table"):
        export_webdataset(tmp_path / "none.lance", tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tars"]


def test_a_full_disk_leaves_nothing_behind(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(StorageError, match=r"No space left.*df -h"):
        export_webdataset(table, tmp_path / "tars")
    assert list(tmp_path.iterdir()) == []


def test_damaged_rows_are_left_out_and_counted(tmp_path: Path):
    good = Row("good", "a", 0.0, 1.0, audio=b"\1\0", audio_codec="pcm_s16le")
    bad = [dataclasses.replace(good, id="odd", audio=b"\1\0\1"), Row("times", "a", 0.0, 1.0, frames=[b"x"])]
    lance.write_dataset(to_table([good, *bad], schema()), tmp_path / "t.lance")
    report = export_webdataset(tmp_path / "t.lance", tmp_path / "tars")
    assert (report.clips, [skip.file for skip in report.skips]) == (1, ["odd", "times"])
    assert report.skipped == {"truncated or damaged": 2}


# -------------------------------------------------------------------------------------------------------- foreign tars
def test_samples_of_others_become_clips(tmp_path: Path, write_video: Callable[..., Path]):
    video = write_video(tmp_path / "v.mp4", 2.5).read_bytes()
    shard = {
        "train/0001.mp4": video,
        "train/0001.json": json.dumps({"label": "dog", "split": "val", "url": "x", "start_seconds": 7}).encode(),
        "train/0002.jpg": jpeg(200),
        "train/0002.wav": media.encode_wav(noise()),
        "train/0002.cls": b"17",
        "train/0002.txt": b"a cat",
        "train/0002.pyd": b"never opened",
        "train/0003.png": _png(),
        "train/0004.flac": media.encode_flac(noise(2.0)),
        "train/0004.json": b"[1, 2]",
    }
    tar(tmp_path / "tars" / "test" / "a.tar", shard)
    report = pack(
        tmp_path / "tars", tmp_path / "t.lance", modality="any", clip_seconds=1.0, size=16, frames=3, workers=1
    )
    source = clips.open(tmp_path / "t.lance")
    names = ["0001@0.000", "0001@1.000", "0001@2.000", "0002", "0003", "0004@0.000", "0004@1.000"]
    assert source.names == [f"test/a.tar/train/{name}" for name in names]
    assert source.start_seconds.tolist() == [7.0, 8.0, 9.0, 0.0, 0.0, 0.0, 1.0]
    assert source.labels[0] == ["dog"]
    assert source.labels[3] == ["17"]
    assert source.captions[3] == "a cat"
    assert (source.splits[0], source.splits[3]) == ("val", "test")
    assert source.truth(0) == {"url": "x"}
    assert source.truth(5) == {"json": [1, 2]}
    assert np.array_equal(source.read(3, SOUND).audio, noise())
    assert np.array_equal(source.read(6, SOUND).audio, noise(2.0)[16_000:])
    assert report.ignored == {"pyd": 1}
    assert report.skips == ()


def _png() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), (10, 20, 30)).save(buffer, "PNG")
    return buffer.getvalue()


def test_several_pictures_are_shown_when_the_sample_says(tmp_path: Path):
    pictures = {f"a.{i:02d}.jpg": jpeg(20 * i) for i in range(10)}
    tar(tmp_path / "a.tar", pictures | {"a.wav": media.encode_wav(noise(5.0))})
    said = {"frame_seconds": [0.1 * i for i in range(10)]}
    tar(tmp_path / "b.tar", pictures | {"a.json": json.dumps(said).encode()})
    pack(tmp_path / "a.tar", tmp_path / "a.lance", size=16, workers=1)
    pack(tmp_path / "b.tar", tmp_path / "b.lance", size=16, workers=1, modality="image")
    assert rows(tmp_path / "a.lance")[0]["frame_seconds"] == pytest.approx([0.25 + 0.5 * i for i in range(10)])
    assert rows(tmp_path / "b.lance")[0]["frame_seconds"] == pytest.approx(said["frame_seconds"])


def test_what_cannot_be_used_is_typed_and_the_rest_goes_on(tmp_path: Path):
    good = {"good.jpg": jpeg(), "good.wav": media.encode_wav(noise())}
    bad = {
        "text.jpg": b"no picture",
        "text.wav": media.encode_wav(noise()),
        "facts.jpg": jpeg(),
        "facts.json": b"{",
        "other.npy": b"x",
        "mute.jpg": jpeg(),
        "late.jpg": jpeg(),
        "late.wav": media.encode_wav(noise()),
    }
    again = {"good.jpg": jpeg(), "good.wav": media.encode_wav(noise())}
    with tarfile.TarFile(tmp_path / "a.tar", "w") as file:
        for name, data in [*good.items(), *bad.items(), *again.items()]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    report = pack(tmp_path / "a.tar", tmp_path / "t.lance", workers=1, size=16)
    assert clips.open(tmp_path / "t.lance").names == ["a.tar/good", "a.tar/late"]
    assert [(skip.file, skip.reason) for skip in report.skips] == [
        ("a.tar/text", "not a media file"),
        ("a.tar/facts", "unsupported container or codec"),
        ("a.tar/other", "not a media file"),
        ("a.tar/mute", "no audio track"),
        ("a.tar/good", "unsupported container or codec"),
    ]
    assert "comes twice" in report.skips[-1].detail


def _link(name: str, kind: bytes, to: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info


def test_hostile_members_are_refused_and_nothing_is_unpacked(tmp_path: Path):
    place = tmp_path / "in"
    members = {"ok.jpg": jpeg(), "/abs/x.jpg": jpeg(), "../up.jpg": jpeg(), "a/../../b.jpg": jpeg()}
    others = [
        _link("soft.jpg", tarfile.SYMTYPE, "/etc/passwd"),
        _link("hard.jpg", tarfile.LNKTYPE, "ok.jpg"),
        _link("device.jpg", tarfile.CHRTYPE, ""),
    ]
    tar(place / "a.tar", members, *others)
    report = pack(place / "a.tar", tmp_path / "t.lance", modality="any", workers=1, size=16)
    assert clips.open(tmp_path / "t.lance").names == ["a.tar/ok"]
    assert [skip.reason for skip in report.skips] == ["unsupported container or codec"] * 6
    assert {skip.detail for skip in report.skips} == {
        "a name that leaves its folder",
        "a link in a tar",
        "a device in a tar",
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "t.lance", "t.lance.skipped.json"]


def _header(name: str, size: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header whose size field holds `size`, with its checksum."""
    block = bytearray(tarfile.TarInfo(name).tobuf())
    block[124:136], block[156:157] = size, kind
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    ("rest", "skips"),
    [
        pytest.param(b"\1" * 5_000, 1, id="noise"),
        pytest.param(b"", 1, id="no mark of its end"),
        pytest.param(_header("big.jpg", b"%011o\0" % 8_000_000_000), 2, id="a size beyond the file"),
        pytest.param(_header("back.jpg", b"\xff" * 12), 1, id="a size below nothing"),
        pytest.param(_header("long", b"%011o\0" % 8_000_000_000, tarfile.GNUTYPE_LONGNAME), 1, id="a huge header"),
    ],
)
def test_a_damaged_rest_of_a_tar_is_told_and_others_go_on(tmp_path: Path, rest: bytes, skips: int):
    place = tmp_path / "in"
    first = tar(place / "a.tar", {"ok.jpg": jpeg()})
    whole = first.read_bytes()
    end = (len(jpeg()) + 511) // 512 * 512 + 512
    first.write_bytes(whole[:end] + rest)
    tar(place / "b.tar", {"fine.jpg": jpeg()})
    report = pack(place, tmp_path / "t.lance", modality="image", workers=1, size=16)
    assert clips.open(tmp_path / "t.lance").names == ["a.tar/ok", "b.tar/fine"]
    assert [skip.file.startswith("a.tar") for skip in report.skips] == [True] * skips
    assert report.skips[-1].reason == "truncated or damaged"


def test_limits_hold_for_members(tmp_path: Path):
    tar(tmp_path / "a.tar", {"ok.jpg": jpeg(), "big.jpg": jpeg() + bytes(50_000)})
    limits = Limits(file_bytes=20_000)
    report = pack(tmp_path / "a.tar", tmp_path / "t.lance", modality="image", workers=1, size=16, limits=limits)
    assert (report.clips, report.skipped) == (1, {"over a limit": 1})


def test_what_is_no_tar_is_refused(tmp_path: Path):
    (tmp_path / "a.tar").write_text("this is text, not a tar" * 100)
    with pytest.raises(DataError, match=r"no clip of .*a\.tar can be used \(1 truncated or damaged"):
        pack(tmp_path / "a.tar", tmp_path / "t.lance", workers=1)
    assert not (tmp_path / "t.lance").exists()


# --------------------------------------------------------------------------------------------------- names and patterns
def test_patterns_name_tars(tmp_path: Path):
    for name in ("x-00.tar", "x-01.tar", "x-02.tar", "y.tar"):
        tar(tmp_path / name, {"a.jpg": jpeg()})
    assert [p.name for p in shards_of(tmp_path / "x-{00..02}.tar")] == ["x-00.tar", "x-01.tar", "x-02.tar"]
    assert [p.name for p in shards_of(str(tmp_path / "{x-0[01],y}.tar"))] == ["x-00.tar", "x-01.tar", "y.tar"]
    assert [p.name for p in shards_of(tmp_path)] == ["x-00.tar", "x-01.tar", "x-02.tar", "y.tar"]
    with pytest.raises(DataError, match="2 of 5 tars do not exist"):
        shards_of(tmp_path / "x-{00..04}.tar")
    with pytest.raises(DataError, match="fits no tar"):
        shards_of(tmp_path / "z*.tar")
    with pytest.raises(DataError, match="more than"):
        shards_of(tmp_path / "{0..99999999}.tar")
    (tmp_path / "v.mp4").write_text("x")
    assert shards_of(tmp_path) == []
    assert expanded("a{1..3}{b,c}") == ["a1b", "a1c", "a2b", "a2c", "a3b", "a3c"]
    assert expanded("{open") == ["{open"]


def test_keys_are_safe_and_tell_clips_apart():
    keys = [key_of(name) for name in NAMES]
    assert len(set(keys)) == len(NAMES)
    for key in keys:
        assert len(key) <= 200
        assert not set(key) & set("./\\ \0")
        assert split_name(f"{key}.000.jpg") == (key, "000.jpg")
