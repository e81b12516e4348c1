import dataclasses
import json
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
import torch

from seehear import clips
from seehear.clips import Clip, DrawnChoice, MemoryClips, ShuffleSampler, in_order, pack
from seehear.clips.pack_state import PackState
from seehear.clips.schema import FORMAT_KEY, Row, schema, to_table
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import DataError, MediaError, SkipReason, StorageError, UsageError
from tests.clips.made_clips import make_clip, make_clips

ALL = Needs(AudioNeed(1.0), FrameNeed(5, 8, 8), labels=True, caption=True)


def smooth_clip(number: int, **changes: object) -> Clip:
    """A clip whose frames JPEG hardly changes."""
    frames = (
        np.full((5, 16, 24, 3), 40 * number % 200, dtype=np.uint8)
        + np.arange(5, dtype=np.uint8)[:, None, None, None] * 10
    )
    return dataclasses.replace(make_clip(number), **({"frames": frames} | changes))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "clips.lance"
    made = [smooth_clip(i) for i in range(150)]
    made[4] = smooth_clip(4, audio=None)
    made[5] = make_clip(5, frames=1)
    made[6] = smooth_clip(6, frames=None)
    pack(MemoryClips(made), path, size=16, frames=5, modality="any")
    return path


def test_what_was_packed_is_read(table: Path) -> None:
    source = clips.open(table)
    assert len(source) == 150
    assert source.names == [f"clip{i}" for i in range(150)]
    assert source.label_names == ("class0", "class1", "class2")
    assert source.labels[7] == ["class1"]
    assert source.captions[3] == "number 3"
    assert set(source.splits) == {"train", "test"}
    assert np.flatnonzero(~source.has_audio).tolist() == [4]
    assert np.flatnonzero(~source.has_image).tolist() == [6]
    assert source.most_frames == 5
    clip, original = source.read(70, ALL), smooth_clip(70)
    assert clip.frames is not None
    assert original.frames is not None
    assert np.abs(clip.frames.astype(int) - original.frames).max() <= 3
    assert np.array_equal(clip.audio, original.audio)
    assert clip.frame_seconds == pytest.approx([0.02, 0.06, 0.1, 0.14, 0.18])
    assert clip.truth == {"number": 70}
    assert source.read(6, ALL).frames is None
    assert source.read(4, ALL).audio is None
    assert source.truth(99) == {"number": 99}


def test_any_rows_in_any_order_and_only_what_is_needed(table: Path) -> None:
    source = clips.open(table)
    read = source.read_many([140, 3, 3, 77], Needs(AudioNeed(0.01)))
    assert [clip.id for clip in read if isinstance(clip, Clip)] == ["clip140", "clip3", "clip3", "clip77"]
    assert all(isinstance(clip, Clip) and clip.frames is None and len(clip.audio) == 160 for clip in read)
    (clip,) = source.subset(split="test").read_many(
        [1], Needs(frames=FrameNeed(2, 8, 8)), [DrawnChoice(0, np.arange(5)[::-1])]
    )
    assert isinstance(clip, Clip)
    assert (clip.id, clip.audio) == ("clip7", None)
    assert clip.frame_seconds == pytest.approx([0.14, 0.18])
    (clip,) = source.read_many([1], Needs(labels=True))
    assert isinstance(clip, Clip)
    assert clip.frames is clip.audio is None


def test_a_table_and_arrays_give_the_same_batches(table: Path) -> None:
    needs = Needs(AudioNeed(0.1), FrameNeed(2, 12, 12), labels=True)
    whole = clips.open(table)
    part = whole.subset(indices=np.arange(20, 60))
    arrays = MemoryClips(smooth_clip(i) for i in range(20, 60))
    for one, other in zip(in_order(part, needs, 16), in_order(arrays, needs, 16), strict=True):
        assert torch.equal(one["waveform"], other["waveform"])
        assert torch.equal(one["labels"], other["labels"])
        assert torch.equal(one.sample_ids, other.sample_ids)
        assert (one["frames"].int() - other["frames"].int()).abs().max() <= 3


def test_flac_is_exact(tmp_path: Path) -> None:
    made = [smooth_clip(i) for i in range(4)]
    pack(MemoryClips(made), tmp_path / "t.lance", size=16, audio_codec="flac")
    source = clips.open(tmp_path / "t.lance")
    assert all(np.array_equal(source.read(i, ALL).audio, made[i].audio) for i in range(4))


def test_a_version_stays_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.lance"
    first = pack(make_clips(3), path)
    pinned = clips.open(path)
    second = pack(make_clips(5), path, overwrite=True)
    assert (len(pinned), len(clips.open(path)), len(clips.open(path, version=first.version))) == (3, 5, 3)
    assert pinned.read(2, ALL).id == "clip2"
    assert second.version > first.version
    with pytest.raises(StorageError, match="no version 99"):
        clips.open(path, version=99)


def test_fingerprint_is_of_content_not_of_place_or_later_columns(tmp_path: Path) -> None:
    one, two = tmp_path / "one.lance", tmp_path / "two.lance"
    pack(make_clips(3), one)
    pack(make_clips(3), two)
    fingerprint = clips.open(one).fingerprint
    assert clips.open(two).fingerprint == fingerprint
    lance.dataset(one).add_columns({"embedding": "1.0"})
    assert clips.open(one).fingerprint == fingerprint
    pack(make_clips(3), two, size=112, overwrite=True)
    assert clips.open(two).fingerprint != fingerprint


