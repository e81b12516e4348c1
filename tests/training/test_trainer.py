import errno
import json
import os

import pytest
import torch

from seehear.configuration import from_dict
from seehear.contracts import Figure
from seehear.errors import DataError, StorageError, UsageError
from seehear.training import DataConfig, RunConfig, Trainer, latest_checkpoint, load_method, open_checkpoint
from seehear.training.logs import read_figures, read_lines
from seehear.training.run_lock import run_lock
from tests.training.stubs import MemoryStream, TwoTowers, record_of, register_stub, stub_config


def trainer(folder, *, stream=None, config=None, **options):
    config = config or stub_config()
    return Trainer(TwoTowers(config.method), stream or MemoryStream(), config, folder, **options)


def test_the_folder_tells_the_run(tmp_path):
    register_stub()
    summary = trainer(tmp_path / "deep" / "run").run()
    folder = summary.folder
    assert from_dict(RunConfig, json.loads((folder / "config.json").read_text())) == stub_config()
    metrics = read_lines(folder / "metrics.jsonl")
    assert [line["step"] for line in metrics] == [1, 3, 6, 9, 12]
    assert metrics[-1].keys() == {
        "step", "epoch", "loss", "accuracy", "gradient_norm", "learning_rate", "skipped_steps",
    }  # fmt: skip
    assert metrics[-1]["loss"] == summary.loss
    assert metrics[-1]["epoch"] == summary.epoch == 12 * 8 / 20
    assert [p.name for p in sorted((folder / "checkpoints").iterdir())] == ["step-00000008", "step-00000012"]
    assert summary.checkpoint == latest_checkpoint(folder)
    assert {"clips_per_second", "seconds_left", "time"} < read_lines(folder / "timing.jsonl")[0].keys()
    assert [e["event"] for e in read_lines(folder / "events.jsonl")] == ["start", "done"]


def test_the_rate_logged_is_the_rate_used(tmp_path):
    trainer(tmp_path).run()
    state = open_checkpoint(latest_checkpoint(tmp_path)).state
    rates = [line["learning_rate"] for line in read_lines(tmp_path / "metrics.jsonl")]
    assert rates[0] == state["config"]["optimizer"]["learning_rate"] / 2  # first of two steps of warm-up
    assert rates[1] == 0.01
    assert rates == sorted(rates[:1]) + sorted(rates[1:], reverse=True)


def test_it_learns(tmp_path):
    config = stub_config(steps=150, log_every=50, checkpoint_every=150)
    trainer(tmp_path, config=config).run()
    losses = [line["loss"] for line in read_lines(tmp_path / "metrics.jsonl")]
    assert losses[-1] < 0.7 * losses[0]


def test_bad_clips_are_counted_and_written_down(tmp_path):
    summary = trainer(tmp_path, stream=MemoryStream(broken=(3,))).run()
    lines = read_lines(tmp_path / "samples.jsonl")
    replaced = [r for line in lines for r in line["replacements"]]
    assert summary.replacements == {"truncated or damaged": len(replaced)}
    assert len(replaced) >= 3
    for line in lines:
        assert len(line["ids"]) == 8
        assert 3 not in line["ids"]
        for r in line["replacements"]:
            assert line["ids"][r["position"] - (line["step"] - 1) * 8] == r["replaced_by"]


def test_the_sampler_is_told_rows_of_the_losses(tmp_path):
    stream = MemoryStream()
    trainer(tmp_path, stream=stream, config=stub_config(method=TwoTowers.Config(rows=True))).run()
    assert stream.sampler.observed == 12
    assert (stream.sampler.surprise > 0).all()


def test_progress_lines_are_aligned(tmp_path):
    lines = []
    trainer(tmp_path, progress=lines.append, config=stub_config(steps=12, log_every=5)).run()
    assert [line.split("/")[0] for line in lines] == ["step  1", "step  5", "step 10", "step 12"]
    assert len({line.index("clips/s") for line in lines}) == 1
    assert all(word in lines[0] for word in ("epoch", "loss", "left"))


def test_a_view_is_told_every_step(tmp_path):
    class View:
        def __init__(self):
            self.steps, self.losses, self.notes = [], [], []

        def advance(self, step, total_steps):
            self.steps.append((step, total_steps))

        def report(self, status):
            self.losses.append(status.loss)

        def note(self, text):
            self.notes.append(text)

    view = View()
    summary = trainer(tmp_path, progress=view, config=stub_config(steps=3, accumulate=2)).run()
    assert view.steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert view.losses[-1] == summary.loss
    assert "accumulated" in view.notes[0]


class Evaluation:
    """Yields one figure, drawing on the global generators and the method's mode as a careless one might."""

    def __init__(self, fail_at=None):
        self.steps, self.fail_at = [], fail_at

    def __call__(self, method, progress):
        assert not method.training
        assert not torch.is_grad_enabled()
        self.steps.append(progress.step)
        torch.rand(3)
        if progress.step == self.fail_at:
            raise KeyboardInterrupt
        yield Figure("loudness", method.sound.weight.abs().mean().item(), chance=0.0)


