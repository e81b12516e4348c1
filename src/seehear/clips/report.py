"""What packing did: counts, every file that was not packed with its reason, and where things are."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seehear.clips.pack_state import Skip
from seehear.media.atomic import atomic_file


@dataclass(frozen=True)
class PackProgress:
    """How far a packing is, for a progress bar.

    Attributes:
        files_done: files finished, with those of an earlier run that is gone on with.
        files_total: files in all.
        clips: clips ready.
        skipped: files and clips skipped.
        file: the file that was finished last.
    """

    files_done: int
    files_total: int
    clips: int
    skipped: int
    file: str = ""


@dataclass(frozen=True)
class PackReport:
    """The result of a packing.

    Attributes:
        table: where the table is.
        version: its version.
        clips: number of clips in it.
        files: number of files that were looked at.
        skips: files and clips that were not packed, and why; also those that a manifest names in vain.
        skip_list: the JSON file that holds this report; None beside an object store.
        ignored: number of files left aside, by suffix.
        splits: number of clips by split.
        with_audio: clips with sound.
        with_image: clips with pictures.
        resumed_files: files that an earlier run had finished.
        seconds: time it took.
        settings: what was asked for.
    """

    table: str
    version: int
    clips: int
    files: int
    skips: tuple[Skip, ...] = ()
    skip_list: Path | None = None
    ignored: dict[str, int] = field(default_factory=dict)
    splits: dict[str, int] = field(default_factory=dict)
    with_audio: int = 0
    with_image: int = 0
    resumed_files: int = 0
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def skipped(self) -> dict[str, int]:
        """Number of files and clips that were not packed, by reason."""
        return dict(Counter(skip.reason for skip in self.skips))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self) | {"skip_list": self.skip_list and str(self.skip_list), "skipped": self.skipped}

    def write(self) -> None:
        """Write what was packed and what was not beside the table, without the time it took.

        Raises:
            StorageError: if it cannot be written.
        """
        if self.skip_list is None:
            return
        facts = {key: value for key, value in self.to_dict().items() if key not in ("seconds", "resumed_files")}
        with atomic_file(self.skip_list) as file:
            file.write(json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=True).encode())
