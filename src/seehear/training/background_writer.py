"""Work that goes on beside training, one piece at a time: the writing of a checkpoint."""

import threading
from collections.abc import Callable


class BackgroundWriter:
    """Runs one job at a time in a thread; its error waits until it is asked for, once."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether the last job ended by an error that nobody was told yet."""
        return self._error is not None

    def start(self, job: Callable[[], object]) -> None:
        """Start a job as soon as the last one is over.

        Raises:
            BaseException: what the last job raised.
        """
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(job,), daemon=True, name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Wait for the last job.

        Raises:
            BaseException: what it raised.
        """
        if self._thread is not None:
            self._thread.join()
        self._thread, error, self._error = None, self._error, None
        if error is not None:
            raise error

    def _run(self, job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised again by `wait`
            self._error = error
