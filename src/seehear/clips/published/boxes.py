"""Boxes of sounding things as published with test sets of localisation, and which of them can be used.

Legend: A boxes of a clip, as shares of the picture from its top left corner: x0, y0, x1, y1.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy import ndarray

from seehear.errors import DataError


@dataclass(frozen=True, eq=False)
class BoxedClip:
    """One clip and where it is seen to sound: float64 boxes `[A, 4]`, inside the picture, and its class ("": none)."""

    id: str
    boxes: ndarray
    label: str = ""


@dataclass(frozen=True)
class BoxReport:
    """What became of an annotation, counted.

    Attributes:
        clips: entries of the annotation.
        boxes: boxes in all of them.
        cut: boxes that reach beyond the picture and were cut at its edges.
        empty: ids with boxes of no area, one for each such box; they are left out.
        without: ids that are left with no box, and so left out themselves.
        missing: annotated clips that are not at hand, and so left out.
    """

    clips: int
    boxes: int
    cut: int = 0
    empty: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{self.clips} annotated clips, {self.boxes} boxes"]
        told += [f"{self.cut} boxes reach beyond the picture: cut at its edges"] if self.cut else []
        for ids, what in (
            (self.empty, "boxes without area left out"),
            (self.without, "clips without a box left out"),
            (self.missing, "annotated clips are not at hand, left out"),
        ):
            if ids:
                told.append(f"{len(ids)} {what}: {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}")
        return told


@dataclass(frozen=True, eq=False)
class Boxes:
    """An annotation: its usable clips by id, and the report on the others."""

    clips: dict[str, BoxedClip]
    report: BoxReport

    def of(self, names: Iterable[str]) -> "Boxes":
        """The clips among `names` (all that are at hand); the others are counted as missing.

        Raises:
            DataError: if none of them is annotated.
        """
        held = set(names)
        found = {name: clip for name, clip in self.clips.items() if name in held}
        if not found:
            raise DataError(
                f"none of the {len(self.clips)} annotated clips is among the {len(held)} at hand",
                cause="clips that are named otherwise than in the annotation",
            )
        missing = tuple(name for name in self.clips if name not in held)
        return Boxes(found, replace(self.report, missing=missing))


def gathered(entries: Iterable[tuple[str, str, list[list[float]], str]], source: str) -> Boxes:
    """The usable boxes of `entries`: (where it stands, id, boxes as shares, label) each.

    Raises:
        DataError: on a box that is no four finite numbers, an id that comes twice, or no entry at all.
    """
    clips: dict[str, BoxedClip] = {}
    seen: set[str] = set()
    boxes = cut = 0
    empty: list[str] = []
    without: list[str] = []
    for where, name, given, label in entries:
        if name in seen:
            raise DataError(f"{where} has the clip {name!r} again", expected="each clip once")
        seen.add(name)
        inside = []
        for box in given:
            values = _box(where, box)
            clipped = values.clip(0, 1)
            boxes, cut = boxes + 1, cut + int(not np.array_equal(values, clipped))
            if (clipped[2:] > clipped[:2]).all():
                inside.append(clipped)
            else:
                empty.append(name)
        if inside:
            clips[name] = BoxedClip(name, np.stack(inside), label)
        else:
            without.append(name)
    if not seen:
        raise DataError(f"{source} annotates no clip", expected="one entry for each")
    return Boxes(clips, BoxReport(len(seen), boxes, cut, tuple(empty), tuple(without)))


def _box(where: str, box: list[float]) -> ndarray:
    values = np.array(box, np.float64) if len(box) == 4 else np.empty(0)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise DataError(f"{where} has the box {box}", expected="four finite numbers: x0, y0, x1, y1")
    return values
