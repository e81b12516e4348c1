"""Queries that were asked, kept for a while under random names: for another target, or for where a sound is seen."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence

from seehear.contracts import Modality
from seehear.search.query import Query
from seehear.search.service.refused import RefusedError


class Asked:
    """The last queries.

    Args:
        most: older ones are forgotten.
    """

    def __init__(self, most: int):
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[str, dict[Modality, Query]] = OrderedDict()

    def keep(self, queries: Sequence[Query]) -> str:
        """The name under which these are kept."""
        name = secrets.token_hex(12)
        with self._lock:
            self._kept[name] = {query.modality: query for query in queries}
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return name

    def of(self, name: str) -> dict[Modality, Query]:
        """What was kept, by modality.

        Raises:
            RefusedError: 404 where it is forgotten.
        """
        with self._lock:
            if name not in self._kept:
                raise RefusedError(404, "query-forgotten", "this query is no longer kept", cure="ask again")
            self._kept.move_to_end(name)
            return self._kept[name]
