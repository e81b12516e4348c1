"""`seehear label`: half of the clips keep their labels, the others are named from them."""

import csv
from pathlib import Path

import pytest

from tests.cli.calls import failure, machine, people
from tests.search import made_tables

COUNT = 48


@pytest.fixture(scope="module")
def truth() -> dict[str, list[str]]:
    return {clip.id: clip.labels for clip in made_tables.world_clips(COUNT)}


@pytest.fixture(scope="module")
def half_labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each class six times round; every second round has no labels."""
    made = made_tables.world_clips(COUNT)
    for number, clip in enumerate(made):
        if number // 8 % 2:
            clip.labels = []
    table = made_tables.pack(made, tmp_path_factory.mktemp("labels") / "clips.lance")
    made_tables.embed(table)
    return table


def test_clips_without_labels_are_named(
    half_labelled: Path, truth: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labels.csv"
    found = machine(capsys, "label", half_labelled, "--out", out, "--by", "audio")
    assert found["examples"] == len(found["clips"]) == COUNT // 2
    assert set(found["classes"]) == {name for names in truth.values() for name in names}
    right = [clip["labels"] == truth[clip["id"]][0] for clip in found["clips"]]
    assert sum(right) / len(right) > 3 / len(found["classes"])  # three times chance
    assert found["quality"]["chance"] < 0.5
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [clip["id"] for clip in found["clips"]]
    assert all(float(row["end_seconds"]) > float(row["start_seconds"]) for row in rows)


def test_people_are_told_how_good_it_is(half_labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = people(capsys, "label", half_labelled)
    assert f"{COUNT // 2} clips named by both from {COUNT // 2} examples" in said
    assert "labelling/top-1" in said
    assert "--out labels.csv" in said


def test_what_cannot_be_named(half_labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there.csv").write_text("mine")
    status, line = failure(capsys, "label", half_labelled, "--out", tmp_path / "there.csv")
    assert (status, "exists" in line, "--overwrite" in line) == (5, True, True)
    assert (tmp_path / "there.csv").read_text() == "mine"
    without = made_tables.world_clips(4)
    for clip in without:
        clip.labels = []
    table = made_tables.pack(without, tmp_path / "none.lance")
    status, line = failure(capsys, "label", table)
    assert (status, "holds no vectors" in line) == (5, True)
    made_tables.embed(table)
    status, line = failure(capsys, "label", table)
    assert (status, "none of the 4 clips" in line) == (3, True)
    labelled = made_tables.pack(made_tables.world_clips(4), tmp_path / "all.lance")
    made_tables.embed(labelled)
    status, line = failure(capsys, "label", labelled)
    assert (status, "is without a label" in line) == (3, True)
