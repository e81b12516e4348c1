"""AVSBench's clips with masks of what sounds: S4, MS3 (Zhou et al., arXiv 2207.05042) and AVSS (arXiv 2301.13190).

s4    list `s4_meta_data.csv` (name, split, category);
      frames `visual_frames/SPLIT/CATEGORY/NAME/NAME_1.png` to `_5`, masks alike in `gt_masks`, in training `_1` alone
ms3   list `ms3_meta_data.csv` (video, split);
      frames `visual_frames/NAME/NAME.mp4_1.png` to `_5`, masks `gt_masks/SPLIT/NAME/NAME_1.png` to `_5`
avss  list `metadata.csv` (uid, split, label: v1s, v1m or v2);
      frames `LABEL/UID/frames/0.jpg` on, masks `LABEL/UID/labels_semantic/0.png` on

The folders lie in `s4_data`, `ms3_data`, or beside `metadata.csv`. A mask of s4 and ms3 is foreground wherever it is
not 0; one of avss holds the number of each pixel's class, 0 being the background.

Legend: T masked frames of a clip, H W picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from seehear.clips.manifest import printable
from seehear.clips.published.text_files import csv_rows
from seehear.configuration import unknown_name
from seehear.errors import DataError, StorageError
from seehear.media import decode_mask

Kind = Literal["s4", "ms3", "avss"]
SPLITS = ("train", "val", "test")
IDS = ("name", "video_id", "video", "uid", "id")
NEEDED = {"s4": ("split", "category"), "ms3": ("split",), "avss": ("uid", "split", "label")}
AVSS_SETS = ("v1s", "v1m", "v2")
AVSS_CLASSES = 71
FRAMES = 5


@dataclass(frozen=True)
class MaskedClip:
    """One clip: its sound, and frames with the mask of each.

    Attributes:
        id: its name.
        split: train, val or test.
        label: category of s4, set of avss, else "".
        frames: those that have a mask.
        masks: one for each.
        sound: WAV file.
    """

    id: str
    split: str
    label: str
    frames: tuple[Path, ...]
    masks: tuple[Path, ...]
    sound: Path


@dataclass(frozen=True)
class MaskedClips:
    """What of a list can be used.

    Attributes:
        kind: which of the three sets.
        clips: in the list's order.
        listed: rows of the wanted split.
        missing: ids of which nothing is on disk, left out.
        incomplete: ids that lack a frame, a mask or the sound, left out.
    """

    kind: Kind
    clips: tuple[MaskedClip, ...]
    listed: int
    missing: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{self.listed} listed clips, {len(self.clips)} used"]
        for ids, what in ((self.missing, "are not on disk"), (self.incomplete, "lack a frame, a mask or the sound")):
            told += [f"{len(ids)} {what}: {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}"] if ids else []
        return told


def read_avsbench(kind: Kind, path: str | Path, split: str, folder: str | Path | None = None) -> MaskedClips:
    """The clips of a split that are whole on disk, and which are not.

    Args:
        kind: "s4", "ms3" or "avss".
        path: the list.
        split: "train", "val" or "test".
        folder: that holds the folders of frames and masks; by default beside the list, as published.

    Raises:
        UsageError: on another kind or split.
        DataError: on other columns, an unknown split or set, a clip that comes twice, none of the split, or none whole.
        StorageError: if the list cannot be read.
    """
    path = Path(path)
    for what, value, valid in (("kind of AVSBench", kind, tuple(NEEDED)), ("split", split, SPLITS)):
        if value not in valid:
            raise unknown_name(f"{what} {value!r}", value, valid)
    home = Path(folder) if folder is not None else path.parent / {"s4": "s4_data", "ms3": "ms3_data", "avss": "."}[kind]
    listed = [row for row in _rows(kind, path) if row[1] == split]
    if not listed:
        raise DataError(f"{path} lists no clip of the split {split!r}", expected="some")
    clips, missing, incomplete = [], [], []
    for name, _, label in listed:
        found, places = _whole(kind, home, name, split, label)
        if found is not None:
            clips.append(found)
        else:
            (incomplete if any(place.exists() for place in places) else missing).append(name)
    if not clips:
        raise DataError(f"no clip of {path}, split {split!r}, is whole in {home}", cause="another folder, or no data")
    return MaskedClips(kind, tuple(clips), len(listed), tuple(missing), tuple(incomplete))


def read_masks(kind: Kind, clip: MaskedClip) -> np.ndarray:
    """A clip's masks, uint8 `[T, H, W]`: 0 and 1 of s4 and ms3, numbers of classes of avss.

    Raises:
        MediaError: if a mask cannot be decoded.
        DataError: if masks differ in size, or a class is beyond avss's 71.
        StorageError: if a file cannot be read.
    """
    found = []
    for path in clip.masks:
        try:
            values = decode_mask(path.read_bytes(), str(path))
        except OSError as error:
            raise StorageError(f"{path} cannot be read ({error.strerror or error})") from error
        if kind == "avss" and int(values.max()) >= AVSS_CLASSES:
            raise DataError(
                f"{path} has the class {int(values.max())}",
                expected=f"0 to {AVSS_CLASSES - 1}",
                cause="colours (labels_rgb) in place of numbers (labels_semantic)",
            )
        found.append(values if kind == "avss" else (values > 0).astype(np.uint8))
    sizes = {mask.shape for mask in found}
    if len(sizes) > 1:
        raise DataError(f"the masks of {clip.id} have sizes {sorted(sizes)}", expected="one size")
    return np.stack(found)


def _rows(kind: Kind, path: Path) -> Iterator[tuple[str, str, str]]:
    """(id, split, label) of each row."""
    rows = list(csv_rows(path))
    heading = [cell.lower() for cell in rows[0][1]] if rows else []
    id_column = next((name for name in IDS if name in heading), "")
    lacking = [name for name in NEEDED[kind] if name not in heading]
    if not id_column or lacking:
        expected = f"{'' if id_column else 'a name, '}{', '.join(NEEDED[kind])}"
        raise DataError(f"{path} has the columns {', '.join(heading) or 'none'}", expected=expected)
    wanted = [heading.index(name) for name in (id_column, "split")]
    label_column = {"s4": "category", "avss": "label"}.get(kind)
    seen: set[str] = set()
    for line, cells in rows[1:]:
        where = f"{path}, line {line}"
        if len(cells) != len(heading):
            raise DataError(f"{where} has {len(cells)} cells", expected=f"{len(heading)}")
        name, split = (printable(cells[column]) for column in wanted)
        label = printable(cells[heading.index(label_column)]) if label_column else ""
        if not _is_name(name) or split not in SPLITS or (label_column and not _is_name(label)):
            raise DataError(f"{where} is {', '.join(cells)}", expected=f"a name, one of {', '.join(SPLITS)}, a label")
        if kind == "avss" and label not in AVSS_SETS:
            raise DataError(f"{where} has the label {label!r}", expected=", ".join(AVSS_SETS))
        if name in seen:
            raise DataError(f"{where} has the clip {name!r} again", expected="each clip once")
        seen.add(name)
        yield name, split, label


def _is_name(text: str) -> bool:
    """Of one file or folder, not a way out of the data's folder."""
    return bool(text) and Path(text).name == text


def _whole(kind: Kind, home: Path, name: str, split: str, label: str) -> tuple[MaskedClip | None, list[Path]]:
    """The clip if all of its files are there, and the folders that it should have."""
    if kind == "avss":
        place = home / label / name
        masks = sorted((place / "labels_semantic").glob("*.png"), key=lambda p: (len(p.stem), p.stem))
        frames = [place / "frames" / f"{mask.stem}.jpg" for mask in masks]
        sound, places = place / "audio.wav", [place]
    else:
        inner = Path(split, label) if kind == "s4" else Path(split)
        shown = home / "visual_frames" / (inner if kind == "s4" else "") / name
        drawn = home / "gt_masks" / inner / name
        count = 1 if kind == "s4" and split == "train" else FRAMES
        stem = name if kind == "s4" else f"{name}.mp4"
        frames = [shown / f"{stem}_{k}.png" for k in range(1, count + 1)]
        masks = [drawn / f"{name}_{k}.png" for k in range(1, count + 1)]
        sound, places = home / "audio_wav" / inner / f"{name}.wav", [shown, drawn]
    whole = bool(masks) and all(path.is_file() for path in (*frames, *masks, sound))
    return MaskedClip(name, split, label, tuple(frames), tuple(masks), sound) if whole else None, places
