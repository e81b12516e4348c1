"""AudioSet-like CSV: `{split}_segments.csv` per split, and `class_labels_indices.csv`.

As in AudioSet's own files, three comment lines, then `id, start, end, "mid,mid"` with a space after each comma; a
class's mid is `/w/` and its percent-encoded name. Clips without a label are left out: AudioSet has none.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from seehear.world.disk.exporters.reading import World
from seehear.world.disk.manifest import write_text

INDICES = "class_labels_indices.csv"


def mid(label: str) -> str:
    """The identifier of a class."""
    return f"/w/{quote(label, safe='')}"


def write(world: World, out: Path) -> list[Path]:
    """Write the files; returns their paths.

    Raises:
        DataError: if no clip has a label.
    """
    labelled = {split: [item for item in found if item["labels"]] for split, found in world.records.items()}
    if not any(labelled.values()):
        raise world.without("a label")
    rows = [f'{number},{mid(name)},"{name}"' for number, name in enumerate(world.labels)]
    contents = {INDICES: "\n".join(["index,mid,display_name", *rows])}
    contents |= {f"{split}_segments.csv": _segments(split, found) for split, found in labelled.items()}
    for name, text in contents.items():
        write_text(out / name, text + "\n")
    return [out / name for name in contents]


def _segments(split: str, records: list[dict[str, Any]]) -> str:
    """The segment list of a split."""
    names = {name for item in records for name in item["labels"]}
    rows = [
        f'{item["id"]}, 0.000, {item["duration_seconds"]:.3f}, "{",".join(map(mid, item["labels"]))}"'
        for item in records
    ]
    counts = f"# num_ytids={len(rows)}, num_segs={len(rows)}, num_unique_labels={len(names)}"
    header = [f"# Segments of split {split}", counts, "# YTID, start_seconds, end_seconds, positive_labels"]
    return "\n".join([*header, *rows])