def test_evaluations_leave_no_trace_in_training(tmp_path):
    trainer(tmp_path / "without").run()
    evaluation = Evaluation()
    config = stub_config(evaluate_every=5)
    summary = trainer(tmp_path / "with", config=config, evaluations=[evaluation]).run()
    assert evaluation.steps == [5, 10, 12]
    assert summary.figures == read_figures(tmp_path / "with", 12)
    assert summary.figures[0].name == "loudness"
    with_it, without = record_of(tmp_path / "with"), record_of(tmp_path / "without")
    assert with_it == without


def test_an_evaluation_that_was_cut_off_is_made_up_for(tmp_path):
    config = stub_config(evaluate_every=5)
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path, config=config, evaluations=[Evaluation(fail_at=5)]).run()
    evaluation = Evaluation()
    assert trainer(tmp_path, config=config, evaluations=[evaluation]).run().resumed_from == 5
    assert evaluation.steps == [5, 10, 12]
    assert [line["step"] for line in read_lines(tmp_path / "figures.jsonl")] == [5, 10, 12]
    again = Evaluation()
    assert trainer(tmp_path, config=config, evaluations=[again]).run().figures
    assert again.steps == []


def test_viewers_take_metrics_and_figures(tmp_path):
    class Viewer:
        def __init__(self):
            self.lines, self.closed = [], 0

        def log(self, step, values):
            self.lines.append((step, set(values)))

        def close(self):
            self.closed += 1

    viewer = Viewer()
    trainer(tmp_path, viewers=[viewer], evaluations=[Evaluation()], config=stub_config(steps=3)).run()
    assert [step for step, _ in viewer.lines] == [1, 3, 3]
    assert viewer.lines[-1] == (3, {"loudness"})
    assert viewer.closed == 1


def test_a_trained_method_is_loaded_from_run_or_checkpoint(tmp_path):
    register_stub()
    config = stub_config(method=TwoTowers.Config(width=5, tied=True))
    method = TwoTowers(config.method)
    Trainer(method, MemoryStream(), config, tmp_path).run()
    for folder in (tmp_path, latest_checkpoint(tmp_path)):
        loaded = load_method(folder)
        assert loaded.config == config.method
        assert not loaded.training
        assert loaded.picture.bias is loaded.sound.bias
        state = loaded.state_dict()
        assert all(torch.equal(state[name], value) for name, value in method.state_dict().items())


def test_nothing_to_load_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="holds no whole checkpoint"):
        load_method(tmp_path)


def test_a_folder_in_use_is_refused(tmp_path):
    with run_lock(tmp_path), pytest.raises(UsageError, match="in use by process"):
        trainer(tmp_path).run()


def test_a_stream_that_ends_early_is_refused_and_closed(tmp_path):
    stream = MemoryStream()
    whole = stream.batches
    stream.batches = lambda first, last: whole(first, 5)
    with pytest.raises(DataError, match="the stream ended before step 6"):
        trainer(tmp_path, stream=stream).run()
    assert stream.closed


def test_a_short_batch_is_refused(tmp_path):
    stream = MemoryStream(world_size=2)
    with pytest.raises(DataError, match="a batch of step 1 holds 4 clips; expected 8"):
        trainer(tmp_path, stream=stream).run()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stream": MemoryStream(global_batch=10)}, r"data\.global_batch is 8, the stream's 10"),
        ({"config": stub_config(accumulate=3)}, r"data\.global_batch is 8; expected a multiple of 1 processes x 3"),
        ({"accept_changes": ("training.step",)}, r"field 'training\.step' to accept.*try: training\.steps"),
        ({"device": "tpu-ish"}, "device is 'tpu-ish'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        trainer(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a machine without CUDA")
def test_cuda_without_cuda_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"does not see.*seehear doctor"):
        trainer(tmp_path, device="cuda")


def test_a_full_disk_ends_the_run_and_freed_space_lets_it_go_on(tmp_path):
    told = []

    def full(name):
        told.append(name)
        if told.count("write optimizers") == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageError, match="the disk is full") as caught:
        trainer(tmp_path, after_file_operation=full).run()
    assert caught.value.exit_status == 5
    assert open_checkpoint(latest_checkpoint(tmp_path)).step == 4
    assert trainer(tmp_path).run().resumed_from == 4


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot write .*file"):
        trainer(tmp_path / "file" / "run").run()


def test_other_threads_are_told_on_a_resume(tmp_path):
    trainer(tmp_path, config=stub_config(threads=1)).run()
    trainer(tmp_path, config=stub_config(threads=2)).run()
    texts = [e.get("text", "") for e in read_lines(tmp_path / "events.jsonl")]
    assert any("threads: 1 at the checkpoint, 2 now" in text for text in texts)
    assert DataConfig().global_batch == 64
