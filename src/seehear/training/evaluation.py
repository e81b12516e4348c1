"""Evaluations inside training: callables that yield figures, on the first rank, leaving no trace in the run."""

from collections.abc import Callable, Iterator, Sequence

import torch

from seehear.contracts import Figure, Method, Progress
from seehear.training.random_state import random_state, set_random_state

Evaluation = Callable[[Method, Progress], Iterator[Figure]]


def evaluate(
    method: Method,
    evaluations: Sequence[Evaluation],
    progress: Progress,
    device: torch.device,
    check: Callable[[], None],
) -> tuple[Figure, ...]:
    """All figures of `evaluations`, without gradients, the method in eval mode; modes and generators are put back.

    Args:
        method: on its device.
        evaluations: each yields figures.
        progress: where the run stands.
        device: of the method.
        check: called after each figure; may raise to leave.
    """
    modes = {module: module.training for module in method.modules()}
    generators = random_state(device)
    figures: list[Figure] = []
    method.eval()
    try:
        with torch.no_grad():
            for evaluation in evaluations:
                for figure in evaluation(method, progress):
                    figures.append(figure)
                    check()
    finally:
        for module, mode in modes.items():
            module.training = mode
        set_random_state(generators, device)
    return tuple(figures)
