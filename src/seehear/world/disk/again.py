"""A clip of a built world, drawn again from its scene: with all stems and masks, whatever the build has stored."""

import difflib
from pathlib import Path
from typing import Any

from seehear.configuration import from_dict
from seehear.errors import StorageError, UsageError
from seehear.world import VERSION
from seehear.world.disk import datasheet
from seehear.world.presets import Preset
from seehear.world.rendering import Rendered, render
from seehear.world.sampling import scene


def again(place: str | Path, clip: str = "") -> Rendered:
    """One clip of a built world.

    Args:
        place: the clip's mp4 file in the world's folder (`ROOT/SPLIT/clips/ID.mp4`), or that folder.
        clip: its id, where `place` is the folder.

    Raises:
        UsageError: if there is no built world, or no such clip in it.
        StorageError: if the world is of another version.
    """
    place = Path(place)
    if not clip:
        place, clip = place.parent.parent.parent, place.stem
    sheet = datasheet.read(place)
    if sheet is None:
        raise UsageError(
            f"{place} holds no built world",
            expected="ROOT/SPLIT/clips/ID.mp4, or ROOT and an id",
            cure=f"seehear world {place}",
        )
    if sheet.get("world_version") != VERSION:
        raise StorageError(
            f"{place} holds world version {sheet.get('world_version')}",
            expected=f"version {VERSION}",
            cause="it was built by another release",
            cure="build it again",
        )
    split, index = _parts(clip)
    preset = from_dict(Preset, sheet["preset"])
    if index >= preset.clips.get(split, 0):
        raise _unknown(place, clip, preset)
    found = scene(preset, split, index, sheet["seed"])
    if found.id != clip:
        raise _unknown(place, clip, preset, found.id)
    return render(found)


def _parts(clip: str) -> tuple[str, int]:
    """Split and index of an id such as "test-A0-0-000003"; ("", 0) where it is no id."""
    parts = clip.rsplit("-", 3)
    return (parts[0], int(parts[3])) if len(parts) == 4 and parts[3].isdecimal() else ("", 0)


def _unknown(place: Path, clip: str, preset: Preset, near: str = "") -> UsageError:
    known: list[Any] = sorted(path.stem for split in preset.clips for path in (place / split / "clips").glob("*.mp4"))
    if not near and known:
        near = next(iter(difflib.get_close_matches(clip, known, n=1)), known[0])
    counts = ", ".join(f"{count} {split}" for split, count in preset.clips.items())
    return UsageError(f"{place} has no clip {clip!r}", expected=f"one of its clips ({counts})", cure=near)
