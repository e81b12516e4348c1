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


def small(kind="adamw", **settings):
    method = TwoTowers(TwoTowers.Config())
    config = OptimizerConfig(kind=kind, learning_rate=0.01, betas=(0.9, 0.999), moments="bf16", **settings)
    return method, build_optimizers(method, config)


def drive(method, built, steps, scale=1.0):
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        for parameter in method.parameters():
            parameter.grad = scale * torch.randn(parameter.shape, generator=generator)
        guarded_step(built["joint"].optimizer, torch.zeros(()))


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_small_moments_learn_what_wide_ones_learn(kind):
    method, built = small(kind)
    other = TwoTowers(TwoTowers.Config())
    other.load_state_dict(method.state_dict())
    before = other.sound.weight.detach().clone()
    wide = build_optimizers(other, OptimizerConfig(kind=kind, learning_rate=0.01, betas=(0.9, 0.999)))
    drive(method, built, 60)
    drive(other, wide, 60)
    moved = (other.sound.weight - before).norm()
    assert (method.sound.weight - other.sound.weight).norm() < 0.02 * moved
    tensors = optimizer_tensors(built, method)
    assert {t.dtype for n, t in tensors.items() if not n.endswith("/step")} == {torch.bfloat16}


def test_small_moments_keep_changes_that_nearest_rounding_would_lose():
    """At beta2 = 0.999 a second moment of 1 shrinks by 1/1000 a step, a quarter of what bfloat16 can tell from 1."""
    method, built = small()
    drive(method, built, 1, scale=1000.0)
    second = built["joint"].optimizer.state[method.sound.weight]["exp_avg_sq"]
    before = second.float().sum()
    drive(method, built, 100, scale=0.0)
    assert (second.float().sum() / before).item() == pytest.approx(0.999**100, rel=0.05)


def test_small_moments_do_not_change_in_a_bad_step_and_repeat_after_a_restore():
    method, built = small()
    drive(method, built, 3)
    kept = {n: t.clone() for n, t in optimizer_tensors(built, method).items()}
    weights = {n: t.clone() for n, t in method.state_dict().items()}
    method.sound.weight.grad.fill_(float("nan"))
    guarded_step(built["joint"].optimizer, torch.ones(()))
    again = optimizer_tensors(built, method)
    assert all(torch.equal(again[n], kept[n]) for n in kept)
    other, fresh = small()
    other.load_state_dict(weights)
    load_optimizer_tensors(fresh, other, kept)
    for m, b in ((method, built), (other, fresh)):
        drive(m, b, 2)
    assert all(torch.equal(p, q) for p, q in zip(method.parameters(), other.parameters(), strict=True))
    after, repeated = optimizer_tensors(built, method), optimizer_tensors(fresh, other)
    assert all(torch.equal(after[n], repeated[n]) for n in after)


def test_small_moments_need_float32_weights():
    with pytest.raises(UsageError, match="moments is 'bf16'"):
        build_optimizers(TwoTowers(TwoTowers.Config(double=True)), OptimizerConfig(moments="bf16"))
