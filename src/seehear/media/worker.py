"""The loop of one disposable decoding process (see `pool`): take a call, keep to the limits, send the outcome.

The process limits itself: address space (R5's resident bytes on top of what the bare process maps), processor seconds
for each call, no core dumps. It ignores Ctrl-C, which is the parent's to handle, and dies with its parent.
"""

import contextlib
import ctypes
import math
import os
import resource
import signal
import socket
import sys
import traceback
from typing import Any

from seehear.errors import MediaError, SeeHearError, SkipReason
from seehear.media.limits import Limits
from seehear.media.messages import receive, send

READY = "ready"
RESULT, ERROR, FAILURE = "result", "error", "failure"
_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> None:
    """Serve calls from the socket `descriptor` until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent)
    with socket.socket(fileno=descriptor) as channel, contextlib.suppress(EOFError, BrokenPipeError):
        limits: Limits = receive(channel, trusted=True)
        _warm_up()
        _limit_memory(limits.resident_bytes)
        send(channel, READY)
        while True:
            outcome = _outcome(channel, limits)
            send(channel, outcome)
            del outcome


def _outcome(channel: socket.socket, limits: Limits) -> tuple[str, Any]:
    try:
        function, arguments, options = receive(channel, trusted=True)
        _limit_processor(limits.cpu_seconds)
        return RESULT, function(*arguments, **options)
    except SeeHearError as error:
        return ERROR, error
    except MemoryError:
        found = f"more than {limits.resident_bytes // 2**20:,} MiB of memory"
        return ERROR, MediaError(SkipReason.OVER_LIMIT, found, expected="less (Limits.resident_bytes)")
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 (any fault of a foreign function is reported to the caller, not lost)
        text = "".join(traceback.format_exception(error))
        return FAILURE, (f"{type(error).__name__}: {error}", text)


def _warm_up() -> None:
    """Load what every call needs before memory is limited."""
    import av

    import seehear.media.pictures

    av.logging.set_level(av.logging.PANIC)
    assert seehear.media.pictures


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def _limit_memory(resident_bytes: int) -> None:
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_AS, _mapped_bytes() + resident_bytes)


def _mapped_bytes() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _limit_processor(seconds: float) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _set_limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))


def _set_limit(which: int, value: int) -> None:
    """Lower a soft limit as far as the system lets us (macOS has no limit on address space)."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (value, hard))
