"""Optimisers by name: one set of moments per `Method.optimizer_of` name, over the groups of the phases that use it.

Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019) as torch has them, fused where it can.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from seehear.contracts import Method
from seehear.errors import UsageError
from seehear.training.run_config import OptimizerConfig
from seehear.training.small_moments import SmallMomentsAdam

_FUSED_DEVICES = ("cpu", "cuda", "mps", "xpu")
_KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@dataclass(frozen=True)
class PhaseOptimizer:
    """What steps after one phase.

    Attributes:
        name: of the optimiser, shared by phases that share moments.
        optimizer: the optimiser.
        parameters: what this phase trains.
    """

    name: str
    optimizer: Optimizer
    parameters: tuple[nn.Parameter, ...]


def build_optimizers(method: Method, config: OptimizerConfig) -> dict[str, PhaseOptimizer]:
    """The optimiser of each phase of `method`.

    Raises:
        UsageError: if a phase trains nothing, or one optimiser gets the same parameter with two different scales.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    trained: dict[str, tuple[nn.Parameter, ...]] = {}
    for phase in method.phases:
        mine = groups.setdefault(method.optimizer_of(phase), [])
        trained[phase] = _merge(mine, method.parameter_groups(phase), phase)
    built = {name: _build(group, config) for name, group in groups.items()}
    return {
        phase: PhaseOptimizer(method.optimizer_of(phase), built[method.optimizer_of(phase)], trained[phase])
        for phase in method.phases
    }


def _merge(mine: list[dict[str, Any]], added: list[dict[str, Any]], phase: str) -> tuple[nn.Parameter, ...]:
    """Add a phase's groups to those of its optimiser; returns the parameters that the phase trains."""
    known = {p: (g["lr_scale"], g["weight_decay_scale"]) for g in mine for p in g["params"]}
    trained: list[nn.Parameter] = []
    for group in added:
        parameters = [p for p in group["params"] if p.requires_grad]
        scales = (group["lr_scale"], group["weight_decay_scale"])
        for parameter in parameters:
            if known.get(parameter, scales) != scales:
                raise UsageError(
                    f"phase {phase!r} scales group {group['name']!r} by {scales}, another phase by {known[parameter]}",
                    expected="equal scales for phases that share an optimiser",
                )
        fresh = [p for p in parameters if p not in known]
        known.update(dict.fromkeys(fresh, scales))
        trained += parameters
        if fresh:
            mine.append({**group, "params": fresh})
    if not trained:
        raise UsageError(f"phase {phase!r} trains no parameter", expected="at least one that requires a gradient")
    return tuple(trained)


def _build(groups: list[dict[str, Any]], config: OptimizerConfig) -> Optimizer:
    scaled = [{**g, "weight_decay": config.weight_decay * g["weight_decay_scale"]} for g in groups]
    settings: dict[str, Any] = {"lr": config.learning_rate, "betas": config.betas, "eps": config.eps}
    can_fuse = _can_fuse(p for g in groups for p in g["params"])
    if config.moments == "bf16":
        if not can_fuse or any(p.dtype != torch.float32 for g in groups for p in g["params"]):
            raise UsageError("optimizer.moments is 'bf16'", expected="float32 weights on a device with a fused kernel")
        return SmallMomentsAdam(scaled, **settings, decoupled_weight_decay=config.kind == "adamw")
    return _KINDS[config.kind](scaled, **settings, fused=can_fuse if config.fused is None else config.fused)


def _can_fuse(parameters: Iterable[Tensor]) -> bool:
    return all(p.device.type in _FUSED_DEVICES and p.is_floating_point() for p in parameters)


def set_rate(optimizer: Optimizer, rate: float, done: float = 1.0) -> None:
    """Give every group its rate: `rate` times its `lr_scale`, and less while it rises.

    Args:
        optimizer: of groups with `lr_scale`, and `rise` where they have one (see `Method.parameter_groups`).
        rate: that of the step.
        done: share of the run that the step ends.
    """
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"] * risen(group.get("rise", 0.0), done)


def risen(rise: float, done: float) -> float:
    """Half a cosine from 0 at the run's start to 1 once a share `rise` of it is done."""
    return 0.5 * (1 - math.cos(math.pi * done / rise)) if done < rise else 1.0


def guarded_step(optimizer: Optimizer, bad: Tensor) -> None:
    """Step, unless `bad` (a float32 scalar on the parameters' device) is 1: then neither weights, moments nor the
    optimiser's own step count change.

    A fused kernel reads `bad` on the device, without a host sync; any other optimiser costs one.
    """
    if _skips_by_itself(optimizer):
        optimizer.found_inf = bad  # type: ignore[attr-defined]  # read by torch's fused Adam, as under GradScaler
        optimizer.step()
    elif not bool(bad):
        optimizer.step()


def _skips_by_itself(optimizer: Optimizer) -> bool:
    return isinstance(optimizer, SmallMomentsAdam) or bool(optimizer.defaults.get("fused"))


def optimizer_tensors(optimizers: dict[str, PhaseOptimizer], method: nn.Module) -> dict[str, Tensor]:
    """State of all optimisers as flat tensors, keyed "optimiser/parameter/moment"."""
    return {
        f"{one.name}/{name}/{key}": value
        for one in optimizers.values()
        for name, parameter in method.named_parameters()
        for key, value in one.optimizer.state.get(parameter, {}).items()
    }


def load_optimizer_tensors(
    optimizers: dict[str, PhaseOptimizer], method: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """Put `optimizer_tensors` back, bit for bit."""
    parameters = dict(method.named_parameters())
    by_name = {one.name: one.optimizer for one in optimizers.values()}
    for key, value in tensors.items():
        owner, name, moment = key.split("/")
        parameter, optimizer = parameters[name], by_name[owner]
        counts_on_host = moment == "step" and not _skips_by_itself(optimizer)
        placed = value if counts_on_host else value.to(parameter.device)
        optimizer.state[parameter][moment] = placed.clone()
