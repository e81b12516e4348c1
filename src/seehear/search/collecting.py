"""From whatever a person has to a clip table: a table is one already; a folder, a manifest or tars are packed first."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seehear.clips import PackProgress, PackReport, pack
from seehear.clips.lance_files import looks_like_table, text_of
from seehear.clips.manifest import SUFFIXES as MANIFESTS
from seehear.clips.pieces import Modality
from seehear.contracts import Needs
from seehear.errors import UsageError

_SIZE = 224  # shorter side of the frames that are kept, unless the model sees more
_SECONDS = 10.0  # length of a clip where the model hears nothing


@dataclass(frozen=True)
class Packing:
    """How what is no table yet is packed.

    Attributes:
        table: where to; by default beside the folder, with ".lance" after its name.
        clip_seconds: length of a clip; None for what the model hears, so that a hit names the second.
        hop: seconds from the beginning of a clip to that of the next; None for `clip_seconds`.
        modality: what every clip must have; "any" takes what there is.
        keep_video: keep the moving pictures as well.
        manifest: CSV, JSONL or Parquet; by default `manifest.*` in the folder.
        workers: decoding processes; None for one per core.
        progress: is told how far it is.
    """

    table: str | Path | None = None
    clip_seconds: float | None = None
    hop: float | None = None
    modality: Modality = "any"
    keep_video: bool = False
    manifest: str | Path | None = None
    workers: int | None = None
    progress: Callable[[PackProgress], None] | None = None


def table_of(
    data: str | Path, packing: Packing, needs: Needs, storage_options: dict[str, str] | None = None
) -> tuple[str | Path, PackReport | None]:
    """The clip table of a collection, packed where it is none yet, and what packing did.

    Raises:
        UsageError: if options of packing are given for a table, or there is no name for a new one.
        DataError: if the folder holds nothing that can be packed.
        StorageError: if the disk does not take it; run the same again.
    """
    if looks_like_table(data):
        if packing != Packing(progress=packing.progress, workers=packing.workers):
            raise UsageError(
                f"{text_of(data)} is a table: it is packed already",
                expected="no options of packing",
                cure="name the folder instead, or leave them out",
            )
        return data, None
    table = packing.table or beside(data)
    heard = _SECONDS if needs.audio is None else needs.audio.seconds
    size = _SIZE if needs.frames is None else max(_SIZE, needs.frames.height, needs.frames.width)
    return table, pack(
        data,
        table,
        manifest=packing.manifest,
        clip_seconds=heard if packing.clip_seconds is None else packing.clip_seconds,
        hop=packing.hop,
        size=size,
        keep_video=packing.keep_video,
        modality=packing.modality,
        workers=packing.workers,
        progress=packing.progress,
        storage_options=storage_options,
    )


def beside(data: str | Path) -> Path:
    """Where the table of a folder, a manifest's folder or a file lies: beside it, with ".lance" after its name.

    Raises:
        UsageError: if `data` is a pattern of several files.
    """
    place = Path(data)
    if any(sign in text_of(data) for sign in "{*?["):
        raise UsageError(
            f"{text_of(data)} names several files", expected="a table to pack into", cure="--table NAME.lance"
        )
    place = place.resolve()
    if place.suffix.lower() in MANIFESTS and place.is_file():
        place = place.parent
    return place.with_name(f"{place.stem if place.is_file() else place.name}.lance")
