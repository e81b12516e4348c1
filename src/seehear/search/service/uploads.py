"""From an uploaded file to queries: decoded in the pool's disposable processes, embedded by the table's model."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from seehear.errors import DataError, SeeHearError
from seehear.media import Limits, Pool
from seehear.search.query import Kind, Query, query_of_file
from seehear.search.searching import Searcher
from seehear.search.service.refused import RefusedError, as_refused
from seehear.search.service.settings import Settings

KINDS = ("audio", "image", "clip")


@dataclass(frozen=True)
class Wish:
    """What to make of an upload: its `kind`, and the second `at` which its window begins (None: all of it)."""

    kind: str = "clip"
    at: float | None = None


class Uploads:
    """Makes queries of files.

    Args:
        searcher: whose model embeds them.
        settings: limits.
    """

    def __init__(self, searcher: Searcher, settings: Settings):
        self._searcher, self._limits = searcher, Limits.for_strangers()
        self._pool = Pool(settings.workers, limits=self._limits, deadline_seconds=settings.decode_seconds)
        self._loading = threading.Lock()

    def load(self) -> None:
        """Load the model, so that the first upload does not wait for it.

        Raises:
            StorageError, UsageError: if it cannot be loaded.
        """
        with self._loading:
            _ = self._searcher.encoder

    def queries(self, path: Path, wish: Wish) -> list[Query]:
        """The queries that a file gives, the best first.

        Raises:
            RefusedError: 422 where the file cannot be used, 503 where the model cannot be loaded.
        """
        if wish.kind not in KINDS:
            raise RefusedError(422, "bad-value", f"use is {wish.kind[:40]!r}", f"one of {', '.join(KINDS)}")
        try:
            self.load()
            kind = cast(Kind, wish.kind)
            return query_of_file(self._searcher.encoder, path, kind, at=wish.at, limits=self._limits, pool=self._pool)
        except SeeHearError as error:
            refused = as_refused(error, str(path))
            if type(error) is DataError:  # digital silence throughout
                refused.code, refused.cure = "silent", "ask with another file, another second of it, or its picture"
            raise refused from error

    def close(self) -> None:
        """End the decoding processes."""
        self._pool.shutdown(kill=True)
