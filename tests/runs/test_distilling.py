"""A student's whole run: its teacher is read once, saved, and the run goes on, is evaluated and reported without it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seehear import recipes
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.runs.distilling import pretrain_student
from seehear.runs.evaluation import evaluate
from seehear.runs.pretraining import build_method, pretrain
from seehear.runs.reporting import report
from seehear.training import RunConfig, load_method


def _config(table: Path, stage: int, steps: int = 2) -> RunConfig:
    recipe = recipes.get("mavil_tiny")
    inputs = InputConfig(
        audio_seconds=1.6, mel_bins=32, frame_shift_ms=20.0, audio_frames=80, image_height=32, image_width=32
    )
    method = replace(recipe.method, inputs=inputs, stage=stage, width=16, depth=1, heads=2, decoder_width=16)
    return replace(
        recipe,
        data=replace(recipe.data, table=str(table), global_batch=8),
        method=method,
        schedule=replace(recipe.schedule, warmup_steps=1),
        training=replace(recipe.training, steps=steps, log_every=1, checkpoint_every=1),
        evaluation=replace(recipe.evaluation, gallery=8, galleries=2, batch=5),
    )


class Told:
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.note = self.notes.append

    def __call__(self, text: str) -> None:
        pass


@pytest.fixture(scope="module")
def teacher(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher")
    pretrain(_config(table, stage=1), folder)
    return folder


def test_a_student_goes_on_without_its_teachers_run(table: Path, teacher: Path, tmp_path: Path) -> None:
    moved, folder = tmp_path / "teacher", tmp_path / "student"
    shutil.copytree(teacher, moved)
    pretrain_student(_config(table, stage=2), moved, folder)
    first = load_method(teacher)
    wanted = first.encoder.state_dict()
    shutil.rmtree(moved)
    told = Told()
    longer = pretrain_student(
        _config(table, stage=2, steps=3), moved, folder, accept_changes={"training.steps"}, progress=told
    )
    assert longer.resumed_from == 2
    assert told.notes[0] == f"going on with the teacher of the first start: {moved} is not read"
    student = load_method(folder)
    for name, tensor in student.teacher.state_dict().items():
        assert torch.equal(tensor, wanted[name]), name
    untrained = build_method(_config(table, stage=2)).encoder.state_dict()
    assert any(not torch.equal(tensor, untrained[name]) for name, tensor in student.encoder.state_dict().items())
    names = {figure.name for figure in evaluate(folder).figures}
    assert "retrieval/audio-to-image/R@1" in names
    assert not any(name.startswith("reconstruction") for name in names)
    assert "masked mse" not in report(folder).read_text(encoding="utf-8").lower()


def test_clips_much_shorter_than_what_is_heard_are_told_of(table: Path, tmp_path: Path) -> None:
    config, told = _config(table, stage=1, steps=1), Told()
    inputs = replace(config.method.inputs, audio_seconds=3.2, audio_frames=160)
    pretrain(replace(config, method=replace(config.method, inputs=inputs)), tmp_path, progress=told)
    assert "clips last 1.6 s in the median and the method hears 3.2 s: the rest is silence" in told.notes


def test_stage_one_is_evaluated_with_what_it_draws_of_films(teacher: Path) -> None:
    figures = {figure.name: figure for figure in evaluate(teacher).figures}
    drawn = figures["reconstruction/image/masked MSE"]
    assert drawn.value > 0
    assert set(drawn.baselines) == {"mean patch", "nearest patch", "smooth fill", "its own true mean"}


def test_a_student_may_start_where_its_teacher_ended(table: Path, teacher: Path, tmp_path: Path) -> None:
    config = _config(table, stage=2, steps=1)
    still = replace(config, optimizer=replace(config.optimizer, learning_rate=1e-30))
    pretrain_student(still, teacher, tmp_path, continue_student=True)
    mine, its = load_method(tmp_path).encoder.state_dict(), load_method(teacher).encoder.state_dict()
    torch.testing.assert_close(mine, its, rtol=0, atol=1e-12)


def test_a_method_without_a_teacher_and_a_student_without_one_are_refused(
    table: Path, teacher: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no teacher"):
        pretrain(_config(table, stage=2), tmp_path / "a")
    with pytest.raises(UsageError, match="stage 1 has no teacher"):
        pretrain_student(_config(table, stage=1), teacher, tmp_path / "b")
    other = replace(_config(table, stage=1), method=recipes.get("avsiam_tiny").method)
    with pytest.raises(UsageError, match="AVSiam learns from no teacher"):
        pretrain_student(other, teacher, tmp_path / "c")
