"""Modality confusion: clips that one modality gets right and both together get wrong (VGGSounder, arXiv 2508.08237).

It shows whether fusion helps: a model may score well on each modality and lose those clips when it gets both.

Legend: N clips.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from seehear.errors import DataError


@dataclass(frozen=True)
class ModalityConfusion:
    """Shares of all clips, 0 to 1.

    Attributes:
        audio: right by sound alone, wrong with both (mu_A).
        image: right by picture alone, wrong with both (mu_V).
        each: right by either one alone, wrong with both (mu_A and V).
    """

    audio: float
    image: float
    each: float


def modality_confusion(
    audio_correct: ArrayLike, image_correct: ArrayLike, both_correct: ArrayLike
) -> ModalityConfusion:
    """Confusion from the correctness `[N]` (bool) of the same clips by sound, by picture and with both.

    Raises:
        DataError: if the three are not equally long vectors with at least one entry.
    """
    audio, image, both = (np.asarray(a, dtype=bool) for a in (audio_correct, image_correct, both_correct))
    if audio.ndim != 1 or len(audio) == 0 or not audio.shape == image.shape == both.shape:
        raise DataError(f"correctness of shapes {audio.shape}, {image.shape}, {both.shape}", expected="the same clips")
    lost = ~both
    return ModalityConfusion(
        float((audio & lost).mean()), float((image & lost).mean()), float((audio & image & lost).mean())
    )
