"""Mixtures of two sounds whose parts are known: clips added up in keyed pairs, and true duets of the world.

Pairs are the same whatever the order of the clips: neighbours in an order drawn from their ids. A mixture is as long as
the shorter of its sounds and at most as long as the method listens; what is under half a second is left out. Everything
that is left out is told by its reason.

Legend: T frames, H W picture, n samples of a mixture.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from seehear.clips import Clip, ClipSource
from seehear.clips.collate import tensors
from seehear.contracts import SAMPLE_RATE, Needs
from seehear.errors import DataError, UsageError
from seehear.metrics.separation import too_quiet
from seehear.randomness import Randomness, unique_integers
from seehear.world.truth.arrays import read_arrays
from seehear.world.truth.reading import Truth, read_truth

LEAST_SAMPLES = SAMPLE_RATE // 2
FULL_SCALE = 32768.0
REGION = 1.5  # side of a body's region, in the longer side of its box

UNREADABLE, INCOMPLETE = "cannot be read", "without sound or picture"
SHORT, SILENT = "under half a second", "with a silent source"
NO_DUET, UNSEEN, ALONE = "not of two bodies that sound", "with a body out of sight", "without another duet"


@dataclass(frozen=True, eq=False)
class Mixture:
    """Two sounds at once, and what belongs to each.

    Attributes:
        sources: `[2, n]` float64, -1 to 1.
        frames: `[2, T, 3, H, W]` uint8, of each.
        wrong: `[T, 3, H, W]` uint8, of neither.
        same_class: the two have a class in common; None where one has no label.
        background: `[n]` float64, what else is heard; zeros where nothing is.
        cut: the two were of unequal lengths.
    """

    sources: ndarray
    frames: Tensor
    wrong: Tensor
    same_class: bool | None
    background: ndarray
    cut: bool = False

    @property
    def sound(self) -> ndarray:
        """`[n]`."""
        return self.sources.sum(axis=0) + self.background


Mixtures = Iterator[Mixture | str]  # a str is the reason why there is no mixture


def keyed_pairs(source: ClipSource, count: int, seed: int = 0) -> list[tuple[int, int]]:
    """`count` disjoint pairs of rows of clips with sound and picture, or as many as there are.

    Raises:
        DataError: if there are fewer than three such clips (two, and one for a wrong frame).
    """
    order = _order(source, seed)
    if len(order) < 3:
        raise DataError(f"{len(order)} clips with sound and picture", expected="at least 3 to mix two of")
    return [(int(a), int(b)) for a, b in zip(order[0::2], order[1::2], strict=False)][:count]


def clip_mixtures(source: ClipSource, needs: Needs, pairs: Sequence[tuple[int, int]], seed: int = 0) -> Mixtures:
    """The sum of each pair of clips; the wrong frame is that of a third clip, of another class where there is one.

    Args:
        source: the clips.
        needs: what the method reads.
        pairs: rows of two clips each (`keyed_pairs`, or a published list).
        seed: which clips the wrong frames are of.

    Raises:
        UsageError: if the method reads not both modalities, or a pair is not of two clips of the source.
    """
    both = _both(needs)
    for pair in pairs:
        if len(set(pair)) != 2 or not all(0 <= row < len(source) for row in pair):
            raise UsageError(f"the pair {pair}", expected=f"two rows out of {len(source)}")
    order, labels = _order(source, seed), source.labels
    for number, pair in enumerate(pairs):
        third = _third(np.roll(order, -2 * number - 2), pair, labels)
        if third is None or not all(source.has_audio[row] and source.has_image[row] for row in pair):
            yield INCOMPLETE
            continue
        read = source.read_many([*pair, third], both)
        yield _of_clips([clip for clip in read if isinstance(clip, Clip)], both)


def world_duets(source: Any, needs: Needs) -> Mixtures:
    """The clips of a packed table of the world's track P in which exactly two bodies sound, taken apart by its stems.

    The frame of a source is the square region around its body in the clip's middle frame; the wrong frame is a region
    of the next duet, of another class than both where there is one.

    Args:
        source: `clips.TableClips` with stems and boxes in its truth.
        needs: what the method reads.

    Raises:
        UsageError: if the method reads not both modalities.
        DataError: if a clip's truth or stems are not the world's.
    """
    both = _both(needs)
    held: tuple[Mixture, Truth] | None = None
    first: tuple[Mixture, Truth] | None = None
    for row in range(len(source)):
        truth = read_truth(source.truth(row))
        if not _is_duet(truth):
            yield NO_DUET
            continue
        stems = read_arrays(source.truth_arrays(row), source.truth(row)).stems
        if stems is None:
            raise DataError(f"clip {source.names[row]!r} has no stems", cure="build its world with --arrays stems")
        found = _duet(source.read(row, both), truth, stems, both)
        if isinstance(found, str):
            yield found
            continue
        if held is not None:
            yield _with_wrong(*held, found, truth)
        held = (found, truth)
        first = first or held
    if held is not None and first is not None:
        yield _with_wrong(*held, *first) if held is not first else ALONE


def _with_wrong(mixture: Mixture, truth: Truth, other: Mixture, others: Truth) -> Mixture:
    """The mixture with a region of the other one as its wrong frame."""
    strange = [k for k, kind in enumerate(others.sources.classes) if kind not in truth.sources.classes]
    return replace(mixture, wrong=other.frames[strange[0] if strange else 0])


def _order(source: ClipSource, seed: int) -> ndarray:
    """Rows of the clips with sound and picture, in the order drawn from their ids."""
    rows = np.flatnonzero(source.has_audio & source.has_image)
    ids = torch.from_numpy(np.asarray(source.ids[rows], dtype=np.int64))
    keys = Randomness(seed).keys(torch.zeros_like(ids), ids)
    return rows[unique_integers(keys, 1, "separation pairs")[:, 0].argsort().numpy()]


def _third(order: ndarray, pair: tuple[int, int], labels: Sequence[Sequence[str]]) -> int | None:
    """The first clip of another class than both, or the first other one; None where there is none."""
    own = set(labels[pair[0]]) | set(labels[pair[1]])
    others = [int(row) for row in order if row not in pair]
    return next((row for row in others if not own & set(labels[row])), others[0] if others else None)


def _both(needs: Needs) -> Needs:
    if needs.audio is None or needs.frames is None:
        raise UsageError("a method that reads only one modality", expected="sound and picture")
    return Needs(audio=needs.audio, frames=needs.frames)


def _of_clips(clips: list[Clip], needs: Needs) -> Mixture | str:
    """The first two mixed, the frame of the third as the wrong one."""
    if len(clips) < 3:
        return UNREADABLE
    if any(clip.audio is None or clip.frames is None for clip in clips[:2]) or clips[2].frames is None:
        return INCOMPLETE
    fields = tensors(clips, needs)
    lengths = fields["waveform_samples"][:2].tolist()
    sources = fields["waveform"][:2, : min(lengths)].numpy() / FULL_SCALE
    labels = [set(clip.labels) for clip in clips[:2]]
    same = bool(labels[0] & labels[1]) if all(labels) else None
    frames = fields["frames"]
    return _checked(Mixture(sources, frames[:2], frames[2], same, np.zeros(sources.shape[1]), lengths[0] != lengths[1]))


def _checked(mixture: Mixture) -> Mixture | str:
    if mixture.sources.shape[1] < LEAST_SAMPLES:
        return SHORT
    return SILENT if too_quiet(mixture.sources) else mixture


# ---------------------------------------------------------------------------------------------------- the world's own
def _is_duet(truth: Truth) -> bool:
    """Two sources, both of them bodies of the picture."""
    return len(truth.sources.objects) == 2 and bool((truth.sources.objects >= 0).all())


def _duet(clip: Clip, truth: Truth, stems: Mapping[str, ndarray], needs: Needs) -> Mixture | str:
    """Without a wrong frame yet."""
    if clip.frames is None or clip.frame_seconds is None or not len(clip.frames):
        return INCOMPLETE
    middle = len(clip.frames) // 2
    place = min(round(float(clip.frame_seconds[middle]) * _rate(truth, clip)), truth.objects.boxes.shape[1] - 1)
    regions = []
    for body in truth.sources.objects.tolist():
        region = _region(clip.frames[middle], truth.objects.boxes[body, place])
        if region is None:
            return UNSEEN
        regions.append(Clip(clip.id, frames=region[None], frame_seconds=np.zeros(1)))
    frames = tensors(regions, Needs(frames=needs.frames))["frames"]
    seconds = 0.0 if needs.audio is None else needs.audio.seconds
    samples = min(round(seconds * SAMPLE_RATE), len(stems["background"]))
    sources = np.stack([stems[f"source {k}"][:samples] for k in range(2)]).astype(np.float64)
    background = stems["background"][:samples].astype(np.float64)
    kinds = truth.sources.classes
    return _checked(Mixture(sources, frames, torch.zeros_like(frames[0]), kinds[0] == kinds[1], background))


def _rate(truth: Truth, clip: Clip) -> float:
    """Frames per second of the truth's boxes."""
    return truth.objects.boxes.shape[1] / clip.duration_seconds


def _region(frame: ndarray, box: ndarray) -> ndarray | None:
    """The square around a box (shares of the picture) out of `frame [H, W, 3]`, cut off at the picture's edge."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = box * np.array([width, height, width, height])
    if x1 <= x0 or y1 <= y0:
        return None
    half = max(x1 - x0, y1 - y0) * REGION / 2
    left, right = max(0, round((x0 + x1) / 2 - half)), min(width, round((x0 + x1) / 2 + half))
    top, bottom = max(0, round((y0 + y1) / 2 - half)), min(height, round((y0 + y1) / 2 + half))
    return np.ascontiguousarray(frame[top : max(bottom, top + 1), left : max(right, left + 1)])
