"""Where the sound of a clip is to be found: from the world's truth, or from published boxes.

Legend: A boxes as shares of the picture (x0, y0, x1, y1), T frames, H W picture.
"""

import math
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy import ndarray

from seehear.clips import Clip, ClipSource
from seehear.clips.published import Boxes
from seehear.contracts import FrameNeed, Needs
from seehear.errors import DataError, UsageError
from seehear.metrics import consensus_truth, union_truth
from seehear.metrics.localization import SIDE
from seehear.randomness import stable_hash
from seehear.world.tracks.localisation import covered_area, stratum_of
from seehear.world.truth.arrays import read_arrays
from seehear.world.truth.reading import read_truth

Rule = Literal["union", "consensus"]
Region = Literal["boxes", "masks"]
UNSEEN = "unseen"


@dataclass(frozen=True, eq=False)
class Target:
    """The truth of one clip.

    Attributes:
        truth: `[H, W]` from 0 to 1, or None where nothing that is seen sounds.
        stratum: which group of clips it belongs to, by the size of the region; "" for none.
        negative: why there is no truth: "silent", "off-screen" or "unseen" (hidden in this frame); "" where there is.
    """

    truth: ndarray | None
    stratum: str = ""
    negative: str = ""

    def __post_init__(self) -> None:
        if (self.truth is None) != bool(self.negative):
            raise UsageError(f"a target with the reason {self.negative!r}", expected="a truth, or why there is none")


@runtime_checkable
class _HoldsArrays(Protocol):
    """A collection that keeps masks beside its clips, as `clips.TableClips` does."""

    def truth_arrays(self, index: int) -> dict[str, ndarray]: ...


def world_targets(
    source: ClipSource, needs: Needs, size: tuple[int, int] = (SIDE, SIDE), region: Region = "boxes"
) -> dict[int, Target]:
    """Targets of clips of the world's track L by sample id: what sounds and is seen in the frame that is read.

    Args:
        source: the clips.
        needs: with which their batches are read; of several frames the middle one counts.
        size: (H, W) of the truths.
        region: the visible boxes, or the visible pixels, of which a table must hold the masks.

    Raises:
        UsageError: if pictures are cropped so that regions would be elsewhere, or there are no masks.
        DataError: if a clip's truth is not that of track L.
        MediaError: if a clip cannot be read.
    """
    if needs.frames is None:
        raise UsageError("no frames are read", expected="pictures to find a sound in")
    small = Needs(needs.audio, FrameNeed(needs.frames.count, 8, 8))
    found = {}
    for index, number in enumerate(source.ids.tolist()):
        clip = source.read(index, small)
        if needs.frames.fit == "crop" and clip.frames is not None and clip.frames.shape[1] != clip.frames.shape[2]:
            raise UsageError(f"pictures of clip {clip.id!r} are cropped", expected="square ones, or the fit 'squash'")
        masks = _masks(source, index) if region == "masks" else None
        found[number] = _world_target(clip, masks, size)
    return found


def _masks(source: ClipSource, index: int) -> ndarray:
    """Visible pixels of each body, bool `[N, T, H, W]`."""
    offered: object = source  # by what it offers, so that no table library is loaded here
    arrays = offered.truth_arrays(index) if isinstance(offered, _HoldsArrays) else {}
    masks = read_arrays(arrays, source.truth(index)).masks if arrays else None
    if masks is None:
        raise UsageError(
            f"no masks are stored of clip {source.names[index]!r}", expected="a packed table of a world with masks"
        )
    return masks


def _world_target(clip: Clip, masks: ndarray | None, size: tuple[int, int]) -> Target:
    facts = read_truth(clip.truth)
    told = facts.facts.get("localisation")
    if facts.track != "L" or told is None:
        raise DataError(f"clip {clip.id!r} is of track {facts.track}", expected="track L", cause="another world")
    if told["negative"] is not None:
        return Target(None, negative=told["negative"])
    if clip.frame_seconds is None or not len(clip.frame_seconds):
        raise DataError(f"clip {clip.id!r} has no frame to look for its sound in", expected="one or more")
    shown = float(clip.frame_seconds[len(clip.frame_seconds) // 2])
    frames, sounding = facts.objects.boxes.shape[1], facts.objects.sounding
    frame = min(max(math.ceil(shown * frames / clip.duration_seconds - 0.5), 0), frames - 1)
    boxes = facts.objects.boxes[sounding, frame].astype(np.float64)
    boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
    if not len(boxes):
        return Target(None, negative=UNSEEN)
    stratum = stratum_of(covered_area(boxes))
    if masks is None:
        return _of_boxes(boxes, "union", size, stratum)
    return _of_mask(masks[sounding, frame].any(axis=0), size, stratum)


def _of_mask(mask: ndarray, size: tuple[int, int], stratum: str) -> Target:
    """Of a mask `[h, w]`, each pixel of the truth as the one below its middle."""
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, mask.shape, strict=True))
    truth = mask[rows[:, None], columns].astype(np.float64)
    return Target(truth, stratum) if truth.any() else Target(None, negative=UNSEEN)


def published_targets(boxes: Boxes, rule: Rule, size: tuple[int, int] = (SIDE, SIDE)) -> dict[int, Target]:
    """Targets of a published annotation by sample id (the clips are called as it calls them).

    Args:
        boxes: of VGG-SS, whose rule is "union", or of Flickr-SoundNet: "consensus".
        rule: how boxes become a truth.
        size: (H, W) of the truths; both are published at 224 x 224, pictures squashed to it.
    """
    return {stable_hash(name): _of_boxes(clip.boxes, rule, size, "") for name, clip in boxes.clips.items()}


def _of_boxes(boxes: ndarray, rule: Rule, size: tuple[int, int], stratum: str) -> Target:
    truth = union_truth(boxes, size) if rule == "union" else consensus_truth(boxes, size)
    return Target(truth, stratum) if truth.any() else Target(None, negative=UNSEEN)