def test_an_object_store_uri_is_a_table(tmp_path: Path) -> None:
    uri = f"file-object-store://{tmp_path}/t.lance"
    report = pack(make_clips(3), uri)
    assert report.skip_list is None
    assert clips.open(uri).read(1, ALL).id == "clip1"


# ------------------------------------------------------------------------------------------------------- bad tables
def write(path: Path, rows: list[Row], columns: pa.Schema) -> None:
    lance.write_dataset(to_table(rows, columns), path, schema=columns)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    rows = [Row("a", "a", 0.0, 1.0)]
    write(tmp_path / "new.lance", rows, schema().with_metadata({FORMAT_KEY: "99"}))
    with pytest.raises(
        StorageError, match=r"seehear.format is '99'; expected '1'.*another version.*try: pack it again"
    ):
        clips.open(tmp_path / "new.lance")
    write(tmp_path / "foreign.lance", rows, schema().remove_metadata())
    with pytest.raises(StorageError, match=r"no 'seehear.format'.*clip table.*seehear pack"):
        clips.open(tmp_path / "foreign.lance")
    short = pa.schema([f for f in schema() if f.name != "audio"], metadata=schema().metadata)
    write(tmp_path / "short.lance", rows, short)
    with pytest.raises(StorageError, match="column 'audio' is missing"):
        clips.open(tmp_path / "short.lance")


def test_missing_empty_and_damaged_tables(tmp_path: Path, table: Path) -> None:
    with pytest.raises(StorageError, match=r"no table at .*none.lance; try: seehear pack"):
        clips.open(tmp_path / "none.lance")
    write(tmp_path / "empty.lance", [], schema())
    with pytest.raises(DataError, match="no rows"):
        clips.open(tmp_path / "empty.lance")
    pack(make_clips(3), tmp_path / "torn.lance")
    for manifest in (tmp_path / "torn.lance" / "_versions").glob("*.manifest"):
        manifest.write_bytes(b"torn")
    with pytest.raises(StorageError, match=r"torn\.lance"):
        clips.open(tmp_path / "torn.lance")
    with pytest.raises(UsageError, match="has no manifest"):
        clips.open(table, manifest=tmp_path / "m.csv")
    with pytest.raises(UsageError, match="not a table"):
        clips.open(tmp_path, version=1)


def test_repeated_ids_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "t.lance", [Row("a", "a", 0.0, 1.0), Row("a", "b", 0.0, 1.0)], schema())
    with pytest.raises(DataError, match="'a' occurs 2 times"):
        clips.open(tmp_path / "t.lance")


def test_an_unfinished_table_is_opened_only_on_request(tmp_path: Path) -> None:
    state = PackState({"size": 1}, next_file=7, clips=1, content="00")
    rows = to_table([Row("a", "a", 0.0, 1.0)], schema())
    lance.write_dataset(rows, tmp_path / "t.lance", transaction_properties={"seehear.pack": state.to_json()})
    with pytest.raises(StorageError, match=r"stopped after 7 files.*goes on where it stopped"):
        clips.open(tmp_path / "t.lance")
    assert clips.open(tmp_path / "t.lance", partial=True).names == ["a"]


def test_damaged_rows_are_typed_and_named(tmp_path: Path) -> None:
    good = Row("good", "a", 0.0, 1.0, frames=[b"no jpeg"], frame_seconds=[0.5], audio=b"\0\0", audio_codec="pcm_s16le")
    rows = [good]
    rows.append(Row("odd", "a", 0.0, 1.0, audio=b"\0\0\0", audio_codec="pcm_s16le"))
    rows.append(Row("codec", "a", 0.0, 1.0, audio=b"\0\0", audio_codec="opus"))
    rows.append(Row("flac", "a", 0.0, 1.0, audio=b"fLaC----", audio_codec="flac"))
    rows.append(Row("frames", "a", 0.0, 1.0, frames=[b"x"], frame_seconds=[0.1, 0.2]))
    write(tmp_path / "t.lance", rows, schema())
    source = clips.open(tmp_path / "t.lance")
    read = source.read_many(range(5), ALL)
    reasons = [clip.reason for clip in read if isinstance(clip, MediaError)]
    damaged, unsupported = SkipReason.TRUNCATED, SkipReason.UNSUPPORTED
    assert reasons == [SkipReason.NOT_MEDIA, damaged, unsupported, damaged, damaged]
    assert "clip odd" in str(read[1])
    assert "pack the table again" in str(read[1])
    assert source.read(0, Needs(AudioNeed(1.0))).audio is not None
    with pytest.raises(MediaError, match="clip good"):
        source.read(0, ALL)


def test_truth_is_json_and_equal_however_it_was_ordered() -> None:
    from seehear.clips.schema import truth_text

    one = truth_text({"b": np.arange(2), "a": np.float32(0.5), "c": "é"})
    assert one == truth_text({"c": "é", "a": 0.5, "b": [0, 1]})
    assert json.loads(one) == {"a": 0.5, "b": [0, 1], "c": "é"}


def test_a_table_feeds_a_loader_by_threads(table: Path) -> None:
    from seehear.clips import Loader
    from seehear.randomness import Randomness

    source = clips.open(table).usable(ALL)
    assert len(source) == 148
    sampler = ShuffleSampler(source.ids, 16, 0)

    def batches(threads: int) -> list:
        loader = Loader(source, ALL, sampler, Randomness(0, 148), threads=threads, prefetch=6)
        return list(loader.batches(5, 12))

    for one, other in zip(batches(0), batches(3), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in ("waveform", "frames", "labels"))
