"""What the members of a WebDataset sample say of its clip: `.json`, `.cls`, `.txt`; or, where it was exported, all."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from seehear.clips.manifest import described, printable
from seehear.clips.webdataset_names import MARK, MARK_VERSION
from seehear.errors import DataError, MediaError, SkipReason
from seehear.media.limits import MEBIBYTE

TEXTS = ("json", "cls", "txt")
_MOST_BYTES = 16 * MEBIBYTE


@dataclass(frozen=True)
class Facts:
    """What is known of a sample.

    Attributes:
        exported: it was exported from a table by this package.
        id: as given, or "".
        source: the file that it was cut from, as given, or "".
        start_seconds: where it begins in that file.
        duration_seconds: its length, where it was exported.
        split: or "".
        labels: names of its classes.
        caption: text, or "".
        times: seconds at which its pictures are shown, or None.
        truth: whatever else is known.
        blobs: columns of blobs that its table had.
    """

    exported: bool = False
    id: str = ""
    source: str = ""
    start_seconds: float = 0.0
    duration_seconds: float = 0.0
    split: str = ""
    labels: tuple[str, ...] = ()
    caption: str = ""
    times: tuple[float, ...] | None = None
    truth: dict[str, Any] = field(default_factory=dict)
    blobs: tuple[str, ...] = ()


def facts_of(members: dict[str, bytes]) -> Facts:
    """The facts that a sample's members hold.

    Raises:
        MediaError: if they cannot be understood.
    """
    try:
        row = json.loads(_text(members["json"])) if "json" in members else {}
        if isinstance(row, dict) and MARK in row:
            return _exported(row)
        return _foreign(row, members)
    except (DataError, ValueError, TypeError, KeyError, RecursionError) as error:
        found = f"facts that cannot be understood ({error})"
        raise MediaError(SkipReason.UNSUPPORTED, found, expected="a JSON object, as a row of a manifest") from error


def _text(data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise MediaError(SkipReason.OVER_LIMIT, f"{len(data):,} bytes of text", expected=f"at most {_MOST_BYTES:,}")
    return data.decode("utf-8-sig")


def _exported(row: dict[str, Any]) -> Facts:
    if row[MARK] != MARK_VERSION:
        raise DataError(f"{MARK} is {row[MARK]!r}", expected=str(MARK_VERSION))
    if not isinstance(row["truth"], dict):
        raise DataError("truth is no object")
    return Facts(
        exported=True,
        id=printable(str(row["id"])),
        source=printable(str(row["source"] or "")),
        start_seconds=_seconds(row["start_seconds"]),
        duration_seconds=_seconds(row["duration_seconds"]),
        split=printable(str(row["split"] or "")),
        labels=tuple(printable(str(label)) for label in row["labels"] or []),
        caption=printable(str(row["caption"] or "")),
        times=tuple(_seconds(time) for time in row["frame_seconds"] or []),
        truth=row["truth"],
        blobs=tuple(map(str, row["blobs"])),
    )


def _foreign(row: Any, members: dict[str, bytes]) -> Facts:
    extra: dict[str, Any] = {}
    if not isinstance(row, dict):
        row, extra = {}, {"json": row}
    if "cls" in members and "label" not in row and "labels" not in row:
        row = row | {"label": _text(members["cls"]).strip()}
    if "txt" in members and "caption" not in row:
        row = row | {"caption": _text(members["txt"]).strip()}
    known = described(row, "its JSON")
    times = row.get("frame_seconds")
    truth = {key: value for key, value in known.truth.items() if key != "frame_seconds"} | extra
    return Facts(
        id=known.id,
        start_seconds=known.start_seconds or 0.0,
        split=known.split,
        labels=known.labels,
        caption=known.caption,
        times=tuple(_seconds(time) for time in times) if isinstance(times, list) else None,
        truth=truth,
    )


def _seconds(value: Any) -> float:
    number = float(value or 0.0)
    if not math.isfinite(number) or number < 0:
        raise DataError(f"{value!r} seconds")
    return number
