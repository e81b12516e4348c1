"""Exporters: what a built world knows, in the file formats that existing loaders of other data sets read.

They read the manifests and write text files only; the clips stay at `{root}/{split}/clips/{id}.mp4`, and every format
names a clip by its id. To add one: a file here with `write(world, out) -> list[Path]`, entered in `KINDS`.
"""

import importlib
from pathlib import Path

from seehear.configuration import unknown_name
from seehear.world.disk.exporters.reading import opened, storage

KINDS = {
    "audioset": "segment lists and class indices as AudioSet's CSV files",
    "vggss": "boxes of what sounds as VGG-SS's JSON",
    "music": "solos and duets by class as MUSIC's JSON",
}


def export(root: str | Path, out: str | Path, kind: str) -> list[Path]:
    """Write a built world's labels, boxes or pairs into a folder.

    Args:
        root: the folder of a finished world.
        out: where to; made if it is not there, files of the same names are replaced.
        kind: one of `KINDS`.

    Returns:
        The paths written.

    Raises:
        UsageError: if there is no such kind.
        StorageError: if `root` holds no finished world, or `out` cannot be written.
        DataError: if no clip has what the format holds.
    """
    if kind not in KINDS:
        raise unknown_name(f"format {kind!r}", kind, KINDS)
    world, out = opened(Path(root), kind), Path(out)
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        return importlib.import_module(f"seehear.world.disk.exporters.{kind}").write(world, out)
