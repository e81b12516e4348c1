"""Two gloo processes against one: equal gradients, equal samples, shared signals, and a lost peer (R2, R6, R7, T19)."""

import signal

import pytest
import torch

from seehear.errors import LostPeerError
from seehear.training import ScheduleConfig, latest_checkpoint, open_checkpoint
from seehear.training.distributed import lost_peers
from seehear.training.logs import read_lines
from tests.training.children import end_of_run, nested_sessions
from tests.training.processes import exit_codes, start_ranks
from tests.training.runs import run, tensors
from tests.training.stubs import TwoTowers, record_of

DOUBLE = TwoTowers.Config(double=True, dropout=0.0, rows=True)


@pytest.mark.parametrize("alternating", [False, True])
def test_two_ranks_have_the_gradients_and_samples_of_one(tmp_path, alternating):
    method = TwoTowers.Config(double=True, dropout=0.0, rows=not alternating, alternating=alternating)
    for world_size in (1, 2):
        assert run(world_size, tmp_path / str(world_size), method, {"steps": 1, "log_every": 1}) == [0] * world_size
    one, two = (tensors(tmp_path / str(w), "optimizers") for w in (1, 2))
    assert one.keys() == two.keys()
    gradients = [name for name in one if name.endswith("/exp_avg")]  # (1 - beta) times the first gradient
    assert len(gradients) == 5 + (2 if alternating else 0)
    for name in gradients:
        assert one[name].abs().max() > 0
        torch.testing.assert_close(two[name], one[name], rtol=1e-12, atol=1e-15)
    samples = [(tmp_path / str(w) / "samples.jsonl").read_bytes() for w in (1, 2)]
    assert samples[0] == samples[1]


def test_a_signal_to_one_rank_stops_both_and_the_run_goes_on_exactly(tmp_path):
    settings = {"steps": 6}
    assert run(2, tmp_path / "unbroken", DOUBLE, settings) == [0, 0]
    assert run(2, tmp_path / "broken", DOUBLE, settings, 2, signal.SIGTERM) == [75, 75]
    assert open_checkpoint(latest_checkpoint(tmp_path / "broken")).step == 3
    assert run(2, tmp_path / "broken", DOUBLE, settings) == [0, 0]
    assert record_of(tmp_path / "broken") == record_of(tmp_path / "unbroken")


def test_a_step_that_is_bad_on_one_rank_is_skipped_on_both(tmp_path):
    for steps in (2, 3):
        settings = {"steps": steps, "schedule": ScheduleConfig(kind="constant")}
        assert run(2, tmp_path / str(steps), DOUBLE, settings, None, signal.SIGTERM, 2) == [0, 0]
    for name in ("weights", "optimizers"):
        before, after = (tensors(tmp_path / steps, name) for steps in ("2", "3"))
        assert all(torch.equal(before[key], after[key]) for key in before)
    last = read_lines(tmp_path / "3" / "metrics.jsonl")[-1]
    assert (last["step"], last["loss"], last["skipped_steps"]) == (3, None, 1)


@pytest.mark.full
def test_a_lost_peer_ends_the_others_with_its_status(tmp_path):
    codes = run(2, tmp_path, DOUBLE, {"steps": 6}, 5, signal.SIGKILL)
    assert codes == [LostPeerError.exit_status, -signal.SIGKILL]
    assert open_checkpoint(latest_checkpoint(tmp_path)).step == 4


@pytest.mark.full
def test_four_ranks_resume_exactly(tmp_path):
    method = TwoTowers.Config(dropout=0.3, rows=True)
    settings = {"steps": 6, "checkpoint_every": 2}
    for name, arguments in (("unbroken", ()), ("broken", (3, signal.SIGTERM))):
        run(4, tmp_path / name, method, settings, *arguments)
    assert run(4, tmp_path / "broken", method, settings) == [0] * 4
    assert record_of(tmp_path / "broken") == record_of(tmp_path / "unbroken")


@pytest.mark.full
def test_another_number_of_ranks_sees_the_same_batches(tmp_path):
    settings = {"steps": 6}
    assert run(1, tmp_path / "one", DOUBLE, settings) == [0]
    assert run(2, tmp_path / "both", DOUBLE, settings, 2, signal.SIGTERM) == [75, 75]
    assert run(1, tmp_path / "both", DOUBLE, settings) == [0]
    one, both = (tensors(tmp_path / name, "weights") for name in ("one", "both"))
    for name in one:
        torch.testing.assert_close(both[name], one[name], rtol=1e-8, atol=1e-10)
    samples = [(tmp_path / name / "samples.jsonl").read_bytes() for name in ("one", "both")]
    assert samples[0] == samples[1]


@pytest.mark.parametrize("fails", [False, True])
def test_the_end_of_a_run_leaves_the_group(tmp_path, fails):
    assert exit_codes(start_ranks(2, end_of_run, tmp_path, fails)) == [0, 0]


def test_only_the_outermost_session_leaves():
    assert exit_codes(start_ranks(2, nested_sessions)) == [0, 0]


def test_an_error_that_is_no_lost_peer_passes():
    with pytest.raises(RuntimeError, match="shape"), lost_peers():
        raise RuntimeError("shape mismatch")
