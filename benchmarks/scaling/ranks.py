"""Arms of one process and of several: the trainer's own step, with what it exchanges between steps.

The process of an arm is the first rank; it starts the others as `python -m benchmarks.scaling.ranks`, tells them each
step by a line, and hears when they are done. Ranks that are `apart` form no group: what they lose against one process
alone is the machine's doing, not that of the exchange.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from seehear import recipes
from seehear.allocator import keep_freed_memory
from seehear.contracts import Batch, Method, Progress
from seehear.layers.inputs import InputConfig
from seehear.randomness import Randomness
from seehear.runs.pretraining import build_method
from seehear.training import RunConfig, distributed
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.sharding import shard
from seehear.training.step import Stepper

Pass = Callable[[], Mapping[str, float]]


def arm(size: str, clips: int, world_size: int, threads: int, parallel: str = "ddp", apart: bool = False) -> Pass:
    """One pass is one step of `clips` clips on each of `world_size` ranks with `threads` threads each."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.set_num_threads(threads)
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "1" if apart else str(world_size)}
    words = [str(word) for word in (size, clips, threads, parallel)]
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.scaling.ranks", *words],
            env=os.environ | shared | {"RANK": "0" if apart else str(rank), "LOCAL_RANK": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(1, world_size)
    ]
    os.environ.update(shared | {"RANK": "0", "LOCAL_RANK": "0"})
    step, parameters = _stepping(size, clips, parallel)
    for other in others:
        _hear(other, "ready")
    times = 0 if apart else 3 if parallel == "fsdp" else 2  # shards: weights gathered twice, gradients scattered once
    theory = times * (world_size - 1) / world_size * parameters * 4 / 1e6

    def work() -> Mapping[str, float]:
        before = sent_bytes()
        for other in others:
            _tell(other)
        step()
        for other in others:
            _hear(other, "done")
        sent = (sent_bytes() - before) / world_size / 1e6
        return {"sent_megabytes": sent, "theory_megabytes": theory, "parameters": float(parameters)}

    return work


def _tell(other: subprocess.Popen) -> None:
    assert other.stdin is not None
    other.stdin.write("step\n")
    other.stdin.flush()


def _hear(other: subprocess.Popen, expected: str) -> None:
    assert other.stdout is not None
    heard = other.stdout.readline().strip()
    if heard != expected:
        raise RuntimeError(f"another rank said {heard!r}, expected {expected!r}")


def sent_bytes() -> float:
    """Bytes sent so far over the loopback interface, by every process; nan where the system does not tell."""
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()
    except OSError:
        return float("nan")
    return float(next(line.split(":")[1].split()[8] for line in lines if line.strip().startswith("lo:")))


def config(size: str) -> RunConfig:
    """`proof`: the tiny recipe; `S`, `B`: the paper's method at the width of ViT-S or ViT-B."""
    if size == "proof":
        return recipes.get("avsiam_tiny")
    base = recipes.get("avsiam_paper_base")
    return replace(base, method=replace(base.method, width=384, heads=6)) if size == "S" else base


def batch(inputs: InputConfig, clips: int, first: int = 0) -> Batch:
    """Noise of the right shapes."""
    numbers = torch.arange(first, first + clips)
    samples = int(inputs.audio_seconds * 16_000)
    fields = {
        "waveform": torch.randint(-9000, 9000, (clips, samples)).to(torch.int16),
        "waveform_samples": torch.full((clips,), samples),
        "frames": torch.randint(0, 256, (clips, 1, 3, inputs.image_height, inputs.image_width)).to(torch.uint8),
    }
    return Batch(numbers, numbers, fields)


def _stepping(size: str, clips: int, parallel: str) -> tuple[Callable[[], object], int]:
    """This rank's step, and how many parameters its gradients have."""
    keep_freed_memory()
    peers = distributed.start("cpu")
    run = config(size)
    method: Method = build_method(run)
    parameters = sum(p.numel() for p in method.parameters())
    if parallel == "fsdp":
        shard(method, peers.device)
    guard = NonFiniteGuard(method, peers.device, peers)
    stepper = Stepper(method, build_optimizers(method, run.optimizer), guard, peers, Randomness(0, 10_000))
    mine = batch(run.method.inputs, clips, peers.rank * clips)

    def step() -> None:
        stepper(mine, 1e-4, Progress(1, 10, 0.0))
        peers.exchange(mine, 0)
        guard.counts()

    return step, parameters


def main() -> None:
    """The life of a rank that is not the first."""
    size, clips, threads, parallel = sys.argv[1:]
    torch.set_num_threads(int(threads))
    step, _ = _stepping(size, int(clips), parallel)
    print("ready", flush=True)
    for _ in sys.stdin:
        step()
        print("done", flush=True)
    distributed.stop()


if __name__ == "__main__":
    main()
