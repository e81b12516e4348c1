"""MUSIC's videos and pairs, AVSBench's clips and masks: made files in the published forms, and what is refused."""

import json

import numpy as np
import pytest
from PIL import Image

from seehear.clips.published import read_avsbench, read_masks, read_music, read_pairs
from seehear.errors import DataError, MediaError, StorageError, UsageError
from seehear.media import decode_mask
from tests.clips.published_lists import write

HEADING = "source_1,source_2,class_1,class_2,sep_type\n"
PAIRS = (
    "a_000364,b_000030,bass_drum,flute,Easy\n"
    'c_000000,d_000010,"violin,_fiddle","violin,_fiddle",Hard\n'
    "b_000030,a_000364,flute,bass_drum,Easy\n"
    "e_000001,e_000001,cello,cello,Hard\n"
    "e_000001,a_000364,cello,bass_drum,Easy\n"
)


# ------------------------------------------------------------------------------------------------- pairs
def test_pairs_are_read_and_what_cannot_be_used_is_counted(tmp_path):
    found = read_pairs(write(tmp_path / "pairs.csv", HEADING + PAIRS))
    assert [pair.clips for pair in found.pairs] == [
        ("a_000364", "b_000030"), ("c_000000", "d_000010"), ("e_000001", "a_000364")
    ]  # fmt: skip
    assert found.pairs[1].labels == ("violin, fiddle", "violin, fiddle")
    assert (found.pairs[1].kind, found.pairs[1].same_class, found.pairs[0].same_class) == ("Hard", True, False)
    assert (found.listed, found.same_class, found.with_itself, found.repeated) == (5, 1, 1, 1)
    assert found.lines() == [
        "5 listed pairs, 3 used, 1 of them of one class",
        "1 pair a clip with itself: left out",
        "1 come again: left out",
    ]


def test_pairs_of_clips_at_hand_and_of_two_classes(tmp_path):
    found = read_pairs(write(tmp_path / "pairs.csv", HEADING + PAIRS))
    held = found.of(["a_000364", "b_000030", "c_000000"])
    assert [pair.clips for pair in held.pairs] == [("a_000364", "b_000030")]
    assert [pair.clips[0] for pair in held.missing] == ["c_000000", "e_000001"]
    assert held.lines()[-1] == "2 name a clip that is not at hand: left out"
    apart = found.across_classes()
    assert (len(apart.pairs), apart.same_class, apart.left_out) == (2, 0, 1)
    with pytest.raises(DataError, match="none of the 3 pairs"):
        found.of(["a_000364"])
    with pytest.raises(DataError, match="all 1 pairs are of one class"):
        found.of(["c_000000", "d_000010"]).across_classes()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the columns none"),
        ("source_1,source_2\na,b\n", "the columns source_1, source_2; expected source_1"),
        (HEADING, "lists no pair"),
        (HEADING + "a,b,x,,Easy\n", "line 2 is a, b, x, , Easy"),
        (HEADING + "a,b,x,y\n", "expected 5 cells"),
        (HEADING + "a,b,x,y,Easy\na,c,z,y,Easy\n", "line 3 has a as z; expected x"),
        (HEADING + "a,a,x,x,Hard\n", "lists no pair of two clips"),
    ],
)
def test_lists_of_another_form_are_refused(tmp_path, text, says):
    with pytest.raises(DataError, match=says):
        read_pairs(write(tmp_path / "pairs.csv", text))


def test_music_videos_with_all_their_instruments(tmp_path):
    videos = {"videos": {"acoustic_guitar": ["x1", "x2"], "cello": ["x2"], "flute violin": ["x3"]}}
    found = read_music(write(tmp_path / "MUSIC.json", json.dumps(videos)))
    assert {v.id: v.instruments for v in found} == {
        "x1": ("acoustic guitar",), "x2": ("acoustic guitar", "cello"), "x3": ("flute", "violin")
    }  # fmt: skip
    for bad in ([], {"videos": []}, {"videos": {"cello": "x"}}, {"videos": {"cello": [3]}}, {"videos": {}}):
        with pytest.raises(DataError):
            read_music(write(tmp_path / "MUSIC.json", json.dumps(bad)))
    with pytest.raises(StorageError):
        read_music(tmp_path / "absent.json")


# ------------------------------------------------------------------------------------------------- AVSBench
def _picture(path, values, mode="L", palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.asarray(values, np.uint8))
    if palette:
        picture = picture.convert("P")
        picture.putdata(np.asarray(values, np.uint8).ravel().tolist())
        picture.putpalette(palette)
    picture.convert(mode).save(path) if mode == "1" else picture.save(path)


def _s4(folder, name="bell_1", split="val", count=5, sound=True):
    for k in range(1, 6):
        _picture(folder / f"s4_data/visual_frames/{split}/bells/{name}/{name}_{k}.png", np.zeros((4, 6, 3)))
    for k in range(1, count + 1):
        mask = 255 * (np.arange(24).reshape(4, 6) < k)
        _picture(folder / f"s4_data/gt_masks/{split}/bells/{name}/{name}_{k}.png", mask, "1")
    if sound:
        wav = folder / f"s4_data/audio_wav/{split}/bells/{name}.wav"
        wav.parent.mkdir(parents=True, exist_ok=True)
        wav.write_bytes(b"RIFF")


