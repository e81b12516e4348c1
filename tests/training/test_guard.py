import json

import pytest
import torch
from torch import nn

from seehear.contracts import Batch, Losses
from seehear.errors import DivergedError
from seehear.randomness import Randomness
from seehear.training import Trainer
from seehear.training.distributed import Peers
from seehear.training.guard import GuardCounts, NonFiniteGuard
from seehear.training.logs import read_lines
from tests.training.stubs import MemoryStream, TwoTowers, stub_config

ALONE = Peers(0, 1, torch.device("cpu"))


class Poisoned(TwoTowers):
    """A method whose loss or gradient is made bad on chosen calls."""

    def __init__(self, config, calls, where, value):
        super().__init__(config)
        self.calls, self.where, self.value, self.count, self.bad = set(calls), where, value, 0, False
        if where == "gradient":
            self.sound.weight.register_hook(lambda gradient: gradient + value if self.bad else gradient)

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        losses = super().forward(batch, randomness, phase)
        self.bad, self.count = self.count in self.calls, self.count + 1
        if self.bad:
            self.mean += self.value  # running means of a bad batch are bad as well
        if self.bad and self.where == "loss":
            losses["loss"] = losses["loss"] + self.value
        return losses


def state_of(method: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in method.state_dict().items()}


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 3e38])
def test_a_step_that_is_not_finite_leaves_no_trace(tmp_path, where, value):
    states = []
    method = Poisoned(TwoTowers.Config(), [3], where, value)
    method.after_step = lambda progress: states.append(state_of(method))
    seen = []
    summary = Trainer(
        method, MemoryStream(hook=lambda s: seen.append(state_of(method))), stub_config(steps=6), tmp_path
    ).run()
    finite = where == "loss" and value == 3e38  # a huge loss is a number still
    assert summary.skipped_steps == (0 if finite else 1)
    unchanged = all(torch.equal(seen[3][n], seen[4][n]) for n in seen[3])  # weights and buffers around step 3
    assert unchanged != finite
    if not finite:
        assert all(t.isfinite().all() for t in method.state_dict().values())
        assert not torch.equal(seen[4]["sound.weight"], seen[5]["sound.weight"])
        assert any("skipped" in line.get("text", "") for line in read_lines(tmp_path / "events.jsonl"))


def test_a_run_that_stays_bad_ends_with_the_batches_named(tmp_path):
    method = Poisoned(TwoTowers.Config(), range(4, 99), "loss", float("nan"))
    stream = MemoryStream()
    with pytest.raises(DivergedError, match=r"not finite for 5 steps in a row, up to step 9.*learning_rate") as caught:
        Trainer(method, stream, stub_config(steps=20, non_finite_limit=5), tmp_path).run()
    assert caught.value.exit_status == 4
    dump = json.loads((tmp_path / "diverged.json").read_text())
    listed = {batch["step"]: batch["ids"] for batch in dump["batches"]}
    assert set(range(5, 10)) <= set(listed)
    assert listed[9] == stream.sampler.plan(8).tolist()
    assert dump["seed"] == 0
    assert dump["parameters"]["sound.weight"]["largest"] == method.sound.weight.abs().max().item()
    assert stream.closed


def test_rows_of_bad_steps_are_counted_and_restored():
    guard, good, bad = NonFiniteGuard(nn.Linear(1, 1), ALONE.device, ALONE), torch.ones(()), torch.tensor(torch.nan)
    for loss in (good, bad, bad, good, bad):
        guard.begin()
        guard.judge(loss, good)
        guard.judge(good, good)  # a second, good phase does not excuse the first
        guard.finish()
    assert guard.counts() == GuardCounts(skipped=3, streak=1, longest=2)
    other = NonFiniteGuard(nn.Linear(1, 1), ALONE.device, ALONE)
    other.load(guard.counts())
    assert other.counts() == guard.counts()
