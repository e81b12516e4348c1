"""Training batches, step by step, prepared ahead in threads.

Everything in a batch is a pure function of (seed, epoch, position, sample id): threads, prefetch depth, rank and the
step at which a run resumes change nothing (promise R2). Lance and fork do not go together, so there are threads, no
forks; decoding releases Python's lock.
Legend: G global batch, B local batch (G / world size), N clips.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from seehear.clips.bad import IN_A_ROW, BadClips, default_cap, too_many
from seehear.clips.choice import DrawnChoice
from seehear.clips.clip import Clip, ClipSource
from seehear.clips.collate import check_needs, collate
from seehear.clips.prefetch import ahead
from seehear.contracts import Batch, Needs, Replacement, Sampler
from seehear.errors import DataError, MediaError, UsageError
from seehear.randomness import Randomness, uniform


@dataclass(frozen=True)
class _Share:
    """This rank's part of one step: positions and ids, `[B]` each."""

    positions: np.ndarray
    ids: np.ndarray


class Loader:
    """This rank's batches of a run (a `contracts.Stream`).

    Args:
        source: the clips.
        needs: what the method reads of each.
        sampler: which clips make up each step.
        randomness: the run's randomness: where windows of sound lie and which frames are taken.
        rank: this process among `world_size`.
        world_size: number of processes; each takes a contiguous slice of the global batch.
        threads: batches prepared at once; 0 prepares each when it is asked for.
        prefetch: batches that are ready or under way at most; never more than the sampler's lag.
        on_bad: "skip" replaces a clip that cannot be read by `sampler.replacement`, "raise" stops at the first.
        max_bad: different clips that may fail before the run stops; by default 10, or 1 % of an epoch if more.
        incomplete: "refuse" clips that lack a needed modality, or "mask" them with `has_audio` and `has_image`.

    Attributes:
        bad: what failed so far.

    Raises:
        UsageError: if the batch does not divide over the ranks, or the needs cannot be met.
        DataError: if a clip lacks a needed modality and `incomplete` is "refuse".
    """

    def __init__(
        self,
        source: ClipSource,
        needs: Needs,
        sampler: Sampler,
        randomness: Randomness,
        *,
        rank: int = 0,
        world_size: int = 1,
        threads: int = 2,
        prefetch: int = 4,
        on_bad: Literal["skip", "raise"] = "skip",
        max_bad: int | None = None,
        incomplete: Literal["refuse", "mask"] = "refuse",
    ):
        check_needs(needs)
        self.source, self.needs, self.sampler, self.randomness = source, needs, sampler, randomness
        self.global_batch = len(sampler.plan(0))
        if self.global_batch % world_size or not 0 <= rank < world_size:
            raise UsageError(
                f"rank {rank} of {world_size} with a global batch of {self.global_batch}",
                expected="a rank below the world size, which divides the batch",
            )
        self.clips_per_epoch, self.fingerprint = len(source), source.fingerprint
        self._rank, self._local = rank, self.global_batch // world_size
        self._threads, self._depth = threads, max(1, min(prefetch, sampler.lag))
        self._on_bad = on_bad
        self.bad = BadClips(default_cap(len(source)) if max_bad is None else max_bad)
        self._by_id = np.argsort(source.ids, kind="stable")
        self._sorted_ids = source.ids[self._by_id]
        if incomplete == "refuse":
            _refuse_incomplete(source, needs)

    def batches(self, first_step: int, last_step: int) -> Iterator[Batch]:
        """This rank's batches of steps `first_step` to `last_step - 1`.

        Raises:
            MediaError: at the first bad clip, if `on_bad` is "raise".
            DataError: when too many clips failed.
        """
        shares = (self._share(step) for step in range(first_step, last_step))
        prepared = ahead(self._prepare, shares, self._threads, self._depth)
        try:
            for batch in prepared:
                self.bad.add(batch.replacements)
                yield batch
        finally:
            prepared.close()

    def _share(self, step: int) -> _Share:
        first = self._rank * self._local
        positions = step * self.global_batch + first + np.arange(self._local, dtype=np.int64)
        return _Share(positions, self.sampler.plan(step)[first : first + self._local])

    def _prepare(self, share: _Share) -> Batch:
        ids = share.ids.astype(np.int64)
        read = self._read(share.positions, ids)
        replacements: list[Replacement] = []
        clips: list[Clip] = []
        for place, clip in enumerate(read):
            if isinstance(clip, MediaError):
                clip, steps = self._replace(int(share.positions[place]), int(ids[place]), clip)
                ids[place] = steps[-1].replaced_by
                replacements += steps
            clips.append(clip)
        return collate(self.source, self._index(ids), share.positions, clips, self.needs, tuple(replacements))

    def _replace(self, position: int, bad_id: int, error: MediaError) -> tuple[Clip, list[Replacement]]:
        """The clip that takes a bad one's place, and the way there."""
        steps: list[Replacement] = []
        for attempt in range(IN_A_ROW):
            if self._on_bad == "raise":
                raise error
            other = self.sampler.replacement(position, attempt)
            steps.append(Replacement(position, bad_id, error.reason.value, attempt, other))
            clip = self._read(np.array([position]), np.array([other]))[0]
            if not isinstance(clip, MediaError):
                return clip, steps
            bad_id, error = other, clip
        raise too_many(f"{IN_A_ROW} clips in a row could not be read, the last one: {error}", "one that can be read")

    def _read(self, positions: np.ndarray, ids: np.ndarray) -> list[Clip | MediaError]:
        keys = self.randomness.keys(torch.from_numpy(positions), torch.from_numpy(ids))
        windows = uniform(keys, 1, "clips/window", torch.float64)[:, 0].tolist()
        draws = uniform(keys, self.source.most_frames, "clips/frames", torch.float64).numpy()
        choices = [DrawnChoice(window, row) for window, row in zip(windows, draws, strict=True)]
        return self.source.read_many(self._index(ids), self.needs, choices)

    def _index(self, ids: np.ndarray) -> np.ndarray:
        """Where clips of these ids are in the source."""
        places = np.searchsorted(self._sorted_ids, ids).clip(max=len(self._sorted_ids) - 1)
        if not np.array_equal(self._sorted_ids[places], ids):
            raise UsageError("the sampler plans clips that the source does not have", cure="build both from one source")
        return self._by_id[places]


def _refuse_incomplete(source: ClipSource, needs: Needs) -> None:
    silent = int((~source.has_audio).sum()) if needs.audio is not None else 0
    blind = int((~source.has_image).sum()) if needs.frames is not None else 0
    if silent or blind:
        raise DataError(
            f"of {len(source)} clips {silent} have no sound and {blind} no picture, which the method needs",
            expected="clips with both",
            cure="take source.usable(needs), or pack again with the modality that the method needs",
        )
