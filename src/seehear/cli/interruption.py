"""Stopping work that saves as it goes: Ctrl-C and SIGTERM end it with status 75 and a word on how to go on."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seehear.errors import RequeueError


@contextmanager
def restartable() -> Iterator[None]:
    """For work that the same command goes on with.

    Raises:
        RequeueError: in the place of Ctrl-C, and on SIGTERM.
    """

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    here = threading.current_thread() is threading.main_thread()  # signals can be taken nowhere else
    earlier = signal.signal(signal.SIGTERM, stop) if here else None
    try:
        yield
    except KeyboardInterrupt:
        raise RequeueError("stopped; what was done is kept", cure="start the same command again to go on") from None
    finally:
        if here:
            signal.signal(signal.SIGTERM, earlier)
