"""How published lists, class lists and lists of ids are read, and what of them is refused."""

import json
from pathlib import Path

import pytest

from seehear.clips.published import ListedClip, read_class_list, read_ids, read_list
from seehear.clips.published.id_list import select
from seehear.errors import DataError, StorageError, UsageError
from tests.clips.published_lists import DOG, SPEECH, WOMAN, class_list, segments, write

ROW = '--4gqARaEJE, 30.000, 40.000, "/m/0bt9lr,/m/09x0r,/m/0bt9lr"'


def test_audioset_segments(tmp_path: Path) -> None:
    found = read_list("audioset", segments(tmp_path, ROW, 'x, 0.000, 9.5, "/t/dd00004"'), class_list(tmp_path))
    assert found.classes.names == (SPEECH, WOMAN, DOG)
    assert found.classes.mids == ("/m/09x0r", "/t/dd00004", "/m/0bt9lr")
    first, second = found.clips
    assert first == ListedClip("--4gqARaEJE", "--4gqARaEJE", (DOG, SPEECH), 4, 30.0, 40.0)
    assert (second.labels, second.row, second.end_seconds) == ((WOMAN,), 5, 9.5)


def test_vggsound(tmp_path: Path) -> None:
    text = 'B5KE79I2f-A,188,wind noise,test\nB5KE79I2f-A,220,"cattle, bovinae cowbell",train\na_b,0,wind noise,train\n'
    path = write(tmp_path / "vggsound.csv", text)
    found = read_list("vggsound", path)
    assert found.classes.names == ("cattle, bovinae cowbell", "wind noise")
    assert [clip.id for clip in found.clips] == ["B5KE79I2f-A_000188", "B5KE79I2f-A_000220", "a_b_000000"]
    assert [clip.split for clip in found.clips] == ["test", "train", "train"]
    assert (found.clips[0].video, found.clips[0].start_seconds, found.clips[0].end_seconds) == ("B5KE79I2f-A", 188, 198)
    names = "index,mid,display_name\n0,/v/1,wind noise\n1,/v/0,cattle_ bovinae cowbell\n"
    ordered = read_list("vggsound", path, write(tmp_path / "classes.csv", names))
    assert ordered.classes.names == ("wind noise", "cattle_ bovinae cowbell")
    assert ordered.clips[1].labels == ("cattle_ bovinae cowbell",)


