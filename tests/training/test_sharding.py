"""Two gloo processes with weights in shards against one with all of them: learning, checkpoints, copies, refusals."""

import json
import signal

import pytest
import torch
from torch import nn

from seehear.errors import UsageError
from seehear.training import ScheduleConfig, latest_checkpoint, open_checkpoint
from seehear.training.logs import read_lines
from seehear.training.sharding import _check, _units
from tests.training.children import evaluated, sharded_step, small_avsiam
from tests.training.processes import exit_codes, start, start_ranks
from tests.training.runs import run, tensors
from tests.training.stubs import TwoTowers, record_of

DOUBLE = TwoTowers.Config(double=True, dropout=0.0, rows=True, depth=2)
SHARDS = {"parallel": "fsdp"}


@pytest.mark.parametrize(
    ("world_size", "settings"),
    [
        (1, {}),
        (1, {"gradient_cache_chunk": 2}),
        (1, {"method": {"alternating": True}}),
        (2, {"accumulate": 2, "gradient_clip": 0.1}),  # two ranks on both sides: a piece's negatives are its own
    ],
    ids=["plain", "cached", "alternating", "accumulated and clipped"],
)
def test_shards_learn_what_whole_weights_learn(tmp_path, world_size, settings):
    whole, shards = tmp_path / "whole", tmp_path / "shards"
    if world_size == 1:
        assert exit_codes([start(sharded_step, 0, 1, whole, "ddp", settings)]) == [0]
    else:
        assert exit_codes(start_ranks(world_size, sharded_step, whole, "ddp", settings)) == [0] * world_size
    assert exit_codes(start_ranks(2, sharded_step, shards, "fsdp", settings)) == [0, 0]
    expected, found = (open_checkpoint(latest_checkpoint(folder)) for folder in (whole, shards))
    for file in ("weights", "moments", "encoded"):
        one, two = expected.tensors(file), found.tensors(file)
        assert one.keys() == two.keys()
        for name, tensor in one.items():
            torch.testing.assert_close(two[name], tensor, rtol=1e-7, atol=1e-10, msg=f"{file} {name}")


def test_a_run_of_shards_goes_on_exactly(tmp_path):
    settings = {"steps": 6, **SHARDS}
    for beside in (False, True):
        folder, settings = tmp_path / str(beside), settings | {"checkpoint_async": beside}
        assert run(2, folder / "unbroken", DOUBLE, settings) == [0, 0]
        assert run(2, folder / "broken", DOUBLE, settings, 2, signal.SIGTERM) == [75, 75]
        assert open_checkpoint(latest_checkpoint(folder / "broken")).step == 3
        assert run(2, folder / "broken", DOUBLE, settings) == [0, 0]
        assert record_of(folder / "broken") == record_of(folder / "unbroken")
    assert record_of(tmp_path / "True" / "broken") == record_of(tmp_path / "False" / "broken")


def test_a_checkpoint_of_two_ranks_of_shards_loads_on_one(tmp_path):
    settings = {"steps": 6, **SHARDS}
    assert run(1, tmp_path / "one", DOUBLE, settings) == [0]
    assert run(2, tmp_path / "both", DOUBLE, settings, 2, signal.SIGTERM) == [75, 75]
    assert run(1, tmp_path / "both", DOUBLE, settings) == [0]
    assert run(1, tmp_path / "back", DOUBLE, settings, 2, signal.SIGTERM) == [0]  # only rank 1 is signalled
    for name in ("weights", "optimizers"):
        one, both = (tensors(tmp_path / folder, name) for folder in ("one", "both"))
        assert one.keys() == both.keys()
        for key, expected in one.items():
            torch.testing.assert_close(both[key], expected, rtol=1e-7, atol=1e-10)


def test_evaluations_see_all_weights(tmp_path):
    for parallel in ("ddp", "fsdp"):
        assert exit_codes(start_ranks(2, evaluated, tmp_path / parallel, {"parallel": parallel})) == [0, 0]
    figures = [read_lines(tmp_path / parallel / "figures.jsonl") for parallel in ("ddp", "fsdp")]
    for one, other in zip(*figures, strict=True):
        assert one["figures"][0]["value"] == pytest.approx(other["figures"][0]["value"], rel=1e-9)
    assert [line["step"] for line in figures[1]] == [2, 4]


def test_bad_steps_are_skipped_and_their_weights_described(tmp_path):
    settings = {"steps": 3, "schedule": ScheduleConfig(kind="constant"), **SHARDS}
    assert run(2, tmp_path / "skipped", DOUBLE, settings, None, signal.SIGTERM, 2) == [0, 0]
    assert run(2, tmp_path / "before", DOUBLE, settings | {"steps": 2}) == [0, 0]
    for name in ("weights", "optimizers"):
        before, after = (tensors(tmp_path / folder, name) for folder in ("before", "skipped"))
        assert all(torch.equal(before[key], after[key]) for key in before)
    assert run(2, tmp_path / "ended", DOUBLE, settings | {"non_finite_limit": 1}, None, signal.SIGTERM, 1) == [4, 4]
    described = json.loads((tmp_path / "ended" / "diverged.json").read_text())["parameters"]
    assert described["stack.1.0.weight"]["largest"] > 0


def test_units_are_the_entries_of_the_outermost_lists():
    method = small_avsiam(stem="hierarchical")
    assert list(_units(method)) == [*method.trunk.blocks, *method.fusion, *method.decoder.blocks]


def test_what_cannot_be_cut_is_refused():
    method = TwoTowers(TwoTowers.Config(depth=2))
    method.stack[1][0].bias = method.stack[0][0].bias
    with pytest.raises(UsageError, match=r"two blocks share the parameter 0.bias.*--training\.parallel ddp"):
        _check(method, list(_units(method)))
    method = TwoTowers(TwoTowers.Config())
    method.temperature = nn.Parameter(torch.ones(()))
    with pytest.raises(UsageError, match="the parameter temperature is a single number"):
        _check(method, list(_units(method)))
