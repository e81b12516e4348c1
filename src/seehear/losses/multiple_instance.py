"""Multiple-instance InfoNCE: a sound must agree with some place of its own picture, and with no place of the others.

Source: EZ-VSL (arXiv 2203.09324), equation of the multiple-instance contrastive loss, as its released code has it. With
unit vectors v_n(x) of the places x of picture n, a_m of sound m, and temperature tau,

    P_nm = max over x of <v_n(x), a_m> / tau,
    L = - mean_n log softmax over m of P_nm at n  -  mean_m log softmax over n of P_nm at m,

the sum of both directions ("mean": half of it). Its rivals score otherwise: "pool" takes the largest value of each
channel over the places, back to unit length, before one product; "mean" averages the similarities, which is one product
with the mean of the v_n(x). Where several places are equally near, the first gets the gradient.

As in `info_nce.py`, pairs of one sample id are no negatives, autocast is left out, and across ranks each returns its
share of the loss: their mean is that of the whole batch. Similarities of all places are held for `chunk` pictures at a
time; what is left of them are the scores `[b, B]`, which ranks exchange: `[B, B]`, without places.

Legend: b local batch, B global batch, N places, D width.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.losses.gather import first_row, gather
from seehear.losses.info_nce import info_nce
from seehear.signals.precision import without_autocast

Score = Literal["max", "pool", "mean"]
Reduction = Literal["sum", "mean"]


def multiple_instance_info_nce(
    audio: Tensor,
    places: Tensor,
    sample_ids: Tensor,
    temperature: float = 0.03,
    score: Score = "max",
    reduction: Reduction = "sum",
    chunk: int | None = None,
) -> Tensor:
    """The loss, a scalar.

    Args:
        audio: `[b, D]`, L2-normalised.
        places: `[b, N, D]`, L2-normalised.
        sample_ids: `[b]` int64.
        temperature: tau.
        score: of a picture and a sound.
        reduction: of the two directions.
        chunk: pictures (with "pool" and "mean": rows) whose similarities are held at once; None: all of this rank.

    Raises:
        UsageError: if shapes do not fit, or `chunk` is below 1.
    """
    if places.ndim != 3 or audio.shape != (len(places), places.shape[2]) or not places.shape[1]:
        raise UsageError(
            f"sounds {tuple(audio.shape)} and places {tuple(places.shape)}", expected="[b, D] and [b, N, D]"
        )
    if chunk is not None and chunk < 1:
        raise UsageError(f"a chunk of {chunk} pictures", expected="at least 1")
    if score == "max":
        mean = _by_the_best_place(audio, places, sample_ids, temperature, chunk)
    else:
        mean = info_nce(audio, pooled_places(places, score), sample_ids, temperature, chunk=chunk)
    return 2 * mean if reduction == "sum" else mean


def pooled_places(places: Tensor, score: Score) -> Tensor:
    """One vector `[B, D]` for the unit vectors `places [B, N, D]`.

    Of "pool" the one that its score compares; of "mean", and of "max", whose score has none, the mean.
    """
    return F.normalize(places.amax(dim=1), dim=-1) if score == "pool" else places.mean(dim=1)


def _by_the_best_place(
    audio: Tensor, places: Tensor, sample_ids: Tensor, temperature: float, chunk: int | None
) -> Tensor:
    """Mean of both directions with the scores P."""
    own = torch.arange(len(audio), device=audio.device) + first_row(audio)
    ids = gather(sample_ids)
    twins = (sample_ids[:, None] == ids[None, :]).scatter(1, own[:, None], False)  # [b, B]
    with without_autocast(audio):
        sounds = gather(audio)
        parts = places.split(chunk or len(places))
        scores = torch.cat([(part @ sounds.T).max(dim=1).values for part in parts]) / temperature  # [b, B]
        of_own_sounds = gather(scores)[:, own].T  # [b, B]
        directions = [F.cross_entropy(P.masked_fill(twins, float("-inf")), own) for P in (scores, of_own_sounds)]
    return torch.stack(directions).mean()
