"""`seehear export`: what is written for whom, and what cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest

import seehear
from seehear.cli import main
from seehear.media.pictures import encode_jpeg
from tests.cli.calls import failure, machine, people


def test_a_model_for_the_hub_as_a_person_and_a_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    said = people(capsys, "export", "avsiam-world", tmp_path / "one", "--hub")
    assert "It knows generated sounds and pictures only" in said
    assert "seehear.load(" in said
    assert "hf upload OWNER/NAME" in said
    told = machine(capsys, "export", "avsiam-world", tmp_path / "two", "--hub")
    assert told["name"] == "avsiam-world"
    assert told["weights"] == seehear.load(tmp_path / "two").about.weights
    assert set(told["files"]) == {"README.md", "config.json", "figures.json", "model.safetensors"}
    assert told["signature"] == {}


def test_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "out"
    said = people(capsys, "export", "avsiam-world", out, "--pt2", "--entry", "image")
    assert "image.pt2" in said
    assert "pictures" in said
    assert "example_pt2.py" in said
    told = json.loads((out / "signature.json").read_text())
    assert list(told["entries"]) == ["image"]
    assert told["knows"].startswith("It knows generated")
    assert {path.name for path in out.iterdir()} == {"README.md", "image.pt2", "signature.json", "example_pt2.py"}


def test_a_table_as_tars(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table = _table(tmp_path)
    capsys.readouterr()
    told = machine(capsys, "export", table, tmp_path / "tars", "--webdataset")
    assert (told["clips"], told["shards"]) == (2, 1)
    assert (tmp_path / "tars/000000.tar").exists()
    assert "2 clips in 1 tars" in people(capsys, "export", table, tmp_path / "more", "--webdataset")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("avsiam-world", "out"), 2, "nothing to write is named; expected --pt2, --onnx, --hub or --webdataset"),
        (("avsiam-wrold", "out", "--hub"), 2, "unknown model 'avsiam-wrold'"),
        (("avsiam-world", "out", "--hub", "--webdataset"), 2, "--webdataset beside --pt2, --onnx or --hub"),
        (("avsiam-world", "full", "--hub"), 5, "full exists; expected a new or empty folder"),
        (("avsiam-world", "out", "--hub", "--licence", "mit"), 2, "avsiam-world is no run"),
        (("avsiam-world", "out", "--hub", "--notes", "none.md"), 5, "none.md cannot be read"),
        (("full", "out", "--hub"), 5, "full holds no whole checkpoint"),
        (("none", "out", "--webdataset"), 5, "none"),
        (("full", "out", "--webdataset"), 5, "full"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(
    words: tuple[str, ...],
    status: int,
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").touch()
    found, line = failure(capsys, "export", *words)
    assert (found, says in line) == (status, True), line
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["full", "mine"]


def test_a_table_is_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    table = _table(tmp_path)
    status, line = failure(capsys, "export", table, tmp_path / "out", "--onnx")
    assert status == 2
    assert "is a table of clips; expected --webdataset" in line


def _table(folder: Path) -> Path:
    (folder / "photos").mkdir()
    for number in range(2):
        pixels = np.full((32, 40, 3), 90 * number, np.uint8)
        (folder / f"photos/{number}.jpg").write_bytes(encode_jpeg(pixels))
    assert main(["pack", str(folder / "photos"), str(folder / "photos.lance"), "--modality", "image", "--json"]) == 0
    return folder / "photos.lance"
