"""What embedding a collection did: counts, speed, every clip that could not be decoded, and notes for people."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from seehear.clips.pack_state import Skip
from seehear.clips.report import PackReport
from seehear.media.atomic import atomic_file


@dataclass(frozen=True)
class EmbedProgress:
    """How far an embedding is.

    Attributes:
        done: clips done, with those of an earlier run that is gone on with.
        total: clips in all.
        skipped: clips that could not be decoded, of this run.
    """

    done: int
    total: int
    skipped: int


@dataclass(frozen=True)
class EmbedReport:
    """The result of an embedding.

    Attributes:
        table: where the table is.
        version: its version with the vectors.
        model: the model's name.
        weights: hash of its weights.
        precision: of its linear layers.
        windows: "first" or "mean".
        columns: the columns that hold the vectors, by modality.
        vectors: number of vectors by modality.
        clips: clips in the table.
        embedded: clips that this run did.
        resumed: clips that an earlier run had done.
        already: the table had them all: nothing was done.
        longer: clips that are longer than the model hears at once.
        silent: clips with a track of sound that is digital silence where the model hears it: no vector of sound.
        heard_seconds: how much it hears at once; 0 where it hears nothing.
        skips: clips that could not be decoded, and why; their vectors are null.
        skip_list: the JSON file that holds this report; None beside an object store.
        seconds: time it took, without packing.
        notes: what people should know.
        packed: what packing did, where a folder was given.
    """

    table: str
    version: int
    model: str
    weights: str
    precision: str
    windows: str
    columns: dict[str, str]
    vectors: dict[str, int]
    clips: int
    embedded: int = 0
    resumed: int = 0
    already: bool = False
    longer: int = 0
    silent: int = 0
    heard_seconds: float = 0.0
    skips: tuple[Skip, ...] = ()
    skip_list: Path | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    packed: PackReport | None = field(default=None, compare=False)

    @property
    def skipped(self) -> dict[str, int]:
        """Number of clips that could not be decoded, by reason."""
        return dict(Counter(skip.reason for skip in self.skips))

    @property
    def clips_per_second(self) -> float:
        """Speed of this run."""
        return self.embedded / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self) | {
            "skip_list": self.skip_list and str(self.skip_list),
            "skipped": self.skipped,
            "clips_per_second": self.clips_per_second,
            "packed": self.packed and self.packed.to_dict(),
        }

    def write(self) -> None:
        """Write what was embedded and what was not beside the table, without times.

        Raises:
            StorageError: if it cannot be written.
        """
        if self.skip_list is None:
            return
        left_out = ("seconds", "clips_per_second", "embedded", "resumed", "already", "packed", "notes")
        facts = {key: value for key, value in self.to_dict().items() if key not in left_out}
        with atomic_file(self.skip_list) as file:
            file.write(json.dumps(facts, indent=1, ensure_ascii=False, sort_keys=True).encode())
