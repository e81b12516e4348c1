"""Mixed visual alignment: the places of two blended pictures must agree with the sounds of both.

Source: OneAVM (arXiv 2305.19458), mixed visual alignment, by its abstract and framework figure; the equation is ours.
Picture n is a blend of clips n and j(n), j a permutation. With unit vectors v_n(x) of its places, a_k of the sounds,

    Q_nk = max over x of <v_n(x), a_k> / tau,
    L = - mean_n 1/2 ( log softmax_k Q_nk at n  +  log softmax_k Q_nk at j(n) )
        - mean_k 1/2 ( log softmax_n Q_nk at k  +  log softmax_n Q_nk at j^-1(k) ).

While one positive is scored the other one is left out of the sum below it, unless `compete` is asked for. Clips of one
sample id are no negatives, autocast is left out, and across ranks each returns its share of the loss, as in
`multiple_instance.py`.

Legend: b local batch, B global batch, N places, D width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.losses.gather import first_row, gather
from seehear.signals.precision import without_autocast


def mixed_alignment(
    audio: Tensor,
    places: Tensor,
    partner: Tensor,
    sample_ids: Tensor,
    temperature: float = 0.03,
    compete: bool = False,
    chunk: int | None = None,
) -> Tensor:
    """The loss, a scalar.

    Args:
        audio: of the clips as they are, `[b, D]`, L2-normalised.
        places: of the blended pictures, `[b, N, D]`, L2-normalised.
        partner: row j(n) of each clip's partner, `[b]`, a permutation of this rank's rows.
        sample_ids: `[b]` int64.
        temperature: tau.
        compete: keep the other positive in the sum.
        chunk: pictures whose similarities at all places are held at once; None: all of this rank.

    Raises:
        UsageError: if shapes do not fit, or `chunk` is below 1.
    """
    b = len(audio)
    if places.ndim != 3 or audio.shape != (len(places), places.shape[2]) or partner.shape != (b,):
        raise UsageError(
            f"sounds {tuple(audio.shape)}, places {tuple(places.shape)} and partners {tuple(partner.shape)}",
            expected="[b, D], [b, N, D] and [b]",
        )
    if chunk is not None and chunk < 1:
        raise UsageError(f"a chunk of {chunk} pictures", expected="at least 1")
    start = first_row(audio)
    own, other = torch.arange(b, device=audio.device) + start, gather(partner + start)  # [b], [B]
    containing = torch.empty_like(other).scatter_(0, other, torch.arange(len(other), device=other.device))
    ids = gather(sample_ids)
    with without_autocast(audio):
        sounds = gather(audio)
        parts = places.split(chunk or b)
        scores = torch.cat([(part @ sounds.T).max(dim=1).values for part in parts]) / temperature  # [b, B]
        of_own_sounds = gather(scores)[:, own].T  # [b, B]
        shown = (ids[own], ids[other[own]])  # whose picture is in a blend
        foreign = (ids[None, :] != shown[0][:, None]) & (ids[None, :] != shown[1][:, None])
        blends = (ids[None, :] != shown[0][:, None]) & (ids[other][None, :] != shown[0][:, None])
        over_sounds = _both_positives(scores, foreign, own, other[own], compete)
        over_pictures = _both_positives(of_own_sounds, blends, own, containing[own], compete)
    return over_sounds + over_pictures


def _both_positives(scores: Tensor, negatives: Tensor, first: Tensor, second: Tensor, compete: bool) -> Tensor:
    """Mean over rows of `scores [b, B]` of the cross-entropies at both positives `[b]`, against `negatives [b, B]`."""
    terms = []
    for positive, rival in ((first, second), (second, first)):
        counted = negatives.scatter(1, positive[:, None], True)
        counted = counted.scatter(1, rival[:, None], True) if compete else counted
        terms.append(F.cross_entropy(scores.masked_fill(~counted, float("-inf")), positive))
    return torch.stack(terms).mean()
