"""Arms of a checkpoint: written in place, and beside other work."""

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from benchmarks.scaling.ranks import config
from seehear.clips import ShuffleSampler
from seehear.runs.pretraining import build_method
from seehear.training.checkpoints import do_nothing
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.run_state import RunState

Pass = Callable[[], Mapping[str, float]]
SIDE = 2048  # of the square matrices multiplied meanwhile


def arm(size: str, beside: bool, products: int) -> Pass:
    """One pass saves the state of a method with its moments and does `products` matrix products meanwhile (after it,
    where it is written in place); it returns what the save kept training waiting, and seconds of all."""
    peers = Peers(0, 1, torch.device("cpu"))
    run = config(size)
    method = build_method(run)
    optimizers = build_optimizers(method, run.optimizer)
    for parameter in method.parameters():
        parameter.grad = torch.zeros_like(parameter)
    for each in optimizers.values():
        each.optimizer.step()  # makes the moments
    method.zero_grad()
    state = RunState(
        method, optimizers, ShuffleSampler(torch.arange(100), 10, 0), NonFiniteGuard(method, peers.device, peers), peers
    )
    folder = tempfile.TemporaryDirectory(prefix="checkpoints-")  # goes with the pass that holds it
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    steps = iter(range(1, 1_000_000))
    if beside:
        state.prepare()
        state.finish()

    def work() -> Mapping[str, float]:
        start = time.perf_counter()
        path = state.save(Path(folder.name), next(steps), {}, 1, do_nothing, beside)
        stall = time.perf_counter() - start
        for _ in range(products):
            left @ right
        state.finish()
        total = time.perf_counter() - start
        gigabytes = sum(file.stat().st_size for file in path.iterdir()) / 1e9
        return {"stall_seconds": stall, "seconds": total, "gigabytes": gigabytes}

    return work


def products(count: int) -> Pass:
    """The same matrix products with nothing beside them."""
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)

    def work() -> Mapping[str, float]:
        for _ in range(count):
            left @ right
        return {}

    return work
