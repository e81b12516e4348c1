"""What the processes of the loader's benchmark run: each arm reads clips on one core, that of its children included.

A pass returns how many clips it read, processor seconds of the process and of its children, and memory held after it.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch

from benchmarks import loader_rival
from seehear import clips, recipes
from seehear.allocator import keep_freed_memory
from seehear.contracts import AudioNeed, Batch, FrameNeed, Needs, Progress
from seehear.media import probe, read_clip
from seehear.randomness import Randomness
from seehear.runs.pretraining import build_method
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

Pass = Callable[[], Mapping[str, float]]
NEEDS = Needs(AudioNeed(10.0), FrameNeed(1, 224, 224))


def table(path: str, batch: int, count: int, memory_kept: bool = True) -> Pass:
    """Training batches from a packed table."""
    _on_one_core()
    if memory_kept:
        keep_freed_memory()
    return _batches(clips.open(path), batch, count)


def files(path: str, batch: int, count: int) -> Pass:
    """Training batches straight from a folder of mp4 files, through its one decoding process."""
    _on_one_core()
    return _batches(clips.FolderClips(path, workers=1), batch, count)


def in_place(path: str, count: int) -> Pass:
    """The same picture and sound, decoded in this process: what is left without the sandbox and without batches."""
    _on_one_core()
    paths = sorted(Path(path).glob("*.mp4"))
    tells = [probe(path).header_tells for path in paths]
    chosen = itertools.cycle(range(len(paths)))

    def work() -> Mapping[str, float]:
        before = _processor_seconds()
        for turn, place in zip(range(count), chosen, strict=False):
            read_clip(paths[place], [0.5 + turn % 10], (0.0, 10.0), shorter_side=224, header_tells=tells[place])
        return _measured(count, before)

    return work


def rival(path: str, count: int) -> Pass:
    """R0's loader."""
    _on_one_core()
    paths = sorted(Path(path).glob("*.mp4"))
    chosen = itertools.cycle(paths)

    def work() -> Mapping[str, float]:
        before = _processor_seconds()
        for turn, video in zip(range(count), chosen, strict=False):
            loader_rival.load(video, video.parent.with_suffix(".wav") / f"{video.stem}.wav", turn % 10 / 10)
        return _measured(count, before)

    return work


def waiting(path: str, batch: int, steps: int, step_seconds: float, threads: int) -> Pass:
    """The loader's threads beside a step that only sleeps: what is waited for then is the loader alone."""
    stream = _loader(clips.open(path), NEEDS, batch, threads)
    return _waited(stream, steps, lambda _: time.sleep(step_seconds))


def training(path: str, steps: int, threads: int) -> Pass:
    """The loader's threads beside the real step of `avsiam_tiny`, on all cores."""
    keep_freed_memory()
    config = recipes.get("avsiam_tiny")
    model = build_method(config)
    alone, randomness = Peers(0, 1, torch.device("cpu")), Randomness(0, 100_000)
    guard = NonFiniteGuard(model, alone.device, alone)
    stepper = Stepper(model, build_optimizers(model, config.optimizer), guard, alone, randomness)
    stream = _loader(clips.open(path), model.needs, config.data.global_batch, threads)
    return _waited(stream, steps, lambda batch: stepper(batch, 1e-4, Progress(1, 1000, 0.0)))


def _waited(stream: clips.Loader, steps: int, step: Callable[[Batch], object]) -> Pass:
    firsts = itertools.count(0, steps + 1)

    def work() -> Mapping[str, float]:
        first = next(firsts)
        batches = stream.batches(first, first + steps + 1)
        step(next(batches))  # until then the threads had no time to work ahead
        waited, begin = 0.0, time.perf_counter()
        for _ in range(steps):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            step(batch)
        total = time.perf_counter() - begin
        return {"waited_share": waited / total, "ms_per_step": 1e3 * total / steps}

    return work


def _batches(source: clips.TableClips | clips.FolderClips, batch: int, count: int) -> Pass:
    stream = _loader(source, NEEDS, batch, threads=0)
    steps = max(1, round(count / batch))
    endless: Iterator[Batch] = stream.batches(0, 1 << 40)

    def work() -> Mapping[str, float]:
        before = _processor_seconds()
        for _ in range(steps):
            read = next(endless)
        measured = _measured(steps * batch, before)
        size = sum(value.nbytes for value in read.fields.values()) / len(read)
        return measured | {"batch_bytes_per_clip": size}

    return work


def _loader(source: clips.TableClips | clips.FolderClips, needs: Needs, batch: int, threads: int) -> clips.Loader:
    sampler = clips.ShuffleSampler(source.ids, batch, 0)
    return clips.Loader(source, needs, sampler, Randomness(0, len(source)), threads=threads)


def _measured(count: int, before: float) -> dict[str, float]:
    used = _processor_seconds() - before
    resident = [_resident_mebibytes(process) for process in ("self", *_children())]
    return {
        "clips": count,
        "processor_seconds": used,
        "resident_mebibytes": resident[0],
        "children_mebibytes": sum(resident[1:]),
    }


def _on_one_core() -> None:
    """This process and its children to come share one core, the last one, so that what they do is work of one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _processor_seconds() -> float:
    """Of this process and its children, those that have ended too."""
    times = os.times()
    ticks = os.sysconf("SC_CLK_TCK")
    own = time.process_time() + times.children_user + times.children_system
    return own + sum(int(value) for child in _children() for value in _status(child)[11:13]) / ticks


def _children() -> list[str]:
    me, found = str(os.getpid()), []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit() and _status(name)[1:2] == [me]:
            found.append(name)
    return found


def _status(process: str) -> list[str]:
    """The fields of `/proc/PROCESS/stat` after the name; empty where the process is gone."""
    try:
        return Path("/proc", process, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _resident_mebibytes(process: str) -> float:
    try:
        pages = int(Path("/proc", process, "statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
