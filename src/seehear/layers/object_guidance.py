"""Object-guided localisation: a map of where the sound is, blended with a map of where anything is.

Source: EZ-VSL, arXiv 2203.09324, and its released test code. Both maps are enlarged to the picture's size (bilinear,
corners on corners) and stretched to 0 to 1 each; the result is stretched again:

    M = minmax(alpha minmax(A) + (1 - alpha) minmax(O)),   alpha = 0.4 throughout (follow-up work takes 0.9).

O is what a trunk trained on pictures alone, frozen, makes of each place: the mean size of its features ("L1"), or the
probability of the place's likeliest class ("CLS": the authors' code for it is not released, this is our reading).

Legend: B batch, C channels, K classes, h w map, H W picture.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.errors import UsageError

ALPHA = 0.4


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """`[B, h, w]` to `[B, H, W]`, bilinear with corners on corners."""
    return F.interpolate(maps[:, None], size, mode="bilinear", align_corners=True)[:, 0]


def stretched(maps: Tensor) -> Tensor:
    """Each map `[B, H, W]` from 0 to 1; one without any difference becomes 0."""
    low, high = maps.amin(dim=(1, 2), keepdim=True), maps.amax(dim=(1, 2), keepdim=True)
    span = high - low
    return (maps - low) / torch.where(span > 0, span, 1.0)


def guided(similarities: Tensor, objectness: Tensor, size: tuple[int, int], alpha: float = ALPHA) -> Tensor:
    """The blend M `[B, H, W]`, 0 to 1.

    Args:
        similarities: A, `[B, h, w]`.
        objectness: O, `[B, h', w']`.
        size: (H, W).
        alpha: share of A.

    Raises:
        UsageError: if alpha is not 0 to 1, or there are not as many maps of both.
    """
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha is {alpha}", expected="0 to 1")
    if similarities.ndim != 3 or objectness.ndim != 3 or len(similarities) != len(objectness):
        raise UsageError(
            f"similarities {tuple(similarities.shape)} and objectness {tuple(objectness.shape)}",
            expected="[B, h, w] of both",
        )
    heard, seen = (stretched(enlarged(maps, size)) for maps in (similarities, objectness))
    return stretched(alpha * heard + (1 - alpha) * seen)


def feature_size(features: Tensor) -> Tensor:
    """L1 objectness `[B, h, w]` of features `[B, C, h, w]`: their mean absolute value."""
    return features.abs().mean(dim=1)


def class_confidence(logits: Tensor) -> Tensor:
    """CLS objectness `[B, h, w]` of logits `[B, K, h, w]`: the probability of the likeliest class."""
    return logits.softmax(dim=1).amax(dim=1)


class Objectness(nn.Module):
    """A frozen trunk as judge of what looks like an object.

    Args:
        trunk: pictures `[B, 3, H, W]` to the maps of its stages, the last of which counts.
        classifier: a linear layer on its pooled features; with it, objectness is "CLS", else "L1".
    """

    def __init__(self, trunk: Callable[[Tensor], list[Tensor]], classifier: nn.Linear | None = None):
        super().__init__()
        self.trunk, self.classifier = trunk, classifier
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Objectness":
        """Stays in evaluation mode: it is frozen."""
        return super().train(False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Objectness `[B, h, w]` of normalised `pictures [B, 3, H, W]`."""
        features = self.trunk(pictures)[-1]
        if self.classifier is None:
            return feature_size(features)
        return class_confidence(self.classifier(features.movedim(1, -1)).movedim(-1, 1))
