import pytest
import torch

from seehear.errors import UsageError
from seehear.training.optimizers import (
    build_optimizers,
    guarded_step,
    load_optimizer_tensors,
    optimizer_tensors,
    set_rate,
)
from seehear.training.run_config import OptimizerConfig
from tests.training.stubs import TwoTowers


class Grouped(TwoTowers):
    """Two phases that share an optimiser, with groups of their own."""

    scale = 1.0

    @property
    def phases(self):
        return ("first", "second")

    def parameter_groups(self, phase):
        if phase == "first":
            return [group("head", [self.picture.weight], 10.0, 1.0)]
        params = [self.picture.weight] if self.scale != 1 else []
        return [group("rest", [self.sound.weight, *params], self.scale, 0.0)]


def group(name, params, rate, decay):
    return {"name": name, "params": params, "lr_scale": rate, "weight_decay_scale": decay}


def test_phases_with_one_optimiser_name_share_its_moments():
    built = build_optimizers(Grouped(TwoTowers.Config()), OptimizerConfig())
    assert built["first"].optimizer is built["second"].optimizer
    assert [len(one.parameters) for one in built.values()] == [1, 1]


def test_phases_with_two_names_have_two_sets_of_moments_over_all_parameters():
    method = TwoTowers(TwoTowers.Config(alternating=True))
    built = build_optimizers(method, OptimizerConfig())
    assert built["sound"].optimizer is not built["both"].optimizer
    assert len(built["sound"].parameters) == len(built["both"].parameters) == len(list(method.parameters()))


def test_rate_and_decay_scale_by_group():
    built = build_optimizers(Grouped(TwoTowers.Config()), OptimizerConfig(weight_decay=0.3))
    set_rate(built["first"].optimizer, 0.01)
    found = {g["name"]: (g["lr"], g["weight_decay"]) for g in built["first"].optimizer.param_groups}
    assert found == {"head": (0.1, 0.3), "rest": (0.01, 0.0)}


def test_one_parameter_with_two_scales_is_refused():
    method = Grouped(TwoTowers.Config())
    method.scale = 2.0
    with pytest.raises(UsageError, match="phase 'second' scales group 'rest'"):
        build_optimizers(method, OptimizerConfig())


def test_a_phase_that_trains_nothing_is_refused():
    method = TwoTowers(TwoTowers.Config()).requires_grad_(False)
    with pytest.raises(UsageError, match="phase 'joint' trains no parameter"):
        build_optimizers(method, OptimizerConfig())


def loop_adam(weight, gradients, config, decoupled):
    """The update rule of Kingma and Ba, algorithm 1, with weight decay as loss term or as Loshchilov and Hutter."""
    first, second = torch.zeros_like(weight), torch.zeros_like(weight)
    for step, gradient in enumerate(gradients, 1):
        if decoupled:
            weight = weight * (1 - config.learning_rate * config.weight_decay)
        else:
            gradient = gradient + config.weight_decay * weight
        first = config.betas[0] * first + (1 - config.betas[0]) * gradient
        second = config.betas[1] * second + (1 - config.betas[1]) * gradient**2
        unbiased = first / (1 - config.betas[0] ** step), second / (1 - config.betas[1] ** step)
        weight = weight - config.learning_rate * unbiased[0] / (unbiased[1].sqrt() + config.eps)
    return weight


@pytest.mark.parametrize("kind", ["adam", "adamw"])
@pytest.mark.parametrize("fused", [None, False])
def test_both_kinds_follow_their_papers(kind, fused):
    config = OptimizerConfig(kind=kind, learning_rate=0.1, betas=(0.95, 0.999), weight_decay=0.2, fused=fused)
    method = TwoTowers(TwoTowers.Config(double=True))
    optimizer = build_optimizers(method, config)["joint"].optimizer
    assert bool(optimizer.defaults["fused"]) == (fused is None)
    before, generator = method.sound.weight.detach().clone(), torch.Generator().manual_seed(0)
    gradients = [torch.randn(before.shape, generator=generator, dtype=before.dtype) for _ in range(4)]
    for gradient in gradients:
        method.sound.weight.grad = gradient.clone()
        guarded_step(optimizer, torch.zeros(()))
    expected = loop_adam(before, gradients, config, decoupled=kind == "adamw")
    torch.testing.assert_close(method.sound.weight.detach(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("fused", [None, False])
@pytest.mark.parametrize("gradient", [float("nan"), float("inf"), 1e38])
def test_a_bad_step_changes_neither_weights_nor_moments_nor_the_count(fused, gradient):
    method = TwoTowers(TwoTowers.Config())
    built = build_optimizers(method, OptimizerConfig(fused=fused))
    optimizer = built["joint"].optimizer
    for parameter in method.parameters():
        parameter.grad = torch.ones_like(parameter)
    guarded_step(optimizer, torch.zeros(()))
    weights = {n: p.detach().clone() for n, p in method.named_parameters()}
    state = {n: t.clone() for n, t in optimizer_tensors(built, method).items()}
    method.sound.weight.grad.fill_(gradient)
    guarded_step(optimizer, torch.ones(()))
    assert all(torch.equal(p, weights[n]) for n, p in method.named_parameters())
    after = optimizer_tensors(built, method)
    assert after.keys() == state.keys()
    assert all(torch.equal(after[n], state[n]) for n in state)
    guarded_step(optimizer, torch.zeros(()))  # and the next good one counts
    assert not torch.equal(method.sound.weight, weights["sound.weight"])


def test_moments_go_to_tensors_and_back_bit_for_bit():
    method, other = (TwoTowers(TwoTowers.Config(alternating=True)) for _ in range(2))
    built, fresh = (build_optimizers(m, OptimizerConfig()) for m in (method, other))
    for phase in method.phases:
        for index, parameter in enumerate(method.parameters()):
            parameter.grad = torch.full_like(parameter, index + 0.1)
        guarded_step(built[phase].optimizer, torch.zeros(()))
    tensors = optimizer_tensors(built, method)
    assert len(tensors) == 2 * 3 * len(list(method.parameters()))
    load_optimizer_tensors(fresh, other, tensors)
    again = optimizer_tensors(fresh, other)
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[n], tensors[n]) for n in tensors)
