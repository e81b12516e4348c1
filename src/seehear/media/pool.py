"""The one pool of disposable processes: native decoders meet foreign bytes only here.

Each process is a fresh interpreter (no fork of a threaded parent, no import of the caller's main file, hence no torch)
that serves many calls and is replaced after a crash, a deadline or `recycle_after` calls. A call that crashes, hangs,
runs out of memory or of processor time gives a typed `MediaError` for that call alone (promises R3 and R5). Large
arrays travel through shared memory, both ways.
"""

import collections
import contextlib
import os
import queue
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from seehear.errors import MediaError, UsageError
from seehear.media.decoding_process import Call, DecodingProcess
from seehear.media.limits import Limits

_KILL_AGAIN_SECONDS = 0.05


@dataclass
class _Shared:
    """What the slots of one pool share; the pool itself is not in it, so that it can be garbage collected."""

    limits: Limits
    deadline_seconds: float
    recycle_after: int
    calls: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    processes: set[DecodingProcess] = field(default_factory=set)
    stopping: bool = False


class Pool:
    """Disposable processes that call importable functions.

    Args:
        workers: processes; by default one per core this process may use.
        limits: memory and processor time of each call; the other limits are those that the function is given.
        deadline_seconds: wall-clock time of one call, after which its process is killed.
        recycle_after: calls after which a process is replaced, so that leaks in native code stay small.

    A call may return plain values, NumPy arrays, and dataclasses, enumerations and errors of this package. Use the pool
    as a context manager: leaving it waits for the calls under way and waiting, or kills and cancels them if an
    exception leaves with it.

    Raises:
        UsageError: on fewer than one worker.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        limits: Limits | None = None,
        deadline_seconds: float = 60.0,
        recycle_after: int = 500,
    ):
        self.workers = workers if workers is not None else available_cores()
        if self.workers < 1 or recycle_after < 1 or not deadline_seconds > 0:
            raise UsageError(
                f"a pool of {self.workers} workers, {deadline_seconds} s, recycled after {recycle_after} calls",
                expected="at least one worker, one call and some time",
            )
        self._shared = _Shared(limits or Limits(), deadline_seconds, recycle_after)
        self._threads = [
            threading.Thread(target=_serve, args=(self._shared,), name=f"media-pool-{i}", daemon=True)
            for i in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()
        self._finalizer = weakref.finalize(self, _stop, self._shared, self.workers)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Call `function(*args, **kwargs)` in a process.

        The future raises `MediaError` for what the function raised so, and for a crash (CRASHED), a missed deadline or
        processor limit (TIMED_OUT) or the memory limit (OVER_LIMIT); other errors of this package as they are; any
        other exception as `WorkerError`.

        Raises:
            UsageError: on a function that another process cannot import, or a pool that is shut.
        """
        if getattr(function, "__module__", "") == "__main__":
            raise UsageError(
                f"{function} lives in the main program", expected="a function in a file that can be imported"
            )
        if self._shared.stopping or not self._finalizer.alive:
            raise UsageError("the pool is shut")
        call = Call(Future(), (function, args, kwargs))
        self._shared.calls.put(call)
        return call.future

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """`function(item)` for each item, in order; a `MediaError` takes the place of its item's result.

        Items are drawn as needed, so they may be endless. Other errors are raised.
        """
        waiting: collections.deque[Future] = collections.deque()
        try:
            for item in items:
                waiting.append(self.submit(function, item))
                if len(waiting) > 2 * self.workers:
                    yield _result_or_media_error(waiting.popleft())
            while waiting:
                yield _result_or_media_error(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    def shutdown(self, *, kill: bool = False) -> None:
        """End all processes: after the calls under way and waiting, or at once with `kill`."""
        if kill:
            self._shared.stopping = True
        self._finalizer()
        for thread in self._threads:
            while thread.is_alive():
                for process in list(self._shared.processes) if kill else ():
                    process.kill()
                thread.join(_KILL_AGAIN_SECONDS if kill else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown(kill=kind is not None)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stop(shared: _Shared, workers: int) -> None:
    for _ in range(workers):
        shared.calls.put(None)


def _result_or_media_error(future: Future) -> Any:
    try:
        return future.result()
    except MediaError as error:
        return error


def _serve(shared: _Shared) -> None:
    """One slot of the pool: a thread that feeds one process after another."""
    process = _next_process(shared)
    with contextlib.suppress(OSError):  # a failure to start shows again, and is reported, at the first call
        process.start()
    try:
        while (call := shared.calls.get()) is not None:
            if shared.stopping:
                call.future.cancel()
            if call.future.set_running_or_notify_cancel():
                _settle(call, process)
                if process.calls >= shared.recycle_after or not process.alive:
                    _end(shared, process)
                    process = _next_process(shared)
            del call
    finally:
        _end(shared, process)


def _next_process(shared: _Shared) -> DecodingProcess:
    process = DecodingProcess(shared.limits, shared.deadline_seconds)
    shared.processes.add(process)
    return process


def _end(shared: _Shared, process: DecodingProcess) -> None:
    process.close()
    shared.processes.discard(process)


def _settle(call: Call, process: DecodingProcess) -> None:
    try:
        call.future.set_result(process.run(call))
    except Exception as error:  # noqa: BLE001 (whatever it is belongs to the caller, who waits on the future)
        call.future.set_exception(error)
