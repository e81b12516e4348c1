"""Annotations of sounding things: read as published, cut and counted, refused where they cannot be understood."""

import json
from pathlib import Path

import numpy as np
import pytest

from seehear.clips.published import read_flickr_soundnet, read_vgg_ss
from seehear.errors import DataError, StorageError
from seehear.metrics import consensus_truth, union_truth
from tests.clips.published_lists import write


def _vgg_ss(folder: Path, *entries: object) -> Path:
    return write(folder / "vggss.json", json.dumps(list(entries)))


def _entry(name: str, *boxes: list[float], label: str = "dog barking") -> dict[str, object]:
    return {"file": name, "class": label, "bbox": list(boxes)}


def _xml(folder: Path, name: str, *annotators: list[tuple[object, ...]]) -> Path:
    parts = []
    for boxes in annotators:
        inner = "".join(
            "<bbox>" + "".join(f"<e{k}>{value}</e{k}>" for k, value in enumerate(("object", *box))) + "</bbox>"
            for box in boxes
        )
        parts.append(f"<participant><id>1</id>{inner}</participant>")
    return write(folder / f"{name}.xml", f"<annotation>{''.join(parts)}</annotation>")


def test_vgg_ss(tmp_path: Path) -> None:
    path = _vgg_ss(
        tmp_path,
        _entry("a_000010", [0.25, 0.5, 1.0, 1.0]),
        _entry("b_000020", [-0.1, 0.0, 0.5, 1.2], [0.5, 0.5, 0.75, 0.75], label="wind"),
    )
    found = read_vgg_ss(path)
    assert list(found.clips) == ["a_000010", "b_000020"]
    assert found.clips["b_000020"].label == "wind"
    assert found.clips["b_000020"].boxes.tolist() == [[0.0, 0.0, 0.5, 1.0], [0.5, 0.5, 0.75, 0.75]]
    assert (found.report.clips, found.report.boxes, found.report.cut) == (2, 3, 1)
    truth = union_truth(found.clips["a_000010"].boxes)
    assert truth.sum() == 112 * 168


def test_flickr_soundnet(tmp_path: Path) -> None:
    _xml(tmp_path, "7", [(0, 0, 128, 256)], [(64, 0, 256, 256)], [(64, 0, 300, 128)])
    _xml(tmp_path, "12", [(10, 20, 30, 40), (100, 100, 200, 255)])
    write(tmp_path / "README.txt", "no annotation")
    found = read_flickr_soundnet(tmp_path)
    assert set(found.clips) == {"7", "12"}
    np.testing.assert_array_equal(found.clips["12"].boxes * 256, [[10, 20, 30, 40], [100, 100, 200, 255]])
    assert (found.report.boxes, found.report.cut) == (5, 1)
    truth = consensus_truth(found.clips["7"].boxes)
    assert [truth[row, column] for row, column in ((0, 0), (0, 60), (0, 120), (200, 120))] == [0.5, 1.0, 1.0, 0.5]


def test_what_cannot_be_used_is_counted_by_name(tmp_path: Path) -> None:
    path = _vgg_ss(
        tmp_path,
        _entry("kept", [0.1, 0.1, 0.2, 0.2], [0.5, 0.5, 0.5, 0.9]),
        _entry("outside", [1.1, 0.0, 1.4, 0.5]),
        _entry("bare"),
        _entry("away", [0.0, 0.0, 0.5, 0.5]),
    )
    found = read_vgg_ss(path)
    assert set(found.clips) == {"kept", "away"}
    assert len(found.clips["kept"].boxes) == 1
    assert found.report.empty == ("kept", "outside")
    assert found.report.without == ("outside", "bare")
    held = found.of(["kept", "stranger"])
    assert list(held.clips) == ["kept"]
    assert held.report.missing == ("away",)
    lines = "\n".join(held.report.lines())
    assert "4 annotated clips, 4 boxes" in lines
    assert "1 annotated clips are not at hand, left out: away" in lines
    assert "2 clips without a box left out: outside, bare" in lines
    with pytest.raises(DataError, match="none of the 2 annotated clips is among the 1 at hand"):
        found.of(["stranger"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ('{"file": "a"}', "holds a dict"),
        ("[]", "annotates no clip"),
        ('["a"]', "entry 1 is a"),
        ('[{"file": "a", "class": "b"}]', "a file, a class and a list of boxes"),
        ('[{"file": "a", "class": "b", "bbox": [0, 0, 1, 1]}]', "entry 1 has the box 0"),
        ('[{"file": "a", "class": "b", "bbox": [[0, 0, 1]]}]', r"the box \[0, 0, 1\]; expected four"),
        ('[{"file": "a", "class": "b", "bbox": [[0, 0, 1, NaN]]}]', "four finite numbers"),
        ('[{"file": "a", "class": "b", "bbox": [[0, 0, "1", 1]]}]', "four finite numbers"),
        ('[{"file": "a", "class": "b", "bbox": []}, {"file": "a", "class": "b", "bbox": []}]', "'a' again"),
    ],
)
def test_vgg_ss_that_cannot_be_understood(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=says):
        read_vgg_ss(write(tmp_path / "vggss.json", text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<annotation>", "is not XML"),
        ("", "is not XML"),
        ("<a><b><bbox><n/><x>1</x><y>2</y><z>3</z></bbox></b></a>", "five entries"),
        ("<a><b><bbox><n/><x>1</x><y>2</y><z>3</z><w>left</w></bbox></b></a>", "whole pixels"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "declares a document type"),
    ],
)
def test_flickr_annotation_that_cannot_be_understood(text: str, says: str, tmp_path: Path) -> None:
    write(tmp_path / "1.xml", text)
    with pytest.raises(DataError, match=says):
        read_flickr_soundnet(tmp_path)


def test_annotation_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="annotates no clip"):
        read_flickr_soundnet(tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        read_flickr_soundnet(tmp_path / "none")
    with pytest.raises(StorageError, match="cannot be read"):
        read_vgg_ss(tmp_path / "none.json")
