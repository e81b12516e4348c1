"""Adam and AdamW whose two moments rest in bfloat16: 4 bytes of a parameter instead of 8.

Between steps the moments are bfloat16; a step widens them, a few million at a time, runs torch's fused float32 kernel
and rounds them back. Rounding to the nearest would lose every change below 1/256 of a moment, which at beta2 = 0.999 is
nearly all of them, so rounding is up or down at random with the right mean (stochastic rounding; Gupta et al., "Deep
learning with limited numerical precision", ICML 2015). The draws are keyed by the step, so a resume repeats them, and
a moment that did not change keeps its bits.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam
from torch.optim.adam import adam

from seehear.randomness import short_integers

MOMENTS = ("exp_avg", "exp_avg_sq")
WIDENED_AT_ONCE = 16_000_000  # parameters
_BITS = 16  # of a float32 that a bfloat16 has not


class SmallMomentsAdam(Adam):
    """`torch.optim.Adam` with bfloat16 moments; `decoupled_weight_decay=True` makes it AdamW. Parameters are float32.

    Like a fused optimiser of torch it takes `found_inf`, a float32 scalar on the parameters' device: where it is 1
    nothing changes.
    """

    found_inf: Tensor | None = None

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step of every parameter that has a gradient."""
        for group in self.param_groups:
            first = 0
            for bunch in _bunches([p for p in group["params"] if p.grad is not None]):
                self._step(group, bunch, first)
                first += len(bunch)

    def _step(self, group: dict[str, Any], parameters: list[Tensor], first: int) -> None:
        states = [self._state(p) for p in parameters]
        counts = [state["step"] for state in states]
        wide = {name: [state[name].float() for state in states] for name in MOMENTS}
        adam(
            parameters,
            [p.grad for p in parameters if p.grad is not None],
            wide["exp_avg"],
            wide["exp_avg_sq"],
            [],
            counts,
            fused=True,
            found_inf=self.found_inf,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
            decoupled_weight_decay=group["decoupled_weight_decay"],
        )
        for place, (state, count) in enumerate(zip(states, counts, strict=True), start=first):
            for name in MOMENTS:
                state[name].copy_(_rounded(wide[name][place - first], count, f"{group['name']}/{place}/{name}"))

    def _state(self, parameter: Tensor) -> dict[str, Tensor]:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            for name in MOMENTS:
                state[name] = torch.zeros_like(parameter, dtype=torch.bfloat16)
        return state


def _bunches(parameters: list[Tensor]) -> Iterator[list[Tensor]]:
    """Runs of parameters that are widened together."""
    bunch: list[Tensor] = []
    for parameter in parameters:
        if bunch and sum(p.numel() for p in [*bunch, parameter]) > WIDENED_AT_ONCE:
            yield bunch
            bunch = []
        bunch.append(parameter)
    if bunch:
        yield bunch


def _rounded(values: Tensor, step: Tensor, purpose: str) -> Tensor:
    """float32 values at one of the two bfloat16 values beside each, at random; exact ones stay."""
    local = values.to_local() if hasattr(values, "to_local") else values
    draws = short_integers(step.reshape(1).long(), local.numel(), purpose).view(local.shape)
    raised = local.view(torch.int32) + (draws.int() & 0xFFFF)
    local.copy_((raised >> _BITS << _BITS).view(torch.float32))
    return values
