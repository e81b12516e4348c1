"""The demonstration: the world and a folder of videos, started twice, and few clips."""

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from seehear.errors import DataError
from seehear.runs import demonstration
from seehear.runs.run_folder import read_config


class Quiet:
    """A `Show` that keeps what it is told."""

    def __init__(self):
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    @contextmanager
    def progress(self, label: str, total: int | None = None, unit: str = "clips"):
        yield lambda done, total=None, note="": self.notes.append(f"{label} {done}/{total}")


def test_the_world_becomes_a_page_and_a_second_start_does_nothing_twice(table: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(demonstration, "PRESET", "unit")
    shutil.copytree(table.parent / "world", tmp_path / demonstration.WORLD)
    done = demonstration.demonstrate(tmp_path, Quiet(), steps=2)
    assert done.split == "test"
    assert {"retrieval/audio-to-image/R@10", "linear-probe/both/top-1"} <= {f.name for f in done.figures}
    assert "unit" not in done.report.name
    assert done.report.stat().st_size > 50_000

    weights = next((tmp_path / "checkpoints").glob("step-*/*.safetensors")).read_bytes()
    show = Quiet()
    again = demonstration.demonstrate(tmp_path, show, steps=2)
    assert [f.value for f in again.figures] == [f.value for f in done.figures]
    assert next((tmp_path / "checkpoints").glob("step-*/*.safetensors")).read_bytes() == weights
    assert not any(note.startswith("training 1/") for note in show.notes)


def test_few_videos_get_small_batches_and_the_broken_one_is_told(table: Path, tmp_path: Path):
    videos = tmp_path / "videos"
    videos.mkdir()
    for path in sorted((table.parent / "world" / "test" / "clips").glob("*.mp4"))[:4]:
        shutil.copy(path, videos)
    (videos / "broken.mp4").write_bytes(b"\x00" * 500)
    show = Quiet()
    done = demonstration.demonstrate(tmp_path / "run", show, videos=videos, steps=2)
    assert done.split == "train"
    assert read_config(tmp_path / "run").data.global_batch == 10
    assert any(note.startswith("skipped 1:") for note in show.notes)
    text = done.report.read_text(encoding="utf-8")
    assert "broken.mp4" in text
    assert "trained on" in text


def test_a_folder_without_media_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        demonstration.demonstrate(tmp_path / "run", Quiet(), videos=tmp_path / "empty")
    assert not (tmp_path / "run").exists()
