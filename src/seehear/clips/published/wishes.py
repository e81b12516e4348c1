"""What is to be made of a published list: which of its clips, how its files are taken, and whether they are decoded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from seehear.clips.published.checking import SILENCE_DB
from seehear.errors import UsageError

Files = Literal["auto", "cut", "whole"]


@dataclass(frozen=True)
class Wishes:
    """What is to be made of a list.

    Attributes:
        split: VGGSound: only this split. Lists that name no split: the split that all their clips get.
        subset: a file that names the clips to take.
        per_class: draw so many clips of each class from those that can be used; None takes all.
        seed: of that draw.
        files: what a file named after its video alone holds: "cut" only the listed segment, "whole" all of the
            video, "auto" the segment unless it is more than a second longer than that.
        check: decode everything.
        silence_db: peak in decibels of full scale below which sound counts as silent.
        leave_out_silent: keep no silent clip; needs `check`.
        workers: decoding processes; None for one per core.
    """

    split: str = ""
    subset: Path | None = None
    per_class: int | None = None
    seed: int = 0
    files: Files = "auto"
    check: bool = False
    silence_db: float = SILENCE_DB
    leave_out_silent: bool = False
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.files not in get_args(Files):
            raise UsageError(f"files are {self.files!r}", expected=", ".join(get_args(Files)))
        if self.subset is not None and self.per_class is not None:
            raise UsageError("a given subset and a draw per class", expected="one of them")
        if self.per_class is not None and self.per_class < 1:
            raise UsageError(f"{self.per_class} clips per class", expected="at least 1")
        if self.leave_out_silent and not self.check:
            raise UsageError("silent clips cannot be left out unheard", cure="add --check")
        if not -96 <= self.silence_db < 0:
            raise UsageError(f"silence below {self.silence_db} dB", expected="-96 or more, below 0 (full scale)")
