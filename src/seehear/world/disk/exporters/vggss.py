"""VGG-SS-like JSON: `vggss_{split}.json` per split, a list of {"file", "class", "bbox"}.

`bbox` holds the normalised boxes (x0, y0, x1, y1) of all sounding bodies that are seen at the middle frame, `class`
what they play, joined by " and " where there are several. As in VGG-SS, clips where nothing seen sounds are left out.
"""

import json
from pathlib import Path
from typing import Any

from seehear.world.disk.exporters.reading import World
from seehear.world.disk.manifest import write_text


def write(world: World, out: Path) -> list[Path]:
    """Write the files; returns their paths.

    Raises:
        DataError: if no clip has a sounding body in the picture.
    """
    entries = {split: [one for item in found if (one := _entry(item))] for split, found in world.records.items()}
    if not any(entries.values()):
        raise world.without("a sounding body in the picture")
    for split, own in entries.items():
        write_text(out / f"vggss_{split}.json", json.dumps(own, indent=1) + "\n")
    return [out / f"vggss_{split}.json" for split in entries]


def _entry(record: dict[str, Any]) -> dict[str, Any] | None:
    """What is said of one clip, or None where nothing seen sounds."""
    objects, boxes, classes = record["truth"]["objects"], [], []
    for source in record["truth"]["sources"]:
        if source["object"] is None:
            continue
        path = objects[source["object"]]["boxes"]
        box = path[len(path) // 2]
        if box[2] > box[0]:  # all zero where nothing is seen
            boxes.append(box)
            classes.append(source["class"])
    return {"file": record["id"], "class": " and ".join(dict.fromkeys(classes)), "bbox": boxes} if boxes else None
