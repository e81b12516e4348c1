"""InfoNCE in memory that grows with the batch, not with its square: a few rows of the similarities at a time.

Forward keeps of S = z_a z_v^T / tau the log-sum-exp of each row and of each column, taken up chunk by chunk; backward
makes each chunk of S anew and sends its gradient on:

    dL/dS_ij = (p (softmax of row i)_j + q (softmax of column j)_i - (p + q) [i = j]) / B

with p, q the shares of the two directions. Both directions are read off one S, so a rank builds its own rows `[b, B]`
once, where the loss in full builds them once per direction, and only pictures travel: columns are summed up over ranks
by their log-sum-exp. Recomputing the chunks instead of keeping them is gradient checkpointing (Chen et al.,
arXiv 1604.06174) with the softmax's gradient written out; one S for both directions across ranks as in DisCo-CLIP
(arXiv 2304.08480).

Across ranks each returns its share of the loss, as in `info_nce.py`: their mean is the loss of the whole batch. The
temperature's gradient is that of the rank's rows: its mean over ranks is that of the whole batch.

Legend: b local batch, B global batch, c rows of a chunk, D width.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.losses.gather import first_row, gather_values, scatter_sum
from seehear.signals.precision import without_autocast


def chunked_info_nce(
    audio: Tensor,
    image: Tensor,
    sample_ids: Tensor,
    temperature: float | Tensor,
    chunk: int,
    row_share: float = 0.5,
    column_share: float = 0.5,
) -> Tensor:
    """The loss of `info_nce`, a scalar, holding `[chunk, B]` similarities at a time.

    Args:
        audio: `[b, D]`, L2-normalised.
        image: `[b, D]`, L2-normalised.
        sample_ids: `[b]` int64.
        temperature: tau; as a tensor it gets its gradient.
        chunk: rows held at once; the last chunk may be shorter.
        row_share: weight of the softmax over pictures for each sound.
        column_share: weight of the softmax over sounds for each picture.

    Raises:
        UsageError: if `chunk` is below 1.
    """
    if chunk < 1:
        raise UsageError(f"a chunk of {chunk} rows", expected="at least 1")
    return _ChunkedInfoNCE.apply(audio, image, sample_ids, temperature, chunk, row_share, column_share)


class _Chunk(NamedTuple):
    """Some of this rank's rows, the columns of their own pictures, and their similarities `[c, B]` (twins at -inf)."""

    rows: slice
    own: Tensor
    similarities: Tensor


def _chunks(audio: Tensor, images: Tensor, ids: Tensor, scale: float | Tensor, chunk: int) -> Iterator[_Chunk]:
    """The rows of `audio [b, D]` against `images [B, D]`, with the `ids [B]` of all clips; scale = 1 / tau."""
    columns = torch.arange(len(images), device=audio.device)[first_row(audio) :][: len(audio)]
    for start in range(0, len(audio), chunk):
        rows = slice(start, min(start + chunk, len(audio)))
        own = columns[rows]
        twins = (ids[own, None] == ids[None, :]).scatter_(1, own[:, None], False)
        yield _Chunk(rows, own, ((audio[rows] * scale) @ images.T).masked_fill_(twins, float("-inf")))


class _ChunkedInfoNCE(torch.autograd.Function):
    """Forward keeps the log-sum-exp of rows `[b]` and columns `[B]`; backward rebuilds the similarities by chunks."""

    @staticmethod
    def forward(
        ctx: Any,
        audio: Tensor,
        image: Tensor,
        sample_ids: Tensor,
        temperature: float | Tensor,
        chunk: int,
        row_share: float,
        column_share: float,
    ) -> Tensor:
        """See `chunked_info_nce`; kept for the way back are the embeddings and both sums, no similarity."""
        images, ids, scale = gather_values(image), gather_values(sample_ids), 1 / temperature
        with without_autocast(audio):
            row_sums = audio.new_empty(len(audio))
            column_sums = audio.new_full((len(images),), float("-inf"))
            for rows, _, similarities in _chunks(audio, images, ids, scale, chunk):
                row_sums[rows] = similarities.logsumexp(dim=1)
                column_sums = torch.logaddexp(column_sums, similarities.logsumexp(dim=0))
            column_sums = gather_values(column_sums[None]).logsumexp(dim=0)
            pairs = (audio * image).sum(dim=1) * scale
            own_columns = column_sums[first_row(audio) :][: len(audio)]
            terms = row_share * (row_sums - pairs) + column_share * (own_columns - pairs)
        ctx.save_for_backward(audio, images, ids, row_sums, column_sums)
        ctx.scale, ctx.chunk, ctx.shares = scale, chunk, (row_share, column_share)
        return terms.mean()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        """Gradients of audio and image `[b, D]`, and of the temperature where it is a tensor; none of the rest."""
        audio, images, ids, row_sums, column_sums = ctx.saved_tensors
        (row_share, column_share), scale = ctx.shares, ctx.scale
        by_row = gradient / len(audio)
        by_column = gather_values(by_row.expand(len(audio)))  # the softmax of a column is its owner's loss
        to_audio, to_images = torch.empty_like(audio), torch.zeros_like(images)
        with without_autocast(audio):
            for rows, own, similarities in _chunks(audio, images, ids, scale, ctx.chunk):
                flow = (similarities - row_sums[rows, None]).exp_().mul_(row_share * by_row)
                flow += similarities.sub_(column_sums).exp_().mul_(column_share * by_column)
                flow.scatter_add_(1, own[:, None], (-(row_share + column_share) * by_row).expand(len(own), 1))
                to_audio[rows] = flow @ images
                to_images.addmm_(flow.T, audio[rows])
            to_scale = (to_audio * audio).sum()
        to_temperature = (-to_scale * scale**2).view(scale.shape) if isinstance(scale, Tensor) else None
        return to_audio * scale, scatter_sum(to_images) * scale, None, to_temperature, None, None, None
