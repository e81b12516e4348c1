"""The parent's side of one disposable decoding process (see `pool`): start it, call it, learn how it died."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seehear.errors import MediaError, SeeHearError, SkipReason, UsageError
from seehear.media.limits import Limits
from seehear.media.messages import receive, send
from seehear.media.worker import ERROR, READY, RESULT

_START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from seehear.media.worker import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)


class WorkerError(SeeHearError):
    """A function raised something that is not of this package: a fault of the function; notes hold its traceback."""


@dataclass
class Call:
    """One call: what to run, and the future that waits for it."""

    future: Future
    message: tuple[Callable[..., Any], tuple, dict[str, Any]]

    @property
    def path(self) -> str:
        """The file at work, for messages: the first argument that is a path."""
        first = self.message[1][0] if self.message[1] else ""
        return str(first) if isinstance(first, str | Path) else ""


class DecodingProcess:
    """One process and the parent's end of its socket."""

    def __init__(self, limits: Limits, deadline_seconds: float):
        self.limits, self.deadline_seconds = limits, deadline_seconds
        self.calls, self.alive, self.ready = 0, True, False
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start the process, without waiting for it to be ready.

        Raises:
            OSError: where the system refuses another process.
        """
        self.channel, theirs = socket.socketpair()
        self.last_words = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        arguments = [str(theirs.fileno()), str(os.getpid()), json.dumps(sys.path)]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.last_words,
                env=os.environ | _ONE_THREAD,
            )
        send(self.channel, self.limits)

    def run(self, call: Call) -> Any:
        """The outcome of one call.

        Raises:
            Exception: as `Pool.submit` says.
        """
        self._await_ready()
        self.calls += 1
        try:
            self.channel.settimeout(None)
            send(self.channel, call.message)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(f"a call that cannot be sent to another process: {error}") from error
        except OSError as error:
            raise self._death(call) from error
        kind, value = self._answer(call)
        if kind == RESULT:
            return value
        if kind == ERROR:
            raise value
        summary, trace = value
        failure = WorkerError(f"{call.message[0]} raised {summary}")
        failure.add_note(trace)
        raise failure

    def _answer(self, call: Call) -> tuple[str, Any]:
        try:
            self.channel.settimeout(self.deadline_seconds)
            return receive(self.channel, trusted=False)
        except TimeoutError as error:
            self.alive = False
            found = f"no result within {self.deadline_seconds:g} s"
            raise MediaError(SkipReason.TIMED_OUT, found, path=call.path) from error
        except (EOFError, OSError) as error:
            raise self._death(call) from error
        except pickle.UnpicklingError as error:
            self.alive = False
            raise WorkerError(f"{call.message[0]} returned what may not cross: {error}") from error

    def _await_ready(self) -> None:
        if self.ready:
            return
        try:
            if self.process is None:
                self.start()
            self.channel.settimeout(_START_SECONDS)
            self.ready = receive(self.channel, trusted=False) == READY
        except (EOFError, OSError) as error:
            self.alive = False
            raise WorkerError(f"a decoding process did not start ({error})", cause=self._words()) from error

    def _death(self, call: Call) -> MediaError:
        self.alive = False
        status = self._wait()
        if status == -signal.SIGXCPU:
            found = f"more than {self.limits.cpu_seconds:g} s of processor time"
            return MediaError(SkipReason.TIMED_OUT, found, path=call.path)
        found = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return MediaError(SkipReason.CRASHED, f"{found} {self._words()}".strip(), path=call.path)

    def _wait(self) -> int:
        assert self.process is not None
        try:
            return self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _words(self) -> str:
        """The last line that the process wrote to its standard error."""
        if self.process is None:
            return ""
        self.last_words.seek(0)
        lines = self.last_words.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else ""

    def close(self) -> None:
        """End the process and forget it."""
        if self.process is None:
            return
        if not self.alive:
            self.process.kill()
        self.channel.close()
        self._wait()
        self.last_words.close()

    def kill(self) -> None:
        """End the process at once, from any thread; the call under way fails as CRASHED."""
        if self.process is not None:
            self.process.kill()
