"""DATASHEET.json: what a built world is, who may resume it, and what the audit found."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from seehear.errors import StorageError, UsageError
from seehear.world import VERSION
from seehear.world.classes import NAMES, kind
from seehear.world.disk.manifest import write_text
from seehear.world.presets import Preset
from seehear.world.truth.fields import SCHEMA_VERSION

DATASHEET, CLASSES = "DATASHEET.json", "classes.json"
LIMITS = (
    "2D drawings of {classes} classes with clean semantics: easier than web video. Scores on it show that an "
    "implementation learns and which way an ablation points; they are not comparable with scores on AudioSet or "
    "VGGSound, and promise nothing about real data."
)


def identity(preset: Preset, seed: int, arrays: Collection[str]) -> dict[str, Any]:
    """What must agree for a build to go on in a folder."""
    return {
        "world_version": VERSION,
        "truth_schema": SCHEMA_VERSION,
        "preset": preset.to_dict(),
        "seed": seed,
        "arrays": list(arrays),
    }


def read(root: Path) -> dict[str, Any] | None:
    """The datasheet of a folder, or None if it has none.

    Raises:
        StorageError: if it cannot be read.
    """
    path = root / DATASHEET
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read ({error})", cure=f"delete {root} and build again") from error


def check_folder(root: Path, preset: Preset, seed: int, arrays: Collection[str] = ()) -> dict[str, Any] | None:
    """The folder's datasheet if a build of the same world may go on there, or None if the folder is free.

    Raises:
        StorageError: if the folder is a file, or holds another world or other things.
    """
    if root.exists() and not root.is_dir():
        raise StorageError(f"{root} is a file", expected="a folder, or a free name")
    found = read(root)
    if found is None:
        foreign = sorted(p.name for p in root.iterdir()) if root.exists() else []
        if foreign:
            raise StorageError(
                f"{root} holds other things ({', '.join(foreign[:3])})", expected="an empty or a new folder"
            )
        return None
    wanted = json.loads(json.dumps(identity(preset, seed, arrays)))
    refuse_other_version(root, found)
    for key in ("preset", "seed", "arrays"):
        if found.get(key) != wanted[key]:
            raise UsageError(
                f"{root} holds another world: {key} {_short(found.get(key), wanted[key])}",
                expected=_short(wanted[key], found.get(key)),
                cure=f"build into another folder, or delete {root} and build again",
            )
    return found


def refuse_other_version(root: Path, sheet: dict[str, Any]) -> None:
    """Refuse a world that another release made.

    Raises:
        StorageError: naming what differs.
    """
    versions = (("world_version", "world version", VERSION), ("truth_schema", "truth of schema", SCHEMA_VERSION))
    for key, name, version in versions:
        if sheet.get(key) != version:
            raise StorageError(
                f"{root} holds {name} {sheet.get(key)}",
                expected=f"version {version}",
                cause="it was built by another release",
                cure=f"build into another folder, or delete {root} and build again",
            )


def _short(value: Any, other: Any) -> str:
    """A value as text; of two mappings only where they differ."""
    if isinstance(value, dict) and isinstance(other, dict):
        return ", ".join(f"{k} {value[k]}" for k in value if value[k] != other.get(k))
    return str(value)


def write(root: Path, preset: Preset, seed: int, found: dict[str, Any], arrays: Collection[str] = ()) -> dict[str, Any]:
    """Write the datasheet (with what a build found) and the class list; returns the datasheet."""
    sheet = identity(preset, seed, arrays) | {"limits": LIMITS.format(classes=len(preset.classes))} | found
    text = json.dumps(sheet, indent=2)
    write_text(root / DATASHEET, text + "\n")
    labels = [{"index": k, "name": name, **_about(name)} for k, name in enumerate(preset.labels)]
    write_text(root / CLASSES, json.dumps(labels, indent=2) + "\n")
    return json.loads(text)


def _about(label: str) -> dict[str, Any]:
    """What else there is to say of a label that is a class of things."""
    if label not in NAMES:
        return {}
    own = kind(label)
    return {"synonyms": list(own.synonyms), "group": own.group}
