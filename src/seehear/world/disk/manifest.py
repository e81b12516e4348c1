"""Manifest files: one JSON line per clip, first as a journal while building, then whole and in order.

The journal (`manifest.partial.jsonl`) is appended to as clips are finished and is what a later build resumes from; the
manifest itself appears in one rename when its split is complete.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seehear.errors import StorageError
from seehear.world.rendering import Rendered

MANIFEST, JOURNAL = "manifest.jsonl", "manifest.partial.jsonl"


def clip_path(split_folder: Path, clip_id: str) -> Path:
    """Where a clip's mp4 file lies."""
    return split_folder / "clips" / f"{clip_id}.mp4"


def arrays_path(split_folder: Path, clip_id: str) -> Path:
    """Where a clip's truth arrays lie."""
    return split_folder / "arrays" / f"{clip_id}.npz"


def record(
    clip: Rendered, scene_hash: str, size_bytes: int, encoder: str, arrays_bytes: int | None = None
) -> dict[str, Any]:
    """One line of the manifest.

    Args:
        clip: the clip.
        scene_hash: of its scene.
        size_bytes: of its mp4 file.
        encoder: that coded the pictures.
        arrays_bytes: size of the file of its truth arrays; None where there is none.
    """
    form = clip.scene.format
    arrays = {"truth_arrays": f"arrays/{clip.id}.npz", "truth_arrays_bytes": arrays_bytes} if arrays_bytes else {}
    return {
        "file": f"clips/{clip.id}.mp4",
        "id": clip.id,
        "split": clip.scene.split,
        "labels": list(clip.labels),
        "caption": clip.caption,
        "duration_seconds": form.seconds,
        "truth": clip.truth,
        **arrays,
        "nuisance": clip.nuisance | {"bytes": size_bytes},
        "encoder": encoder,
        "scene_hash": scene_hash,
    }


def single_label(item: dict[str, Any]) -> str | None:
    """The one label that a record counts as, or None where it has none or several."""
    return item["truth"].get("label_single") or (item["labels"][0] if len(item["labels"]) == 1 else None)


def whole(split_folder: Path, item: dict[str, Any]) -> bool:
    """Whether the files of a record are there with the recorded sizes."""
    files = [(item["file"], item["nuisance"]["bytes"])]
    if "truth_arrays" in item:
        files.append((item["truth_arrays"], item["truth_arrays_bytes"]))
    return all(_size(split_folder / name) == size for name, size in files)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def read(path: Path) -> list[dict[str, Any]]:
    """The records of a manifest or journal; a torn last line (a killed build) is left out.

    Raises:
        StorageError: if the file cannot be read, or a line before the last is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read ({error})") from error
    records = []
    for number, line in enumerate(lines[:-1]):  # a whole line ends with a newline
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise StorageError(
                f"{path}, line {number + 1} is damaged", cure=f"delete {path.parent} and build again"
            ) from error
    return records


def heal(path: Path) -> None:
    """Cut a torn last line off a journal, so that appending goes on with a whole line."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with open(path, "r+b") as file:
                file.truncate(whole)


def append(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Add finished clips to a journal."""
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(item, separators=(",", ":")) + "\n" for item in records)


def write(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write a whole manifest, or nothing."""
    write_text(path, "".join(json.dumps(item, separators=(",", ":")) + "\n" for item in records))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole: a temporary name, synced, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
