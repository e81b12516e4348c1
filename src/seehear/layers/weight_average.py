"""The mean of a network's weights at the ends of some epochs (equal weights).

Source: the fine-tuning code of CAV-MAE (arXiv 2210.07839), which averages the checkpoints of, say, epochs 3 to 15;
compare stochastic weight averaging (Izmailov et al., UAI 2018). Here the mean is kept while training goes, so no
checkpoint need stay on disk. It lies in parameters that are not trained: unlike buffers, these are neither sent around
nor copied in every step.
"""

import math

import torch
from torch import nn

from seehear.contracts import Progress
from seehear.errors import UsageError

_ROUNDING = 1e-6  # of an epoch


class WeightAverage(nn.Module):
    """The running mean of the trained parameters of a network that is finished but for this.

    Args:
        network: whose weights are averaged.
        span: first and last epoch (counted from 1) whose final weights count.

    Attributes:
        taken: int64, how many epoch ends the mean is made of.
    """

    def __init__(self, network: nn.Module, span: tuple[float, float]):
        super().__init__()
        if not 0 < span[0] <= span[1]:
            raise UsageError(f"average_epochs is {span}", expected="a first and a last epoch, above 0")
        self.span = span
        self.names = [name for name, parameter in network.named_parameters() if parameter.requires_grad]
        parameters = dict(network.named_parameters())
        self.mean = nn.ParameterDict(
            {_key(name): nn.Parameter(torch.zeros_like(parameters[name]), requires_grad=False) for name in self.names}
        )
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def update(self, network: nn.Module, progress: Progress) -> None:
        """Take the weights in, if an epoch of the span ended with this step; nothing waits for the device."""
        rate = progress.epoch / progress.step
        count = ends_in_span(progress.step, rate, self.span)
        if count == ends_in_span(progress.step - 1, rate, self.span):
            return
        parameters = dict(network.named_parameters())
        for name in self.names:
            self.mean[_key(name)].lerp_(parameters[name], 1 / count)
        self.taken.fill_(count)

    @torch.no_grad()
    def apply_to(self, network: nn.Module) -> None:
        """Put the mean in the place of the weights.

        Raises:
            UsageError: if no epoch of the span has ended yet.
        """
        if not int(self.taken):
            first, last = self.span
            raise UsageError(f"no epoch from {first:g} to {last:g} has ended", expected="averaged weights")
        parameters = dict(network.named_parameters())
        for name in self.names:
            parameters[name].copy_(self.mean[_key(name)])


def ends_in_span(step: int, epochs_per_step: float, span: tuple[float, float]) -> int:
    """Steps up to `step` in which an epoch of the span ended; one in which several did counts once."""
    first = math.ceil(span[0] - _ROUNDING)
    last = math.floor(span[1] + _ROUNDING)
    if epochs_per_step < 1:
        return max(0, min(math.floor(step * epochs_per_step + _ROUNDING), last) - first + 1)
    before = math.ceil(first / epochs_per_step - _ROUNDING) - 1  # steps before the one in which the first of them ends
    end = math.ceil(last / epochs_per_step - _ROUNDING)  # the step in which the last of them ends
    return max(0, min(step, end) - before)


def _key(name: str) -> str:
    return name.replace(".", ":")  # a dot cannot stand in the name of a parameter
