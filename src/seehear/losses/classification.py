"""Classification of clips by one label or several: smoothed targets, and cross-entropy in two forms.

Source: the fine-tuning code of CAV-MAE and AVSiam (arXiv 2210.07839, 2403.19638). Smoothing by s: a class that a clip
has counts 1 - s, one that it has not s / C. A mixture of two clips has s / C everywhere, and 1 - s times its mixed
labels on top. One label: softmax and cross-entropy with soft targets (Szegedy et al., 2016, sec. 7); several: binary
cross-entropy of each class, averaged over classes.

Legend: B clips, C classes.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def smoothed(labels: Tensor, smoothing: float, mixed: Tensor | None = None) -> Tensor:
    """Targets `[B, C]` of `labels [B, C]` from 0 to 1; `mixed [B]` bool says which clips are mixtures."""
    floor, top = smoothing / labels.shape[1], (1 - smoothing) * labels
    plain = top + (1 - labels) * floor
    return plain if mixed is None else torch.where(mixed[:, None], top + floor, plain)


def classification_loss(logits: Tensor, targets: Tensor, single_label: bool) -> Tensor:
    """Loss of each clip, `[B]`, from `logits` and soft `targets`, both `[B, C]`; computed in fp32 at least."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    targets = targets.to(logits.dtype)
    if single_label:
        return -(targets * logits.log_softmax(dim=1)).sum(dim=1)
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=1)
