"""InfoNCE between two modalities (van den Oord et al., arXiv 1807.03748; AVSiam, arXiv 2403.19638, contrastive loss).

With L2-normalised embeddings z and temperature tau, S = z_a z_v^T / tau and

    L(a -> v) = - mean_i log( exp(S_ii) / sum_j exp(S_ij) ),      symmetric: the mean of both directions.

Across ranks every rank takes its own rows against the columns of all ranks (`gather.py`); the mean over ranks, which
DDP takes, is then the loss of the whole batch in value and gradient. No rank ever holds `[B, B]`. With `chunk` no rank
holds `[b, B]` either: see `chunked_info_nce.py`. Pairs that carry the same sample id (fewer clips than a batch) are no
negatives of each other. Autocast is left out: cosines near 1 are 0.004 apart in bf16, and tau = 0.05 makes that 0.08.

Legend: b local batch, B global batch, D width.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.losses.chunked_info_nce import chunked_info_nce
from seehear.losses.gather import first_row, gather
from seehear.signals.precision import without_autocast

Directions = Literal["both", "audio-to-image", "image-to-audio"]
_SHARES = {"both": (0.5, 0.5), "audio-to-image": (1.0, 0.0), "image-to-audio": (0.0, 1.0)}


def info_nce(
    audio: Tensor,
    image: Tensor,
    sample_ids: Tensor,
    temperature: float | Tensor = 0.05,
    directions: Directions = "both",
    chunk: int | None = None,
) -> Tensor:
    """The loss, a scalar.

    Args:
        audio: `[b, D]`, L2-normalised.
        image: `[b, D]`, L2-normalised.
        sample_ids: `[b]` int64.
        temperature: tau; as a tensor it gets its gradient.
        directions: which softmax: over pictures for each sound, over sounds for each picture, or both.
        chunk: rows of the similarities that are held at once; None: all of this rank.
    """
    if chunk is not None:
        return chunked_info_nce(audio, image, sample_ids, temperature, chunk, *_SHARES[directions])
    own = torch.arange(len(audio), device=audio.device) + first_row(audio)
    ids = gather(sample_ids)
    twins = (sample_ids[:, None] == ids[None, :]).scatter(1, own[:, None], False)  # [b, B]
    terms = []
    if directions != "image-to-audio":
        terms.append(_direction(audio, gather(image), own, twins, temperature))
    if directions != "audio-to-image":
        terms.append(_direction(image, gather(audio), own, twins, temperature))
    return torch.stack(terms).mean()


def _direction(query: Tensor, candidates: Tensor, own: Tensor, twins: Tensor, temperature: float | Tensor) -> Tensor:
    with without_autocast(query):
        logits = (query @ candidates.T / temperature).masked_fill(twins, float("-inf"))
        return F.cross_entropy(logits, own)
