"""Writing the manifest of a data set, and the report beside it: `eval.csv` and `eval.dataset.json`."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from seehear.clips.manifest import Entry
from seehear.clips.published.report import DatasetReport
from seehear.errors import DataError, UsageError
from seehear.media.atomic import atomic_file

SUFFIXES = (".csv", ".jsonl")
COLUMNS = ("file", "id", "split", "labels", "start_seconds", "duration_seconds")


def check_manifest_name(path: Path) -> None:
    """Refuse the name of a manifest that could not be written.

    Raises:
        UsageError: on another suffix.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path} ends in {path.suffix!r}", expected=f"a manifest: {' or '.join(SUFFIXES)}")


def write_manifest(path: str | Path, entries: Sequence[Entry], report: DatasetReport) -> DatasetReport:
    """Write both files, each whole or not at all; files are named relative to the folder of media.

    Returns:
        The report, with the place of the manifest in it.

    Raises:
        UsageError: on a suffix other than .csv and .jsonl.
        DataError: without a clip, or for a .csv on a class with ; or a vertical bar in its name.
        StorageError: if they cannot be written.
    """
    path = Path(path)
    check_manifest_name(path)
    if not entries:
        raise DataError("no clip is left to be written", cause="broken files; the report names them")
    text = _as_csv(entries) if path.suffix.lower() == ".csv" else _as_lines(entries)
    report = replace(report, manifest=path)
    facts = json.dumps(report.to_dict(), indent=1, ensure_ascii=False)
    for place, content in ((path, text), (path.with_suffix(".dataset.json"), facts + "\n")):
        with atomic_file(place) as file:
            file.write(content.encode())
    return report


def _row(entry: Entry, labels: Any) -> dict[str, Any]:
    return {
        "file": entry.name,
        "id": entry.id,
        "split": entry.split,
        "labels": labels,
        "start_seconds": entry.start_seconds,
        "duration_seconds": entry.duration_seconds,
    }


def _as_csv(entries: Sequence[Entry]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        for label in entry.labels:
            if ";" in label or "|" in label:
                raise DataError(f"the class {label!r} cannot stand in a .csv manifest", cure="name it .jsonl")
        writer.writerow(_row(entry, ";".join(entry.labels)))
    return text.getvalue()


def _as_lines(entries: Sequence[Entry]) -> str:
    rows = ({k: v for k, v in _row(entry, list(entry.labels)).items() if v is not None} for entry in entries)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