def test_s4_in_its_folders_and_what_is_not_whole(tmp_path):
    rows = "name,split,category\n" + "".join(f"bell_{k},val,bells\n" for k in range(1, 5)) + "bell_9,train,bells\n"
    path = write(tmp_path / "s4_meta_data.csv", rows)
    _s4(tmp_path)
    _s4(tmp_path, "bell_2", count=4)
    _s4(tmp_path, "bell_3", sound=False)
    _s4(tmp_path, "bell_9", split="train", count=1)
    found = read_avsbench("s4", path, "val")
    assert [clip.id for clip in found.clips] == ["bell_1"]
    assert (found.listed, found.missing, found.incomplete) == (4, ("bell_4",), ("bell_2", "bell_3"))
    assert found.lines() == [
        "4 listed clips, 1 used",
        "1 are not on disk: bell_4",
        "2 lack a frame, a mask or the sound: bell_2, bell_3",
    ]
    masks = read_masks("s4", found.clips[0])
    assert masks.shape == (5, 4, 6)
    assert masks.sum(axis=(1, 2)).tolist() == [1, 2, 3, 4, 5]
    (trained,) = read_avsbench("s4", path, "train").clips
    assert len(trained.masks) == len(trained.frames) == 1


def test_ms3_masks_are_foreground_wherever_something_sounds(tmp_path):
    path = write(tmp_path / "ms3_meta_data.csv", "video_id,split\nduo,test\n")
    palette = [0, 0, 0, 1, 1, 1, 128, 0, 0]
    for k in range(1, 6):
        _picture(tmp_path / f"ms3_data/visual_frames/duo/duo.mp4_{k}.png", np.zeros((2, 3, 3)))
        _picture(tmp_path / f"ms3_data/gt_masks/test/duo/duo_{k}.png", [[0, 1, 2], [0, 0, 2]], "P", palette)
    wav = tmp_path / "ms3_data/audio_wav/test/duo.wav"
    wav.parent.mkdir(parents=True)
    wav.write_bytes(b"RIFF")
    (clip,) = read_avsbench("ms3", path, "test").clips
    assert read_masks("ms3", clip)[0].tolist() == [[0, 1, 1], [0, 0, 1]]


def _avss(folder, masks):
    for k, mask in enumerate(masks):
        _picture(folder / f"v2/u1/labels_semantic/{k}.png", mask)
        frame = folder / f"v2/u1/frames/{k}.jpg"
        frame.parent.mkdir(parents=True, exist_ok=True)
        frame.write_bytes(b"jpeg")
    (folder / "v2/u1/audio.wav").write_bytes(b"RIFF")
    return write(folder / "metadata.csv", "vid,uid,s_min,s_sec,a_obj,split,label\nx,u1,0,1,dog,train,v2\n")


def test_avss_masks_number_classes(tmp_path):
    path = _avss(tmp_path, [np.full((2, 2), k) for k in range(11)])
    (clip,) = read_avsbench("avss", path, "train").clips
    assert [mask.stem for mask in clip.masks] == [str(k) for k in range(11)]
    assert read_masks("avss", clip)[:, 0, 0].tolist() == list(range(11))


def test_masks_that_cannot_be_are_refused(tmp_path):
    path = _avss(tmp_path, [np.full((2, 2), 200)])
    (clip,) = read_avsbench("avss", path, "train").clips
    with pytest.raises(DataError, match=r"class 200; expected 0 to 70.*labels_rgb"):
        read_masks("avss", clip)
    _avss(tmp_path, [np.zeros((2, 2)), np.zeros((3, 2))])
    with pytest.raises(DataError, match="sizes"):
        read_masks("avss", read_avsbench("avss", path, "train").clips[0])
    clip.masks[0].write_bytes(clip.masks[0].read_bytes()[:43])
    with pytest.raises(MediaError):
        read_masks("avss", clip)
    clip.masks[0].unlink()
    with pytest.raises(StorageError):
        read_masks("avss", clip)
    for data in (b"", b"GIF89a"):
        with pytest.raises(MediaError):
            decode_mask(data, "m.png")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("s4", "name,split\na,val\n", "the columns name, split; expected split, category"),
        ("ms3", "split\nval\n", "expected a name, split"),
        ("ms3", "name,split\na,dev\n", "line 2 is a, dev"),
        ("ms3", "name,split\n../a,val\n", "line 2"),
        ("ms3", "name,split\na,val\na,val\n", "the clip 'a' again"),
        ("ms3", "name,split\na,train\n", "no clip of the split 'val'"),
        ("ms3", "name,split\na,val\n", "is whole in"),
        ("avss", "uid,split,label\na,val,v9\n", "the label 'v9'; expected v1s, v1m, v2"),
        ("ms3", "name,split\na\n", "has 1 cells"),
    ],
)
def test_avsbench_lists_of_another_form_are_refused(tmp_path, kind, text, says):
    with pytest.raises(DataError, match=says):
        read_avsbench(kind, write(tmp_path / "list.csv", text), "val")


def test_unknown_kinds_and_splits_name_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="ms3"):
        read_avsbench("ms4", tmp_path / "x.csv", "val")
    with pytest.raises(UsageError, match="val"):
        read_avsbench("s4", tmp_path / "x.csv", "vall")
