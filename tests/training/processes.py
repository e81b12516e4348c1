"""Real processes for tests, forked from a server that has loaded torch (and what its optimisers load on first use)."""

import multiprocessing
import os
import socket
from collections.abc import Callable
from typing import Any

import torch

from tests.training.stubs import BESIDE

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "torch._dynamo", "tests.training.children"])


def _call(function: Callable[..., Any], environment: dict[str, str], arguments: tuple) -> None:
    os.environ.update(environment)
    torch.set_num_threads(1)
    function(*arguments)


def start(function: Callable[..., Any], *arguments: Any, environment: dict[str, str] | None = None):
    """A running process of `function(*arguments)`."""
    beside = {BESIDE: os.environ.get(BESIDE, "")}
    process = _CONTEXT.Process(target=_call, args=(function, beside | (environment or {}), arguments))
    process.start()
    return process


def exit_codes(processes: list, seconds: float = 60) -> list[int]:
    """Wait for processes; a negative code is the signal that ended one."""
    for process in processes:
        process.join(seconds)
        assert process.exitcode is not None, "the process hangs"
    return [process.exitcode for process in processes]


def start_ranks(world_size: int, function: Callable[..., Any], *arguments: Any) -> list:
    """`function(rank, world_size, *arguments)` on every rank, in the environment that torchrun would give it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(world_size)}
    return [
        start(function, rank, world_size, *arguments, environment=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(world_size)
    ]
