"""Separation by masks: what a mask should be, and three errors of it.

Source: DeepAVFusion (arXiv 2312.01017, released code) and "The Sound of Pixels" (arXiv 1804.03160, sec. 3.3). With
magnitudes W of the wanted source, O of the other, M of the mixture:

    binary target [W > O],    ratio target W / (W + O)

The released code compares W with the MIXTURE, [W > M] and W / (W + M), so that a source that sounds alone is to get a
mask of one half; `against="mixture"` does so, for comparison with its figures only.

Errors: `bce` of the logits against either target, `l1` of the mask against it, `magnitude` L1 of masked and wanted
log magnitudes. Weighted, a cell counts log(1 + M), held between 0.001 and 10.

Legend: any shape, e.g. B clips, F bands, T frames.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.signals.precision import without_autocast

Target = Literal["binary", "ratio"]
Against = Literal["other", "mixture"]
Kind = Literal["bce", "l1", "magnitude"]
LEAST_WEIGHT, MOST_WEIGHT, FLOOR = 1e-3, 10.0, 1e-3


def mask_target(
    wanted: Tensor, other: Tensor, mixture: Tensor, target: Target = "binary", against: Against = "other"
) -> Tensor:
    """The mask to learn, 0 to 1; a half where neither sounds, of the ratio.

    Args:
        wanted: magnitudes of the source that the mask is of.
        other: of the other source, or of all others together.
        mixture: of the mixture.
        target: which mask.
        against: what the wanted source is compared with; see the file's header.
    """
    rival = mixture if against == "mixture" else other
    if target == "binary":
        return (wanted > rival).to(wanted.dtype)
    both = wanted + rival
    return torch.where(both > 0, wanted / torch.where(both > 0, both, 1.0), 0.5)


def separation_loss(
    logits: Tensor,
    wanted: Tensor,
    other: Tensor,
    mixture: Tensor,
    *,
    kind: Kind = "bce",
    target: Target = "binary",
    weighted: bool = True,
    against: Against = "other",
) -> Tensor:
    """The (weighted) mean over all cells, a scalar, in fp32 at least.

    Args:
        logits: of the mask.
        wanted: magnitudes of the source that it is of; so are `other` and `mixture` magnitudes.
        other: of the other source.
        mixture: of the mixture.
        kind: error.
        target: mask, of `bce` and `l1`.
        weighted: louder cells of the mixture count more.
        against: see `mask_target`.

    Raises:
        UsageError: if the shapes differ.
    """
    if not logits.shape == wanted.shape == other.shape == mixture.shape:
        found = ", ".join(str(tuple(x.shape)) for x in (logits, wanted, other, mixture))
        raise UsageError(f"a mask and magnitudes of {found}", expected="one shape")
    with without_autocast(logits):
        logits = logits.to(torch.promote_types(logits.dtype, wanted.dtype))
        if kind == "magnitude":
            error = ((logits.sigmoid() * mixture + FLOOR).log() - (wanted + FLOOR).log()).abs()
        else:
            aim = mask_target(wanted, other, mixture, target, against).to(logits.dtype)
            error = (logits.sigmoid() - aim).abs() if kind == "l1" else _cross_entropy(logits, aim)
        if not weighted:
            return error.mean()
        return (error * torch.log1p(mixture).clamp(LEAST_WEIGHT, MOST_WEIGHT)).mean()


def _cross_entropy(logits: Tensor, aim: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, aim, reduction="none")
