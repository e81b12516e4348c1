"""A run that is stopped in any way and started again ends as the unbroken run, byte for byte (R1, R4, R7)."""

import os
import signal

import pytest

from seehear.errors import RequeueError, StorageError
from seehear.training import Trainer, latest_checkpoint, open_checkpoint
from seehear.training.compatibility import check_same_run
from seehear.training.logs import read_lines
from tests.training.children import signalled_twice, stuck_after_signal, train
from tests.training.processes import exit_codes, start
from tests.training.stubs import BESIDE, MemoryStream, TwoTowers, record_of, stub_config


class Crash(BaseException):
    """Stands for a sudden end of the process."""


def run(folder, *, method=None, hook=None, clips=20, **config):
    config = stub_config(method=method or TwoTowers.Config(rows=True), **config)
    return Trainer(TwoTowers(config.method), MemoryStream(clips, hook=hook, broken=(3,)), config, folder).run()


def crash_at(step):
    def hook(now):
        if now == step:
            raise Crash

    return hook


@pytest.fixture(autouse=True, params=[False, True], ids=["in place", "beside"])
def beside(request, monkeypatch):
    """Every test of this file, with checkpoints written in place and beside training."""
    monkeypatch.setenv(BESIDE, str(int(request.param)))
    return request.param


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    train(folder)
    return record_of(folder)


@pytest.mark.parametrize("step", range(12))
def test_a_crash_before_any_step(tmp_path, unbroken, step):
    with pytest.raises(Crash):
        run(tmp_path, hook=crash_at(step))
    assert run(tmp_path).resumed_from == (step // 4 * 4 or None)
    assert record_of(tmp_path) == unbroken


def test_a_chain_of_crashes(tmp_path, unbroken):
    for step in (0, 1, 4, 3 + 4, 8, 8, 11, 11):  # first steps, epoch edges, twice at the same place
        with pytest.raises(Crash):
            run(tmp_path, hook=crash_at(step))
    run(tmp_path)
    assert record_of(tmp_path) == unbroken
    assert [e["step"] for e in read_lines(tmp_path / "events.jsonl") if e["event"] == "resume"] == [4, 4, 8, 8, 8, 8]


@pytest.mark.parametrize("alternating", [False, True])
def test_every_kind_of_state_is_taken_up(tmp_path, alternating):
    method = TwoTowers.Config(alternating=alternating, rows=not alternating, dropout=0.5, tied=True)
    options = {"method": method, "accumulate": 2, "gradient_clip": 0.5, "precision": "bf16"}
    run(tmp_path / "unbroken", **options)
    with pytest.raises(Crash):
        run(tmp_path / "broken", hook=crash_at(9), **options)
    run(tmp_path / "broken", **options)
    assert record_of(tmp_path / "broken") == record_of(tmp_path / "unbroken")


def test_a_run_is_no_copy_of_another_seed(tmp_path, unbroken):
    run(tmp_path, seed=1)
    assert record_of(tmp_path)["metrics.jsonl"] != unbroken["metrics.jsonl"]


def test_a_kill_is_as_good_as_any_end(tmp_path, unbroken, beside):
    folders = [tmp_path / name for name in ("step", "save", "mark")]
    killed = [
        start(train, folders[0], 10),
        start(train, folders[1], 12, signal.SIGKILL, "sync optimizers"),
        start(train, folders[2], 12, signal.SIGKILL, "rename"),
    ]
    assert exit_codes(killed) == [-signal.SIGKILL] * 3
    for folder in folders:
        summary = run(folder)
        if beside and folder.name == "step":
            assert summary.resumed_from in (4, 8)  # the write of step 8 may not have been over at step 10
        else:
            assert summary.resumed_from == (8 if folder.name == "step" else 4)
        assert record_of(folder) == unbroken


@pytest.mark.full
def test_kills_at_every_step_and_every_file_operation(tmp_path, unbroken):
    told = []
    config = stub_config()
    stream = MemoryStream()
    Trainer(TwoTowers(config.method), stream, config, tmp_path / "told", after_file_operation=told.append).run()
    cases = [(step, None) for step in range(12)] + [(12, name) for name in dict.fromkeys(told)]
    for number, (step, operation) in enumerate(cases):
        folder = tmp_path / str(number)
        assert exit_codes([start(train, folder, step, signal.SIGKILL, operation)]) == [-signal.SIGKILL]
        assert exit_codes([start(train, folder)]) == [0]
        assert record_of(folder) == unbroken


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_saves_the_finished_step_and_asks_to_be_started_again(tmp_path, unbroken, number):
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)]
    with pytest.raises(RequeueError, match=f"stopped by {number.name} after step 7, state saved") as caught:
        run(tmp_path, hook=lambda step: os.kill(os.getpid(), number) if step == 6 else None)
    assert caught.value.exit_status == 75
    assert open_checkpoint(latest_checkpoint(tmp_path)).step == 7
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)] == before
    assert run(tmp_path).resumed_from == 7
    assert record_of(tmp_path) == unbroken


