"""Functions for the pool's tests: importable by its processes."""

import os
import signal
import sys
import time

import numpy as np

from seehear.errors import MediaError, SkipReason
from seehear.media import probe, read_audio, read_frames


def double(value):
    return 2 * value


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def crash(_path):
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(status):
    print("goodbye", file=sys.stderr, flush=True)
    os._exit(status)


def eat_memory(mebibytes):
    return int(np.ones(mebibytes * 2**20, np.uint8).sum())


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds


def refuse(path):
    raise MediaError(SkipReason.NO_AUDIO, "none", path=path)


def fail(text):
    raise ValueError(text)


def process_id(_item=None):
    return os.getpid()


def loaded(name):
    return name in sys.modules


def ramp(count):
    return {"ramp": np.arange(count, dtype=np.int32), "small": np.arange(3)}


def total(array):
    return float(array.sum())


class Evil:
    def __reduce__(self):
        return os.system, ("echo escaped >&2",)


def evil():
    return Evil()


def ignores_interrupts():
    return signal.getsignal(signal.SIGINT) == signal.SIG_IGN


def sleep_or_refuse(item):
    return refuse(item) if isinstance(item, str) else sleep(item)


def everything(data):
    """All that can be read of the bytes of a file: facts, frames and sound (None where it has none)."""
    info = probe(data)
    frames = samples = None
    if info.video is not None:
        times = [0.0, info.duration_seconds / 2, info.video.last_frame_seconds]
        frames = read_frames(data, times, shorter_side=32)
    if info.audio is not None:
        samples = read_audio(data)
        read_audio(data, info.audio.duration_seconds / 2, 0.1)
    return info, frames, samples
