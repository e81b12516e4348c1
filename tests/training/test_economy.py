"""What makes a step cheaper must be possible here, and must not change the step."""

import pytest
import torch
from torch import nn

from seehear import allocator
from seehear.errors import UsageError
from seehear.layers.block import Block
from seehear.layers.packing import Layout
from seehear.training.economy import economise
from seehear.training.run_config import TrainingConfig
from tests.training.stubs import TwoTowers

CPU = torch.device("cpu")


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.blocks = nn.ModuleList(Block(16, 2) for _ in range(2))

    def forward(self, x):
        for block in self.blocks:
            x = block(x, Layout(((2, 5), (1, 3))), (("joint", 13),))
        return x


def test_memory_is_kept_only_where_asked(monkeypatch):
    calls = []
    monkeypatch.setattr("seehear.training.economy.keep_freed_memory", lambda: calls.append(1))
    economise(Tower(), TrainingConfig(keep_memory=False), CPU)
    economise(Tower(), TrainingConfig(), torch.device("cuda"))
    assert not calls
    economise(Tower(), TrainingConfig(), CPU)
    assert calls == [1]


def test_keeping_memory_says_whether_it_worked(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert allocator.keep_freed_memory() is False


def test_recompute_reaches_every_block():
    tower = Tower()
    economise(tower, TrainingConfig(recompute="mlp"), CPU)
    assert {block.recompute for block in tower.blocks} == {"mlp"}


@pytest.mark.parametrize("asked", [{"recompute": "block"}, {"compile": True}])
def test_a_method_without_blocks_is_refused(asked):
    with pytest.raises(UsageError, match="no transformer block"):
        economise(TwoTowers(TwoTowers.Config()), TrainingConfig(**asked), CPU)


def test_a_machine_without_a_compiler_is_refused(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UsageError, match="needs a C\\+\\+ compiler"):
        economise(Tower(), TrainingConfig(compile=True), CPU)


@pytest.mark.full
@pytest.mark.timeout(400)
def test_a_compiled_step_equals_the_plain_one():
    x = torch.randn(13, 16)
    results = []
    for compiled in (False, True):
        tower = Tower()
        economise(tower, TrainingConfig(compile=compiled), CPU)
        values = tower(x)
        results.append([values.detach(), *torch.autograd.grad(values.square().sum(), list(tower.parameters()))])
    assert hasattr(tower.blocks[0], "_compiled_call_impl")
    torch.testing.assert_close(results[1], results[0], rtol=1e-4, atol=1e-5)
