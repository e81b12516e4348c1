"""Which clips a run trains on and which it holds out.

Where the table names splits, they count. Where it names none, whole files are held out by the hash of their name, one
in five, so that no stretch of a recording is on both sides; of very few files none is held out.
"""

import numpy as np

from seehear import clips
from seehear.configuration import unknown_name
from seehear.contracts import Needs
from seehear.errors import DataError
from seehear.randomness import stable_hash
from seehear.training import DataConfig

HOLD_OUT_ONE_IN = 5
FEWEST_FILES = 40  # below this, nothing is held out


def splits_of(source: clips.ClipSource, data: DataConfig) -> np.ndarray:
    """The split of each clip, `[N]` of str."""
    if any(source.splits):
        return np.array(source.splits)
    if len(set(source.sources)) < FEWEST_FILES:
        return np.full(len(source), data.train_split)
    held_out = [stable_hash(name) % HOLD_OUT_ONE_IN == 0 for name in source.sources]
    return np.where(held_out, data.evaluation_split, data.train_split)


def rows_of_split(data: DataConfig, split: str, table: str | None = None) -> tuple[clips.ClipSource, np.ndarray]:
    """All clips of the run's tables (or of another one), and which of them are of a split, int64 rising.

    Raises:
        UsageError: if there is no such split.
    """
    parts = [clips.open(part) for part in ((table,) if table else (data.table, *data.more_tables))]
    splits = np.concatenate([splits_of(part, data) for part in parts])
    if split not in splits:
        raise unknown_name(f"split {split!r} of {named(data, table)}", split, set(splits.tolist()))
    return parts[0] if len(parts) == 1 else clips.JoinedClips(parts), np.flatnonzero(splits == split)


def named(data: DataConfig, table: str | None = None) -> str:
    """What the clips lie in, for people."""
    return table or " and ".join((data.table, *data.more_tables))


def open_split(data: DataConfig, split: str, needs: Needs, table: str | None = None) -> clips.ClipSource:
    """The clips of one split that have every modality which is needed.

    Args:
        data: the run's clips.
        split: its name.
        needs: of the method.
        table: other clips than the run's own tables, which are read as one.

    Raises:
        UsageError: if there is no such split.
        DataError: if none of its clips can be used.
    """
    source, rows = rows_of_split(data, split, table)
    usable = source.subset(indices=rows).usable(needs)
    if not len(usable):
        wanted = " and ".join(n for n, part in (("sound", needs.audio), ("pictures", needs.frames)) if part)
        raise DataError(
            f"none of {len(rows)} clips of split {split!r} in {named(data, table)} has {wanted}",
            expected="clips with every modality that the method reads",
            cure=f"seehear doctor {table or data.table}",
        )
    return usable
