"""The check of a written world passes what is whole, and names the clips that break a promise."""

import copy
import json
import shutil

import pytest

from seehear.errors import DataError, StorageError
from seehear.world import build
from seehear.world.disk import building, datasheet, manifest
from seehear.world.disk.checking import audit_folder, check, check_records, refuse_failed
from seehear.world.presets import resolve

CLIPS = {"train": 8, "val": 8, "test": 8, "test_iid": 8}
CHECKS = {
    "files", "labels", "truth", "seeds", "reproducible", "arrays", "instances", "rooms", "noises", "templates",
    "balance", "cells",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world with parameter cells and masks; nobody changes it."""
    root = tmp_path_factory.mktemp("checking") / "world"
    build(root, "base", clips=CLIPS, size=64, seconds=1.6, workers=1, arrays=("masks",))
    return root


@pytest.fixture
def judge(world):
    """Check the world's records after a change of them."""
    sheet = datasheet.read(world)
    preset = resolve("base", clips=CLIPS, size=64, seconds=1.6)
    assert json.loads(json.dumps(preset.to_dict())) == sheet["preset"]
    records = [item for split in CLIPS for item in manifest.read(world / split / manifest.MANIFEST)]

    def changed(change):
        mine = copy.deepcopy(records)
        by_id = {f"{item['split']} {item['truth']['index']}": item for item in mine}
        change(by_id)
        return check_records(world, preset, 0, list(by_id.values()))

    return changed


def test_a_build_checks_itself_and_so_can_anyone(world):
    found = check(world)
    assert found["status"] == "passed"
    assert found["clips"] == 32
    assert found["problems"] == {name: [] for name in CHECKS}
    assert datasheet.read(world)["checks"] == found
    document = audit_folder(world)
    json.dumps(document)
    assert document["checks"]["problems"] == {name: [] for name in CHECKS | {"fingerprint"}}
    assert document["audit"]["status"] == "not audited"
    assert document["fingerprint"] == datasheet.read(world)["fingerprint"]


def put(path, value):
    def change(clips):
        held = clips
        for key in path[:-1]:
            held = held[key]
        held[path[-1]] = value(clips) if callable(value) else value

    return change


def both(*changes):
    def change(clips):
        for own in changes:
            own(clips)

    return change


def taken(clip, *path):
    def value(clips):
        held = clips[clip]
        for key in path:
            held = held[key]
        return copy.deepcopy(held)

    return value


@pytest.mark.parametrize(
    ("change", "check_name", "message"),
    [
        (
            put(("val 3", "truth", "objects", 0), taken("train 3", "truth", "objects", 0)),
            "instances",
            r"instance .* \d+ is in val-A1-0-000003 and in train-A1-0-000003",
        ),
        (
            put(("test 3", "truth", "room"), taken("train 3", "truth", "room")),
            "rooms",
            r"room \d+ is in test-A1-0-000003 and in train",
        ),
        (
            put(("test 1", "truth", "noise"), taken("val 3", "truth", "noise")),
            "noises",
            r"noise \d+ is in test-A1-0-000001 and in val",
        ),
        (
            put(("val 1", "truth", "caption_template"), taken("train 0", "truth", "caption_template")),
            "templates",
            r"template \d+ is in val-A1-0-000001 and in train",
        ),
        (
            put(("test 3", "truth", "objects", 0), taken("train 3", "truth", "objects", 0)),
            "cells",
            r"parameter cell .* is in test-A1-0-000003 and in train-A1-0-000003",
        ),
        (
            both(
                put(("val 1", "labels"), taken("val 2", "labels")),
                put(("val 1", "truth", "label_single"), taken("val 2", "truth", "label_single")),
            ),
            "balance",
            "split val has 2 clips of .* and 0 of",
        ),
        (put(("train 1", "labels"), ["unicorn"]), "labels", r"train-A1-0-000001 has the unknown labels \['unicorn'\]"),
        (put(("train 1", "truth", "boxes"), []), "truth", r"train-A1-0-000001: truth\.boxes is not a declared field"),
        (put(("train 1", "truth", "seed"), 5), "seeds", "train-A1-0-000001 is of seed 5, track A"),
        (
            put(("train 1", "truth", "index"), 2),
            "seeds",
            r"train-A1-0-000002 and train-A1-0-000001 are both \('train', 2\)",
        ),
        (put(("train 0", "scene_hash"), "0"), "reproducible", "train-A1-0-000000 has the scene hash 0, and"),
        (put(("train 7", "nuisance", "bytes"), 5), "files", "a file of train-A1-0-000007 is missing, or has another"),
        (put(("train 7", "truth_arrays_bytes"), 5), "files", "a file of train-A1-0-000007"),
        (lambda clips: clips.pop("val 7"), "files", "split val has 7 clips, 8 are expected"),
        (
            put(("train 2", "truth_arrays"), taken("train 3", "truth_arrays")),
            "arrays",
            "train-A1-0-000002: .*holds masks of",
        ),
    ],
)
def test_a_broken_promise_is_named(judge, change, check_name, message):
    found = judge(change)
    assert found["status"] == "failed"
    assert found["problems"][check_name]
    with pytest.raises(DataError, match=rf"{check_name}: {message}"):
        refuse_failed(found)


def test_seen_individuals_may_come_back_in_the_control(judge):
    change = put(("test_iid 3", "truth", "room"), taken("train 3", "truth", "room"))
    assert judge(change)["problems"]["rooms"] == []


def test_a_failed_check_fails_the_build_now_and_later(tmp_path, monkeypatch):
    real = building.manifest.record

    def leaking(clip, *others):
        item = real(clip, *others)
        return item | {"truth": item["truth"] | {"room": item["truth"]["room"] | {"background": 7}}}

    clips = {"train": 2, "test": 2}
    with monkeypatch.context() as patch:
        patch.setattr(building.manifest, "record", leaking)
        with pytest.raises(DataError, match="rooms: room 7 is in test-A0-0-000000 and in train-A0-0-000000"):
            build(tmp_path / "world", "unit", clips=clips, workers=1)
    with pytest.raises(DataError, match="rooms: room 7"):
        build(tmp_path / "world", "unit", clips=clips, workers=1)
    assert datasheet.read(tmp_path / "world")["checks"]["status"] == "failed"


def test_what_is_no_finished_world_of_this_version_is_refused(world, tmp_path):
    with pytest.raises(StorageError, match="holds no world"):
        check(tmp_path)
    (tmp_path / "copy").mkdir()
    shutil.copy(world / "DATASHEET.json", tmp_path / "copy")
    sheet = datasheet.read(world)
    for change, message in (
        ({"complete": False}, "has not ended"),
        ({"world_version": 99}, "holds world version 99; expected version 1"),
        ({"truth_schema": 99}, "holds truth of schema 99; expected version 1"),
    ):
        (tmp_path / "copy" / "DATASHEET.json").write_text(json.dumps(sheet | change))
        with pytest.raises(StorageError, match=message):
            audit_folder(tmp_path / "copy")
