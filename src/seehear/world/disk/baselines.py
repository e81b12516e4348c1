"""Chance, trivial guesses and exact ceilings of a built world: what a result on it is to be held against."""

import importlib
from typing import Any

from seehear.world.presets import Preset
from seehear.world.tracks import track


def baselines(preset: Preset, records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures of each task of the preset's track, by the `baselines` of the track's file; a track may have none.

    Args:
        preset: what was built.
        records: its manifest records; those of an intervention count as they were drawn, so that a view has the
            figures of the clips that it changes.

    Returns:
        Per split what holds for its clips, and under "all" what holds for all of them together, such as answers that
        are learnt from the training clips.
    """
    module = importlib.import_module(f"seehear.world.tracks.{track(preset.track).name}")
    if not hasattr(module, "baselines"):
        return {}
    records = [_as_drawn(item) for item in records]
    parts = {"all": records} | {split: [item for item in records if item["split"] == split] for split in preset.clips}
    return {name: module.baselines(own) for name, own in parts.items()}


def _as_drawn(record: dict[str, Any]) -> dict[str, Any]:
    """A record with what an intervention changed in its truth put back; boxes stay those of the view."""
    found = record["truth"]
    if "intervention" not in found:
        return record
    drawn = found | found["intervention"]["before"]
    heard = {source["object"] for source in drawn["sources"]}
    objects = [item | {"sounding": item["id"] in heard} for item in drawn["objects"]]
    return record | {"truth": drawn | {"objects": objects}}
