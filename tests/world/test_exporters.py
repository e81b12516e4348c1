"""Exporters: files read back by csv and json say what the truth says; folders that are no world are refused."""

import csv
import json
import shutil

import pytest

from seehear.errors import DataError, StorageError, UsageError
from seehear.world import build
from seehear.world.disk import manifest
from seehear.world.disk.exporters import KINDS, export
from seehear.world.disk.exporters.audioset import mid

CLIPS = {"train": 16, "val": 4}


@pytest.fixture(scope="module")
def localisation(tmp_path_factory):
    root = tmp_path_factory.mktemp("exported") / "localisation"
    build(root, "unit", track="L", clips=CLIPS, workers=1, seed=1)
    return root


@pytest.fixture(scope="module")
def separation(tmp_path_factory):
    root = tmp_path_factory.mktemp("exported") / "separation"
    build(root, "unit", track="P", clips=CLIPS, workers=1)
    return root


def records(root, split):
    return manifest.read(root / split / manifest.MANIFEST)


def test_a_world_with_silent_clips_is_built_whole(localisation):
    found = records(localisation, "train")
    assert len(found) == CLIPS["train"]
    silent = [item for item in found if item["truth"]["localisation"]["negative"] == "silent"]
    assert silent
    assert all(item["labels"] == [] and item["caption"] for item in silent)


def test_audioset_files_hold_the_labels(localisation, tmp_path):
    paths = export(localisation, tmp_path / "out", "audioset")
    assert [path.name for path in paths] == ["class_labels_indices.csv", "train_segments.csv", "val_segments.csv"]
    with open(paths[0], newline="", encoding="utf-8") as file:
        classes = {row["mid"]: row for row in csv.DictReader(file)}
    named = json.loads((localisation / "classes.json").read_text())
    assert [(row["index"], row["display_name"]) for row in classes.values()] == [
        (str(item["index"]), item["name"]) for item in named
    ]
    for split, path in zip(CLIPS, paths[1:], strict=True):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [line.startswith("#") for line in lines] == [True] * 3 + [False] * (len(lines) - 3)
        assert f"num_segs={len(lines) - 3}," in lines[1]
        rows = list(csv.reader(lines[3:], skipinitialspace=True))
        told = [item for item in records(localisation, split) if item["labels"]]
        assert [row[:3] for row in rows] == [[item["id"], "0.000", "1.600"] for item in told]
        heard = [[classes[one]["display_name"] for one in row[3].split(",")] for row in rows]
        assert heard == [item["labels"] for item in told]


def test_identifiers_of_classes_need_no_quotes():
    assert mid("wood bar") == "/w/wood%20bar"
    assert mid('a,"b"/c') == "/w/a%2C%22b%22%2Fc"


def test_vggss_files_hold_the_boxes_of_what_sounds(localisation, tmp_path):
    paths = export(localisation, tmp_path, "vggss")
    assert [path.name for path in paths] == ["vggss_train.json", "vggss_val.json"]
    for split, path in zip(CLIPS, paths, strict=True):
        entries = {item["file"]: item for item in json.loads(path.read_text())}
        told = records(localisation, split)
        seen = [item for item in told if item["truth"]["localisation"]["negative"] is None]
        assert list(entries) == [item["id"] for item in seen]
        for item in seen:
            sounding = [own["boxes"][10] for own in item["truth"]["objects"] if own["sounding"]]
            assert sorted(entries[item["id"]]["bbox"]) == sorted(sounding)
            assert set(entries[item["id"]]["class"].split(" and ")) == set(item["labels"])


def test_music_files_hold_solos_and_duets(separation, tmp_path):
    paths = export(separation, tmp_path, "music")
    assert [path.name for path in paths] == ["MUSIC_train.json", "MUSIC_val.json"]
    for split, path in zip(CLIPS, paths, strict=True):
        videos = json.loads(path.read_text())["videos"]
        assert set(videos) == {"solo", "duet"}
        told = {item["id"]: item for item in records(separation, split)}
        listed = {}
        for kind, count in (("solo", 1), ("duet", 2)):
            for key, ids in videos[kind].items():
                assert len(key.split(" ")) == count
                listed |= dict.fromkeys(ids, sorted(name.replace("_", " ") for name in key.split(" ")))
        wanted = {name: sorted(item["labels"]) for name, item in told.items() if len(item["labels"]) < 3}
        assert listed == wanted
    assert not videos["solo"]


def test_solos_off_screen_are_no_pairs(localisation, tmp_path):
    export(localisation, tmp_path, "music")
    text = (tmp_path / "MUSIC_train.json").read_text()
    for item in records(localisation, "train"):
        if item["truth"]["localisation"]["negative"] is not None:
            assert item["id"] not in text


def test_exports_can_be_repeated(separation, tmp_path):
    first = [path.read_bytes() for path in export(separation, tmp_path, "vggss")]
    assert [path.read_bytes() for path in export(separation, tmp_path, "vggss")] == first
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", KINDS)
def test_folders_that_are_no_finished_world_are_refused(kind, localisation, tmp_path):
    with pytest.raises(StorageError, match=rf"no world to export to '{kind}': it has no DATASHEET.json.*seehear world"):
        export(tmp_path / "nothing", tmp_path / "out", kind)
    world = tmp_path / "world"
    shutil.copytree(localisation, world, ignore=shutil.ignore_patterns("clips"))
    (world / "val" / "manifest.jsonl").rename(world / "kept")
    with pytest.raises(StorageError, match=rf"manifest.jsonl has 0 clips; expected 4, to be exported to '{kind}'"):
        export(world, tmp_path / "out", kind)
    (world / "kept").rename(world / "val" / "manifest.jsonl")
    (world / "classes.json").unlink()
    with pytest.raises(StorageError, match=r"classes\.json, needed to export"):
        export(world, tmp_path / "out", kind)
    sheet = json.loads((world / "DATASHEET.json").read_text())
    (world / "DATASHEET.json").write_text(json.dumps(sheet | {"complete": False}))
    with pytest.raises(StorageError, match=r"not finished.*build again"):
        export(world, tmp_path / "out", kind)


def test_unknown_formats_and_places_that_cannot_be_written(localisation, tmp_path):
    with pytest.raises(UsageError, match="music"):
        export(localisation, tmp_path, "musik")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file cannot be written"):
        export(localisation, tmp_path / "file", "vggss")


def test_a_world_without_what_the_format_holds(localisation, tmp_path):
    world = tmp_path / "world"
    shutil.copytree(localisation, world, ignore=shutil.ignore_patterns("clips"))
    for split in CLIPS:
        path = world / split / manifest.MANIFEST
        told = records(localisation, split)
        bare = [item | {"labels": [], "truth": item["truth"] | {"sources": []}} for item in told]
        manifest.write(path, bare)
    for kind, what in (("audioset", "a label"), ("vggss", "a sounding body"), ("music", "one or two sources")):
        with pytest.raises(DataError, match=f"has {what}"):
            export(world, tmp_path / "out", kind)
