"""The map of a collection: t-SNE of its vectors, laid out once in the background and kept in memory.

Legend: N clips with a vector, M of them on the map, D width.
"""

import logging
import threading
from typing import Any

import numpy as np

from seehear.contracts import Modality
from seehear.errors import SeeHearError
from seehear.reports.tsne import project
from seehear.search.searching import Searcher

LOG = logging.getLogger("seehear.serve")
_BEST_FIRST: tuple[Modality, ...] = ("audiovisual", "image", "audio")


class Projection:
    """One map per modality.

    Args:
        searcher: of the table.
        most: M; of more clips an even choice is taken.
    """

    def __init__(self, searcher: Searcher, most: int):
        self._searcher, self._most, self._lock = searcher, most, threading.Lock()
        self._laid_out: dict[Modality, dict[str, Any] | None] = {}  # None while it is being laid out

    @property
    def default(self) -> Modality:
        """What the map shows if nothing is asked for: sound and picture together, where the table has that."""
        return next(modality for modality in _BEST_FIRST if modality in self._searcher.modalities)

    def of(self, modality: Modality) -> dict[str, Any]:
        """The map, or that it is under way: `state` "ready" or "computing" or "failed"; `rows [M]`, `points [M, 2]`."""
        with self._lock:
            if modality not in self._laid_out:
                self._laid_out[modality] = None
                threading.Thread(target=self._lay_out, args=(modality,), name="map", daemon=True).start()
            found = self._laid_out[modality]
        return {"state": "computing"} if found is None else found

    def _lay_out(self, modality: Modality) -> None:
        try:
            found = self._points(modality)
        except SeeHearError as error:
            LOG.warning("map of %s: %s", modality, error)
            found = {"state": "failed"}
        with self._lock:
            self._laid_out[modality] = found

    def _points(self, modality: Modality) -> dict[str, Any]:
        vectors = self._searcher.table.vectors(self._searcher.columns[modality])
        chosen = np.unique(np.linspace(0, len(vectors) - 1, min(self._most, len(vectors))).round().astype(int))
        values = vectors.values[chosen]
        points, _ = project(values, None)
        low, high = points.min(axis=0, initial=0), points.max(axis=0, initial=0)
        scaled = (points - (low + high) / 2) / max(float((high - low).max()), 1e-9) + 0.5
        return {
            "state": "ready",
            "of": modality,
            "clips": len(vectors),
            "rows": vectors.rows[chosen].tolist(),
            "points": scaled.astype(float).round(4).tolist(),
        }
