"""What the service says of clips: keys in place of paths, names without folders, pages of the gallery.

A clip's key is its 63-bit number as 16 hex digits (`randomness.stable_hash` of its id), the same in every copy of the
table. Legend: N clips.
"""

from collections import Counter
from functools import cached_property
from pathlib import PurePath
from typing import Any

import numpy as np

from seehear.randomness import stable_hash
from seehear.search.filters import Filter
from seehear.search.searching import Hit, Searcher
from seehear.search.service.refused import RefusedError

MOST_ON_A_PAGE = 200


class Catalogue:
    """The clips of a table as the page sees them.

    Args:
        searcher: of the table.
    """

    def __init__(self, searcher: Searcher):
        self.searcher, self.table = searcher, searcher.table
        self._keys = [f"{stable_hash(name):016x}" for name in self.table.names]
        self._rows = {key: row for row, key in enumerate(self._keys)}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the collection is: name, size, model, classes, splits."""
        table, about = self.table, self.searcher.about
        count = Counter(name for names in table.labels for name in names)
        return {
            "name": _last(table.uri).removesuffix(".lance"),
            "version": table.version,
            "clips": len(table),
            "with_sound": int(table.has_audio.sum()),
            "with_pictures": int(table.has_image.sum()),
            "seconds": float(np.nansum(table.duration_seconds)),
            "model": _last(about.model),
            "knows": about.knows,
            "hears_seconds": about.seconds,
            "modalities": list(self.searcher.modalities),
            "embedded": {m: len(table.vectors(c)) for m, c in self.searcher.columns.items()},
            "labels": [{"name": name, "clips": count[name]} for name in sorted(count)],
            "splits": sorted({split for split in table.splits if split}),
        }

    def key(self, row: int) -> str:
        """Key of a clip."""
        return self._keys[row]

    def row(self, key: str) -> int:
        """Row of the clip with this key.

        Raises:
            RefusedError: 404.
        """
        if key not in self._rows:
            raise RefusedError(404, "no-clip", "there is no clip with this key", "a key that the service gave")
        return self._rows[key]

    def clip(self, row: int) -> dict[str, Any]:
        """What is known of a clip."""
        table = self.table
        return {
            "key": self._keys[row],
            "name": _last(table.names[row]),
            "file": _last(table.sources[row]),
            "start_seconds": float(table.start_seconds[row]),
            "duration_seconds": float(table.duration_seconds[row]),
            "split": table.splits[row],
            "labels": list(table.labels[row]),
            "caption": table.captions[row],
            "has_sound": bool(table.has_audio[row]),
            "has_pictures": bool(table.has_image[row]),
        }

    def hit(self, hit: Hit) -> dict[str, Any]:
        """A clip that was found."""
        return self.clip(hit.row) | {"rank": hit.rank, "score": hit.score}

    def where(self, label: str, split: str) -> Filter | None:
        """The filter of a search.

        Raises:
            RefusedError: 422 for a label or split that the table has not.
        """
        self._check(label, split)
        found = Filter(labels=(label,) if label else (), splits=(split,) if split else ())
        return found if found else None

    def page(self, offset: int, limit: int, label: str, split: str, text: str) -> dict[str, Any]:
        """Some clips in the order of the table, and how many there are in all.

        Args:
            offset: of the first.
            limit: how many at most.
            label: of the clips; "" for any.
            split: of the clips; "" for any.
            text: words that name, file, labels or caption hold, in any case.

        Raises:
            RefusedError: 422 for a label or split that the table has not.
        """
        self._check(label, split)
        words = text.casefold().split()
        rows = [row for row in range(len(self._keys)) if self._meets(row, label, split, words)]
        return {"total": len(rows), "offset": offset, "clips": [self.clip(row) for row in rows[offset:][:limit]]}

    def _check(self, label: str, split: str) -> None:
        for what, asked, known in (("label", label, self.table.label_names), ("split", split, self.table.splits)):
            if asked and asked not in known:
                found = f"no clip has the {what} {asked[:80]!r}"
                raise RefusedError(422, "unknown-" + what, found, cure=f"choose one of the {what}s on the page")

    def _meets(self, row: int, label: str, split: str, words: list[str]) -> bool:
        table = self.table
        if (label and label not in table.labels[row]) or (split and split != table.splits[row]):
            return False
        return not words or all(word in self._texts[row] for word in words)

    @cached_property
    def _texts(self) -> list[str]:
        table = self.table
        every = zip(table.names, table.sources, table.labels, table.captions, strict=True)
        return ["\n".join((_last(n), _last(s), *names, caption)).casefold() for n, s, names, caption in every]


def _last(path: str) -> str:
    """The last part of a path or URI, whichever slashes it has."""
    return PurePath(path.replace("\\", "/")).name or path.strip("/\\")
