"""Evaluating on other clips than the run's own, and what a run says of clips that it has seen."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seehear import clips
from seehear.runs.evaluation import evaluate
from seehear.runs.pretraining import pretrain
from seehear.runs.reporting import report
from tests.runs.test_runs import _config


class Notes:
    """Collects what a run says."""

    def __init__(self):
        self.lines: list[str] = []

    def advance(self, step, total_steps):
        """Nothing."""

    def report(self, status):
        """Nothing."""

    def note(self, text):
        self.lines.append(text)


def repacked(table: Path, where: Path, split: str, labels: int | None, own: str = "test") -> str:
    """Clips of one split of a table packed anew into `split`: all, without labels, or of the first few classes."""
    source = clips.open(table).subset(split=own)
    names = source.label_names[: labels or len(source.label_names)]
    rows = [i for i in range(len(source)) if set(source.labels[i]) <= set(names)]
    needs = replace(_needs(table), labels=False)
    made = []
    for row in rows:
        clip = source.read(row, needs)
        clip.split, clip.labels = split, [] if labels == 0 else clip.labels
        made.append(clip)
    clips.pack(clips.MemoryClips(made), str(where), clip_seconds=1.6, hop=1.6, frames=4, size=32)
    return str(where)


def _needs(table):
    from seehear.runs.pretraining import build_method

    return build_method(_config(table)).needs


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    pretrain(_config(table, steps=3), folder)
    return folder


def test_a_table_with_some_of_the_classes_is_probed_with_all(run, table, tmp_path):
    found = evaluate(run, table=repacked(table, tmp_path / "few.lance", "test", labels=2))
    figures = {figure.name: figure for figure in found.figures}
    assert "linear-probe/both/top-1" in figures
    assert len(found.embeddings.label_names) == len(clips.open(table).label_names)


def test_clips_without_labels_are_searched_and_not_probed(run, table, tmp_path):
    told: list[str] = []
    found = evaluate(run, table=repacked(table, tmp_path / "flat.lance", "test", labels=0), tell=told.append)
    names = {figure.name for figure in found.figures}
    assert "retrieval/audio-to-image/R@1" in names
    assert not any(name.startswith("linear-probe") for name in names)
    assert any("no labels" in line for line in told)


def test_clips_that_a_further_table_trained_on_are_not_held_out(table, tmp_path):
    leak = repacked(table, tmp_path / "leak.lance", "train", labels=None)
    config, notes = _config(table, steps=2), Notes()
    pretrain(replace(config, data=replace(config.data, more_tables=(leak,))), tmp_path / "run", progress=notes)
    found = evaluate(tmp_path / "run")
    assert not found.held_out
    assert "some or all of which it was trained on" in report(tmp_path / "run").read_text(encoding="utf-8")


def test_a_step_of_more_clips_than_there_are_is_told(table, tmp_path):
    config, notes = _config(table, steps=1), Notes()
    count = int(np.sum([split == "train" for split in clips.open(table).splits]))
    pretrain(replace(config, data=replace(config.data, global_batch=5 * count)), tmp_path / "run", progress=notes)
    assert any(f"{count} clips for steps of {5 * count}" in line for line in notes.lines)