def test_a_signal_in_the_last_step_lets_the_run_end(tmp_path):
    summary = run(tmp_path, hook=lambda step: os.kill(os.getpid(), signal.SIGTERM) if step == 11 else None)
    assert summary.steps == 12


def test_a_second_signal_and_the_end_of_grace_leave_at_once(tmp_path, unbroken, beside):
    twice = start(signalled_twice, tmp_path / "twice", 60.0)
    stuck = start(stuck_after_signal, tmp_path / "stuck", 0.1)
    assert exit_codes([twice, stuck], seconds=20) == [-signal.SIGTERM, 75]
    for name in ("twice", "stuck"):
        found = latest_checkpoint(tmp_path / name, lambda text: None)
        assert (found is None and beside) or open_checkpoint(found).step == 4  # its write may not have been over


def test_a_damaged_newest_checkpoint_costs_one_interval(tmp_path, unbroken):
    with pytest.raises(Crash):
        run(tmp_path, hook=crash_at(9))
    weights = tmp_path / "checkpoints" / "step-00000008" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert run(tmp_path).resumed_from == 4
    assert record_of(tmp_path) == unbroken
    warnings = [e["text"] for e in read_lines(tmp_path / "events.jsonl") if e["event"] == "warning"]
    assert any("passing over" in text and "weights.safetensors" in text for text in warnings)


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    first = run(tmp_path)
    record = record_of(tmp_path)
    again = run(tmp_path, hook=pytest.fail)
    assert (again.resumed_from, again.steps, again.checkpoint) == (12, 12, first.checkpoint)
    assert again.loss is None
    assert again.replacements == first.replacements
    assert record_of(tmp_path) == record


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("training.seed", {"seed": 5}),
        ("training.steps", {"steps": 14}),
        ("method.dropout", {"method": TwoTowers.Config(rows=True, dropout=0.0)}),
        ("data.fingerprint", {"clips": 21}),
    ],
)
def test_another_run_is_refused_by_the_field_that_differs(tmp_path, field, change):
    run(tmp_path)
    record = record_of(tmp_path)
    with pytest.raises(StorageError, match=rf"^{field} is .* now and .* in the checkpoint.*--accept-change {field}"):
        run(tmp_path, **change)
    assert record_of(tmp_path) == record


def test_all_fields_that_differ_are_named_and_another_method_is_told_plainly():
    now = {"config": {"method": {"method": "avsiam", "width": 1}, "seed": 1}, "data_fingerprint": "a"}
    other = {"config": {"method": {"method": "avsiam", "width": 2}, "seed": 2}, "data_fingerprint": "a"}
    with pytest.raises(StorageError, match=r"method\.width is 1 now and 2 .*; seed is 1 now .*--accept-change method"):
        check_same_run(other, now, ())
    check_same_run(other, now, ("seed", "method.width"))
    other["config"]["method"]["method"] = "cav_mae"
    with pytest.raises(StorageError, match="a run of the method cav_mae, and this is one of avsiam") as caught:
        check_same_run(other, now, ())
    assert "--accept-change" not in str(caught.value)


def test_a_change_that_is_accepted_goes_on(tmp_path):
    run(tmp_path)
    config = stub_config(steps=14, method=TwoTowers.Config(rows=True))
    trainer = Trainer(TwoTowers(config.method), MemoryStream(), config, tmp_path, accept_changes=("training.steps",))
    assert trainer.run().resumed_from == 12


def test_what_touches_no_weights_may_change(tmp_path):
    run(tmp_path)
    assert run(tmp_path, checkpoint_every=7, keep_checkpoints=1, grace_seconds=5.0).resumed_from == 12


def test_code_of_another_shape_is_refused_by_the_tensor(tmp_path):
    run(tmp_path)
    config = stub_config(method=TwoTowers.Config(rows=True))
    method = TwoTowers(TwoTowers.Config(width=7))
    with pytest.raises(StorageError, match=r"tensor mean is \(6,\) float32 in the checkpoint, \(7,\) float32 in the"):
        Trainer(method, MemoryStream(), config, tmp_path).run()