def test_cav_mae(tmp_path: Path) -> None:
    entry = {
        "video_id": "-0nq",
        "wav": "/data/audio/Y-0nq.flac",
        "video_path": "/data/",
        "labels": "/t/dd00004,/m/09x0r",
    }
    path = write(tmp_path / "eval.json", json.dumps({"data": [entry, {"video_id": "x", "labels": "/m/0bt9lr"}]}))
    first, second = read_list("cav-mae", path, class_list(tmp_path)).clips
    assert first == ListedClip("-0nq", "-0nq", (WOMAN, SPEECH), 1, stem="Y-0nq")
    assert (second.id, second.labels, second.row, second.stem) == ("x", (DOG,), 2, "")


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("audioset", "a, 0, 10\n", r"line 1 has 3 columns: a, 0, 10; expected YTID, start"),
        ("audioset", "# c\na, 0, 10, /m/09x0r,/m/0bt9lr\n", "line 2 has 5 columns"),
        ("audioset", 'a, soon, 10, "/m/09x0r"\n', "line 1 goes from 'soon' to '10'"),
        ("audioset", 'a, 10, 10, "/m/09x0r"\n', "the end after the start"),
        ("audioset", 'a, 0, 10, "/m/1"\n', r"line 1 has the label '/m/1'; expected one of the 3 mids"),
        ("audioset", 'a, 0, 10, ""\n', "has the label ''"),
        ("audioset", 'a, 0, 10, "/m/09x0r"\n\nb, 0, 10, "/m/09', "line 3 is not a row of a CSV"),
        ("audioset", "# Segments csv\n", "lists no clip"),
        ("audioset", "", "lists no clip"),
        ("vggsound", "a,30,bee, wasp,test\n", "5 columns.*without quotes"),
        ("vggsound", "a,3.5,Dog,test\n", "starts at '3.5'; expected whole seconds"),
        ("vggsound", "a,30,Dog,val\n", "split 'val'; expected train or test"),
        ("vggsound", "a,30,Cat,test\n", "label 'Cat'; expected one of the 3 names"),
        ("cav-mae", "{", "is not JSON"),
        ("cav-mae", "[]", r'holds a list; expected \{"data"'),
        ("cav-mae", '{"rows": []}', "holds the keys rows"),
        ("cav-mae", '{"data": []}', "lists no clip"),
        ("cav-mae", '{"data": ["a"]}', "entry 1 is a str"),
        ("cav-mae", '{"data": [{"video_id": "a"}]}', "labels ''.*three texts"),
        ("cav-mae", '{"data": [{"video_id": "a", "labels": "/m/1"}]}', "entry 1 has the label '/m/1'"),
    ],
)
def test_lists_that_cannot_be_understood(kind: str, text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_list(kind, write(tmp_path / "list", text), class_list(tmp_path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no rows"),
        ("mid,display_name\n/m/1,Dog\n", "has the columns mid, display_name; expected index, mid, display_name"),
        ("index,mid,display_name\n", "names no class"),
        ("index,mid,display_name\n0,/m/1\n", "line 2 is"),
        ("index,mid,display_name\n0,/m/1,A\n2,/m/2,B\n", "2 classes and no index 1"),
        ("index,mid,display_name\n0,/m/1,A\n0,/m/2,B\n", "one index twice"),
        ("index,mid,display_name\n0,/m/1,A\n1,/m/1,B\n", "'/m/1' twice"),
        ("index,mid,display_name\n0,/m/1,A\n1,/m/2,A\n", "'A' twice"),
    ],
)
def test_class_lists_that_cannot_be_understood(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_class_list(write(tmp_path / "classes.csv", text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_list("vggsound", tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        read_list("vggsound", tmp_path / "bytes.csv")
    with pytest.raises(UsageError, match=r"no class list is given.*--labels"):
        read_list("audioset", segments(tmp_path, ROW))
    with pytest.raises(UsageError, match=r"unknown kind of list 'audiset'.*try: audioset"):
        read_list("audiset", segments(tmp_path, ROW))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x\ny\nx\n"),
        ("a.csv", "# heading\nx.mp4,dog\nsub/y.mp4,cat\n"),
        ("a.csv", "label,video_id\ndog,x\ncat,y\n"),
        ("a.txt", "x\n\ny"),
        ("a.json", '["x", "y"]'),
        ("a.json", '{"data": [{"video_id": "x", "labels": "/m/1"}, {"video_id": "y"}]}'),
    ],
)
def test_lists_of_ids(name: str, text: str, tmp_path: Path) -> None:
    assert read_ids(write(tmp_path / name, text)) == ["x", "y"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "", "names no clip"),
        ("a.csv", "id,label\nx,dog\n,cat\n", "line 3 names no clip"),
        ("a.json", '{"clips": []}', "holds no list"),
        ("a.json", '[{"name": "x"}]', "entry 1 names no clip"),
        ("a.json", "[3]", "entry 1 names no clip"),
    ],
)
def test_lists_of_ids_that_cannot_be_understood(name: str, text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_ids(write(tmp_path / name, text))


def test_a_subset_goes_by_clip_or_by_video() -> None:
    listed = [ListedClip(f"{v}_{s:06d}", v, (), s) for v, s in (("a", 1), ("a", 2), ("b", 3))]
    chosen, unlisted = select(listed, ["b", "gone", "a_000002"])
    assert ([clip.id for clip in chosen], unlisted) == (["a_000002", "b_000003"], ["gone"])
    with pytest.raises(DataError, match="names 'a', of which the list has a_000001, a_000002"):
        select(listed, ["a"])
