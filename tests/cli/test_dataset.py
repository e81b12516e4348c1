"""`seehear dataset` as a person and as a machine meet it."""

from pathlib import Path

import pytest

from seehear.clips.subset_hash import subset_hash
from tests.cli.calls import failure, machine, people
from tests.clips.published_lists import class_list, make_clip, segments


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of five clips, of which two are there and one of them is silent."""
    root = tmp_path_factory.mktemp("held")
    make_clip(root / "media" / "a_0_1.mp4")
    make_clip(root / "media" / "b_0_1.mp4", loudness=0.0)
    segments(
        root, *(f'{name}, 0, 1, "{mid}"' for name, mid in zip("abcab", ["/m/09x0r", "/m/0bt9lr"] * 3, strict=False))
    )
    class_list(root)
    return root


def words(root: Path) -> list[object]:
    labels = root / "class_labels_indices.csv"
    return ["dataset", "audioset", root / "eval_segments.csv", "--labels", labels, "--media", root / "media"]


def test_a_list_becomes_a_manifest_that_pack_reads(
    held: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "eval.csv"
    said = people(capsys, *words(held), "--check", "--workers", 1, "--split", "eval", "--out", out)
    assert "missing: 1 of 3: c" in said
    assert "listed more than once: 2: a (rows 4, 7); b (rows 5, 8)" in said
    assert "silent: 1: b (digital silence)" in said
    assert "classes without a clip: 1 of 3: Female speech, woman speaking" in said
    assert subset_hash("ab") in said
    assert f"next: seehear pack {held / 'media'} clips.lance --manifest {out}" in said
    packed = machine(
        capsys, "pack", held / "media", tmp_path / "c.lance", "--manifest", out, "--size", 32, "--workers", 1
    )
    assert (packed["clips"], packed["splits"]) == (2, {"eval": 2})


def test_silent_clips_can_be_left_out(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = machine(capsys, *words(held), "--check", "--leave-out-silent", "--workers", 1)
    assert (report["kept"], report["subset_hash"]) == (1, subset_hash("a"))
    assert report["silent"] == {"b": None}
    assert report["missing"] == [{"id": "c", "detail": "no file"}]
    assert report["classes"][2] == {"name": "Dog", "mid": "/m/0bt9lr"}
    assert report["manifest"] is None


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        (["--per-class", "5", "--subset", "ids.csv"], 2, "expected one of them"),
        (["--out", "manifest.parquet"], 2, "ends in '.parquet'"),
        (["--media", "nowhere"], 3, "there is no folder nowhere"),
        (["--labels", "nowhere.csv"], 5, "nowhere.csv cannot be read"),
        (["--leave-out-silent"], 2, "add --check"),
    ],
)
def test_what_cannot_be_done(
    more: list[str], status: int, says: str, held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, line = failure(capsys, *words(held), *more)
    assert found == status
    assert says in line


def test_a_kind_that_there_is_not(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, line = failure(capsys, "dataset", "kinetics", held / "eval_segments.csv", "--media", held)
    assert status == 2
    assert "audioset" in line
