"""Finding a clip's file in a folder by the names that are usual for it, in any subfolder and with any media suffix.

For video V from second 30 to 40 these are, best first: the clip's own id, `V_30000_40000` (milliseconds), `V_30_40`,
`V_30.000_40.000`, `V_000030_000040`, `V_000030` (VGGSound), `V_30`, `V_30.000`, `V`; then the same with a Y before
them. Where the list tells no times, one file of any such name will do. Of several suffixes, moving pictures go before
sound.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from seehear.clips.listing import AUDIO, VIDEO, suffix_of, walk
from seehear.clips.published.listed import ListedClip
from seehear.errors import DataError, StorageError

_TIMES = re.compile(r"_\d+(\.\d+)?(_\d+(\.\d+)?)?$")


@dataclass(frozen=True)
class Located:
    """The file of a clip.

    Attributes:
        path: the file.
        named_by_times: its name tells the times, so it holds this clip and nothing else.
        others: number of further files under the same name, which are left aside.
    """

    path: Path
    named_by_times: bool
    others: int


class MediaFolder:
    """The media of a folder and its subfolders, by name.

    Raises:
        DataError: if there is no such folder, or no media in it.
        StorageError: if it cannot be read.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        if not folder.is_dir():
            raise DataError(f"there is no folder {folder}", cure="check the name that follows --media")
        self._by_stem: dict[str, list[Path]] = {}
        self._stems_of: dict[str, set[str]] = {}
        for path in _media(folder):
            stem = os.path.splitext(path.name)[0]
            self._by_stem.setdefault(stem, []).append(path)
            self._stems_of.setdefault(_TIMES.sub("", stem), set()).add(stem)
        if not self._by_stem:
            raise DataError(f"{folder} holds no media", cause="another folder was meant, or nothing was downloaded")

    def find(self, clip: ListedClip) -> Located | str:
        """The file of a clip, or why there is none."""
        for stem in usual_stems(clip):
            if stem in self._by_stem:
                return self._located(stem, stem != clip.video and stem != f"Y{clip.video}")
        stems = {stem for name in (clip.video, f"Y{clip.video}") for stem in self._stems_of.get(name, ())}
        if clip.start_seconds is None and len(stems) == 1:
            return self._located(stems.pop(), True)
        return f"there are only other segments of its video: {', '.join(sorted(stems))}" if stems else "no file"

    def _located(self, stem: str, named_by_times: bool) -> Located:
        paths = sorted(self._by_stem[stem], key=lambda path: _rank(suffix_of(path.name)))
        return Located(paths[0], named_by_times, len(paths) - 1)


def usual_stems(clip: ListedClip) -> list[str]:
    """The names under which a clip's file may lie, without suffix, best first."""
    timed = []
    if clip.start_seconds is not None and clip.end_seconds is not None:
        start, end = clip.start_seconds, clip.end_seconds
        timed = [f"{round(1000 * start)}_{round(1000 * end)}", f"{start:.3f}_{end:.3f}"]
        if start == int(start) and end == int(end):
            first, last = int(start), int(end)
            timed[1:1] = [f"{first}_{last}"]
            timed += [f"{first:06d}_{last:06d}", f"{first:06d}", str(first)]
        timed.append(f"{start:.3f}")
    own = [clip.id, *([clip.stem] if clip.stem else [])]
    plain = [name for name in own if name != clip.video] + [f"{clip.video}_{times}" for times in timed] + [clip.video]
    return list(dict.fromkeys(plain + [f"Y{name}" for name in plain]))


def _media(folder: Path) -> list[Path]:
    try:
        return walk(folder)[0]
    except OSError as error:
        raise StorageError(f"{error.filename or folder} cannot be read ({error.strerror})") from error


def _rank(suffix: str) -> int:
    return 0 if suffix in VIDEO else 1 if suffix in AUDIO else 2
