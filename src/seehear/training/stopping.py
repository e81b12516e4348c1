"""Signals: the first asks the loop to finish its step and save, the second ends the process at once.

The handler only sets a flag (and gives further signals back to the system, so that the second one works even while
the process waits inside a library). If saving takes longer than the grace time the process ends by itself: a
checkpoint is then as whole as after any crash. Source: reliability contract R7.
"""

import os
import signal
import threading
from types import FrameType, TracebackType

from seehear.errors import RequeueError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class StopSignals:
    """Context in which SIGTERM, SIGINT and SIGUSR1 set `received` to the signal's number.

    Outside the main thread, where Python allows no handlers, `received` stays 0.

    Args:
        grace_seconds: after the first signal, until the process ends by itself with the requeue status.
    """

    def __init__(self, grace_seconds: float):
        self.received = 0
        self._grace_seconds = grace_seconds
        self._before: dict[signal.Signals, object] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self._timer = threading.Timer(self._grace_seconds, os._exit, (RequeueError.exit_status,))
        self._timer.daemon = True
        self._timer.start()
