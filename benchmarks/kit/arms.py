"""Arms of a comparison: each lives in a process of its own, and they run in turns, A/B/A/B, never at the same time.

An arm is a function `module:function` that gets keyword arguments, prepares, and returns one pass: a callable whose
result is a dict of numbers (or None). Its own process gives it its own peak of memory and its own allocator, and keeps
one arm's caches out of the other's way; taking turns lets other work on the machine fall on all arms alike.
"""

import importlib
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Pass = Callable[[], Mapping[str, float] | None]


@dataclass(frozen=True)
class Arm:
    """What one arm runs: `target` is "module:function", called with `arguments`, under `environment` and `threads`."""

    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 2
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """Measurements of one arm: seconds of each pass (wall, and CPU of the process), what the passes returned, memory.

    `idle_mebibytes` is the peak before the first pass, `peak_mebibytes` the peak of the process in the end.
    """

    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    values: tuple[Mapping[str, float], ...]
    idle_mebibytes: float
    peak_mebibytes: float

    @property
    def median(self) -> float:
        """Median wall seconds of a pass."""
        return statistics.median(self.seconds)


def take_turns(arms: Mapping[str, Arm], repeats: int, warmup: int = 1) -> dict[str, Taken]:
    """Run every arm `warmup + repeats` times in turns; the first `warmup` turns do not count."""
    context = multiprocessing.get_context("spawn")
    lines, processes = {}, []
    for name, arm in arms.items():
        lines[name], theirs = context.Pipe()
        kept = {key: os.environ.get(key) for key in arm.environment}
        os.environ.update(arm.environment)
        process = context.Process(target=_serve, args=(arm, theirs), daemon=True)
        process.start()
        theirs.close()
        for key, value in kept.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})
        processes.append(process)
        lines[name].recv()  # prepared, before the next arm begins
    passes: dict[str, list[tuple[float, float, Mapping[str, float]]]] = {name: [] for name in arms}
    for turn in range(warmup + repeats):
        for name, line in lines.items():
            line.send("pass")
            measured = line.recv()
            if turn >= warmup:
                passes[name].append(measured)
    result = {}
    for name, line in lines.items():
        line.send("end")
        idle, peak = line.recv()
        wall, cpu, values = zip(*passes[name], strict=True)
        result[name] = Taken(wall, cpu, values, idle, peak)
    for process in processes:
        process.join()
    return result


def ratios(slow: Taken, quick: Taken) -> dict[str, float]:
    """How many times as fast `quick` is: over neighbouring turns the median, and the lower quartile that gates."""
    each = [a / b for a, b in zip(slow.seconds, quick.seconds, strict=True)]
    lower = statistics.quantiles(each, n=4, method="inclusive")[0] if len(each) > 1 else each[0]
    return {"ratio": statistics.median(each), "ratio_lower_quartile": lower}


def peak_mebibytes() -> float:
    """Most memory that this process held so far; on Linux without what its parent held when it began."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _serve(arm: Arm, line: Any) -> None:
    """The life of an arm's process."""
    import torch

    torch.set_num_threads(arm.threads)
    module, _, function = arm.target.partition(":")
    work = getattr(importlib.import_module(module), function)(**arm.arguments)
    idle = peak_mebibytes()
    line.send("ready")
    while line.recv() == "pass":
        wall, cpu = time.perf_counter(), time.process_time()
        values = work()
        line.send((time.perf_counter() - wall, time.process_time() - cpu, dict(values or {})))
    line.send((idle, peak_mebibytes()))
