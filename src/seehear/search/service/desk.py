"""What the endpoints share: the searcher, uploads, files of clips, the map, and the searches under way."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seehear.contracts import Modality
from seehear.errors import SeeHearError
from seehear.media import decode_jpeg
from seehear.search.query import Query, query_of_clip
from seehear.search.searching import Searcher
from seehear.search.service.asked import Asked
from seehear.search.service.catalogue import Catalogue
from seehear.search.service.projection import Projection
from seehear.search.service.rates import Rate, Slots
from seehear.search.service.refused import RefusedError
from seehear.search.service.settings import Settings
from seehear.search.service.shown import Shown
from seehear.search.service.spool import Spool
from seehear.search.service.tokens import Doorkeeper
from seehear.search.service.uploads import Uploads, Wish
from seehear.search.similarity_map import similarity_map

LOG = logging.getLogger("seehear.serve")


@dataclass(frozen=True)
class Ask:
    """What is wanted of a search; see the endpoint's parameters."""

    by: str
    target: str
    k: int
    label: str
    split: str


class Desk:
    """Answers what the endpoints ask.

    Args:
        searcher: of the table.
        settings: limits.

    Attributes:
        ready: the model is loaded, or cannot be (then `uploads_work` is False and searches by clip go on).
        draining: the service ends: no new request should come.
    """

    def __init__(self, searcher: Searcher, settings: Settings):
        self.searcher, self.settings = searcher, settings
        self.doorkeeper = Doorkeeper(settings.token, settings.wrong_tokens_per_minute)
        self.catalogue, self.asked = Catalogue(searcher), Asked(settings.kept_queries)
        self.spool, self.uploads = Spool(settings.spool_bytes), Uploads(searcher, settings)
        self.shown = Shown(searcher.table, self.spool.folder, settings.cache_bytes)
        self.map = Projection(searcher, settings.map_clips)
        self.slots, self.rate = Slots(settings.searches_at_once), Rate(settings.searches_per_minute)
        self.ready = self.uploads_work = self.draining = False

    def open(self) -> None:
        """Load the model and read what searches need, in the background."""
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def _load(self) -> None:
        try:
            _ = self.catalogue.facts
            self.uploads.load()
            self.uploads_work = True
        except SeeHearError as error:
            LOG.warning("no search by upload: %s", error)
        self.ready = True

    def close(self) -> None:
        """End all processes and delete what lies on the disk."""
        self.uploads.close()
        self.spool.close()

    def collection(self) -> dict[str, Any]:
        """What the collection is, and whether files can be asked with."""
        working = {"uploads": self.uploads_work or not self.ready}
        return self.catalogue.facts | working | {"map_clips": self.settings.map_clips, "map": self.map.default}

    def by_file(self, path: Path, wish: Wish, ask: Ask) -> dict[str, Any]:
        """Search with an uploaded file.

        Raises:
            RefusedError: 422 where the file or the wish is not usable.
        """
        queries = self.uploads.queries(path, wish)
        return self._answer(self.asked.keep(queries), {query.modality: query for query in queries}, ask)

    def by_clip(self, key: str, ask: Ask) -> dict[str, Any]:
        """Search with a clip of the collection.

        Raises:
            RefusedError: 404 or 422.
        """
        row = self.catalogue.row(key)
        queries = query_of_clip(self.searcher.table, self.searcher.table.names[row], self.searcher.about.slug)
        name = self.asked.keep(queries)
        return self._answer(name, {query.modality: query for query in queries}, ask) | {
            "clip": self.catalogue.clip(row)
        }

    def again(self, name: str, ask: Ask) -> dict[str, Any]:
        """Search with a query that was asked before.

        Raises:
            RefusedError: 404 or 422.
        """
        return self._answer(name, self.asked.of(name), ask)

    def _answer(self, name: str, queries: Mapping[Modality, Query], ask: Ask) -> dict[str, Any]:
        query = _chosen(queries, ask.by)
        target = ask.target or (query.modality if query.modality in self.searcher.modalities else self.map.default)
        if target not in self.searcher.modalities:
            have = ", ".join(self.searcher.modalities)
            raise RefusedError(422, "unknown-target", f"the collection has no {target} vectors", f"one of {have}")
        where = self.catalogue.where(ask.label, ask.split)
        hits = self.searcher.search(query, target, ask.k, where)
        asked = {"query": name, "by": query.modality, "offers": list(queries), "target": target, "at": query.seconds}
        return asked | {"hits": [self.catalogue.hit(hit) for hit in hits]}

    def where_seen(self, key: str, query: str) -> dict[str, Any]:
        """The similarity map of a clip's middle frame: for a query that was asked, or ("") for the clip's own sound.

        Raises:
            RefusedError: 404 where there is no such picture or sound, 422 where this model offers no map.
        """
        row = self.catalogue.row(key)
        table = self.searcher.table
        queries = self.asked.of(query).values() if query else query_of_clip(table, table.names[row])
        sounds = [one for one in queries if one.modality == "audio"]
        frames = table.frames_of(row)
        if not sounds or not frames:
            what = "sound" if frames else "picture"
            raise RefusedError(404, "no-" + what, f"there is no {what} to compare with")
        self.uploads.load()
        need = self.searcher.encoder.method.needs.frames
        pixels = torch.from_numpy(decode_jpeg(frames[len(frames) // 2]).copy()).permute(2, 0, 1)
        values = similarity_map(sounds[0].vector, self.searcher.encoder.encode_frames(pixels))
        return {
            "rows": values.shape[0],
            "columns": values.shape[1],
            "values": values.astype(float).round(4).tolist(),
            "fit": need.fit if need is not None else "squash",
            "height": pixels.shape[1],
            "width": pixels.shape[2],
        }

    def map_of(self, of: str) -> dict[str, Any]:
        """The map of one modality; "" for the default.

        Raises:
            RefusedError: 422 where the table has none of it.
        """
        modality = next((m for m in self.searcher.modalities if m == (of or self.map.default)), None)
        if modality is None:
            have = ", ".join(self.searcher.modalities)
            raise RefusedError(422, "unknown-target", f"the collection has no {of} vectors", f"one of {have}")
        found = dict(self.map.of(modality))
        rows = found.pop("rows", [])
        table, key = self.searcher.table, self.catalogue.key
        return found | {"keys": [key(row) for row in rows], "labels": [table.labels[row] for row in rows]}


def _chosen(queries: Mapping[Modality, Query], by: str) -> Query:
    if not by:
        return next(iter(queries.values()))
    for modality, query in queries.items():
        if modality == by:
            return query
    raise RefusedError(422, "no-vector", f"this query has no {by} vector", f"one of {', '.join(queries)}")
