"""Mixup of two clips: their sounds, their pictures and their labels, by weights drawn for each clip.

Source: Zhang et al., "mixup" (arXiv 1710.09412), on waveforms as the fine-tuning code of CAV-MAE and AVSiam does it
(arXiv 2210.07839, 2403.19638): a clip is mixed with probability 1/2, with a weight from Beta(10, 10); each sound loses
its mean first, and the other is cut or padded to the clip's own length. CAV-MAE mixes the pictures by the same weight;
AVSiam's released code by another one, U(0, 1), which fits neither sound nor label ("independent").

Deviations: the partner is the other clip of an aligned pair of positions (p and p ^ 1), so that no further clip is read
and batch splits change nothing; mixtures are rounded to what a batch holds, 16-bit sound and 8-bit pictures.

Legend: B clips, S samples of sound, C classes.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seehear.contracts import Batch
from seehear.errors import UsageError
from seehear.randomness import uniform

MixupImage = Literal["same", "independent"]


@dataclass(frozen=True)
class Mixup:
    """What mixup made of a batch.

    Attributes:
        batch: with mixed sounds and pictures.
        labels: `[B, C]` mixed labels.
        mixed: `[B]` bool, which clips are mixtures.
    """

    batch: Batch
    labels: Tensor
    mixed: Tensor


def mixup(batch: Batch, keys: Tensor, probability: float, alpha: int, image: MixupImage = "same") -> Mixup:
    """Mix some clips of `batch` with their partners.

    Args:
        batch: an even number of clips of aligned pairs of positions, with `labels`.
        keys: `[B]`, of each clip.
        probability: that a clip is mixed.
        alpha: weights are drawn from Beta(alpha, alpha).
        image: by which weight pictures are mixed.

    Raises:
        UsageError: if the number of clips is odd.
    """
    if len(batch) % 2:
        raise UsageError(f"mixup of {len(batch)} clips", expected="an even number: clips are mixed in pairs")
    mixed = uniform(keys, 1, "mixup")[:, 0] < probability
    weight = beta(keys, alpha, "mixup/weight")
    of_image = uniform(keys, 1, "mixup/image")[:, 0] if image == "independent" else weight
    partner = partners(batch.positions)
    fields = dict(batch.fields)
    if "waveform" in batch:
        sound = mixed_waveforms(batch["waveform"], batch["waveform_samples"], partner, weight)
        fields["waveform"] = torch.where(mixed[:, None], sound, batch["waveform"])
    if "frames" in batch:
        frames = batch["frames"].float()
        frames = torch.lerp(frames[partner], frames, of_image.view(-1, 1, 1, 1, 1)).round().to(torch.uint8)
        fields["frames"] = torch.where(mixed.view(-1, 1, 1, 1, 1), frames, batch["frames"])
    labels = batch["labels"]
    soft = torch.lerp(labels[partner], labels, weight.to(labels.dtype)[:, None])
    return Mixup(
        Batch(batch.sample_ids, batch.positions, fields, batch.replacements),
        torch.where(mixed[:, None], soft, labels),
        mixed,
    )


def partners(positions: Tensor) -> Tensor:
    """Row of each clip's partner, `[B]`: neighbours in the order of positions, two by two."""
    order = positions.argsort()
    return torch.empty_like(order).scatter_(0, order, order.view(-1, 2).flip(1).flatten())


def beta(keys: Tensor, alpha: int, purpose: str) -> Tensor:
    """Draws from Beta(alpha, alpha), `[B]`: the middle one of 2 alpha - 1 uniform draws has that distribution."""
    return uniform(keys, 2 * alpha - 1, purpose).sort(dim=1).values[:, alpha - 1]


def mixed_waveforms(waveform: Tensor, samples: Tensor, partner: Tensor, weight: Tensor) -> Tensor:
    """`weight [B]` of each sound and the rest of its `partner [B]`, both free of their means, int16 `[B, S]`."""
    valid = torch.arange(waveform.shape[1], device=waveform.device) < samples[:, None]
    sound = waveform.float() * valid
    centred = (sound - sound.sum(dim=1, keepdim=True) / samples.clamp_min(1)[:, None]) * valid
    mixture = torch.lerp(centred[partner], centred, weight[:, None]) * valid
    return mixture.round().clamp(-32768, 32767).to(torch.int16)
