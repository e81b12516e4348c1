"""MUSIC-like JSON: `MUSIC_{split}.json` per split, ids of clips by what plays in them.

A file holds {"videos": {"solo": {class: [ids]}, "duet": {"class class": [ids]}}}. Listed are clips whose one or two
sources are all seen and of different classes; classes are written with underscores, those of a duet in alphabetical
order. MUSIC has no larger ensembles, so clips of three sources are left out.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from seehear.world.disk.exporters.reading import World
from seehear.world.disk.manifest import write_text

ENSEMBLES = {1: "solo", 2: "duet"}


def write(world: World, out: Path) -> list[Path]:
    """Write the files; returns their paths.

    Raises:
        DataError: if no clip is a solo or a duet.
    """
    videos = {split: _videos(found) for split, found in world.records.items()}
    if not any(any(found.values()) for found in videos.values()):
        raise world.without("one or two sources that are seen")
    for split, found in videos.items():
        write_text(out / f"MUSIC_{split}.json", json.dumps({"videos": found}, indent=1) + "\n")
    return [out / f"MUSIC_{split}.json" for split in videos]


def _videos(records: list[dict[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """Ids of solos by class and of duets by pair of classes."""
    found = {name: defaultdict(list) for name in ENSEMBLES.values()}
    for record in records:
        sources = record["truth"]["sources"]
        classes = sorted({source["class"] for source in sources})
        if len(sources) in ENSEMBLES and len(classes) == len(sources) and all(s["on_screen"] for s in sources):
            key = " ".join(name.replace(" ", "_") for name in classes)
            found[ENSEMBLES[len(sources)]][key].append(record["id"])
    return {name: dict(sorted(own.items())) for name, own in found.items()}
