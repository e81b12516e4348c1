"""Masking: which tokens stay visible, drawn for a whole batch at once.

Kinds (AVSiam, arXiv 2403.19638; CAV-MAE, arXiv 2210.07839, sec. 2.3.1): `unstructured` hides tokens independently;
`time` first strikes random columns of the spectrogram grid, `freq` random rows, `tf` 0.7 of each; struck tokens are
hidden first, and the kept count is always exact. Every draw is a keyed rank (`seehear.randomness`), so what a sample
sees does not depend on its batch.

Legend: B batch, N tokens = rows x columns, K ratios.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from seehear.errors import UsageError
from seehear.randomness import unique_integers

MaskKind = Literal["unstructured", "time", "freq", "tf"]
_STRUCK = 1 << 62  # above every value of unique_integers
_SHARE = {"unstructured": (0.0, 0.0), "time": (0.0, 1.0), "freq": (1.0, 0.0), "tf": (0.7, 0.7)}  # rows, columns


def kept(tokens: int, ratio: float) -> int:
    """Visible tokens at a masking ratio: floor(N (1 - r)), safe against rounding just below an integer.

    Raises:
        UsageError: if the ratio lies outside [0, 1) or leaves nothing visible.
    """
    count = int(tokens * (1 - ratio) + 1e-6)
    if not 0 <= ratio < 1 or count < 1:
        raise UsageError(f"masking ratio {ratio} of {tokens} tokens", expected="0 <= ratio < 1, with a token left over")
    return count


def struck_lines(grid: tuple[int, int], ratio: float, kind: MaskKind) -> tuple[int, int]:
    """How many whole rows and columns a structured mask strikes first."""
    rows, columns = _SHARE[kind]
    return int(grid[0] * rows * ratio + 1e-6), int(grid[1] * columns * ratio + 1e-6)


def visible_first(
    keys: Tensor,
    grid: tuple[int, ...],
    ratios: Sequence[float],
    ratio_index: Tensor,
    kind: MaskKind,
    purpose: str,
) -> Tensor:
    """Token order `[B, N]` for `keys [B]`, those to keep first: sample b keeps its first `kept(N, ratios[i_b])`.

    Args:
        keys: one key per sample.
        grid: (rows, columns) of the token grid; for spectrograms rows are frequencies; of any kind if unstructured.
        ratios: the K masking ratios.
        ratio_index: `[B]`, which ratio each sample has.
        kind: how to mask.
        purpose: keeps draws of different use apart.
    """
    noise = unique_integers(keys, math.prod(grid), purpose)
    if kind == "unstructured":
        return noise.argsort(dim=1)
    rows, columns = grid
    counts = [struck_lines((rows, columns), r, kind) for r in ratios]
    struck_rows = _chosen(keys, rows, _pick([c[0] for c in counts], ratio_index), purpose + "/rows")
    struck_columns = _chosen(keys, columns, _pick([c[1] for c in counts], ratio_index), purpose + "/columns")
    struck = (struck_rows[:, :, None] | struck_columns[:, None, :]).flatten(1)
    return (noise + struck * _STRUCK).argsort(dim=1)


def _pick(values: Sequence[int], index: Tensor) -> Tensor:
    """`values[index]`, `[B]` for `index [B]`, built on the device: copying a table there would make the host wait."""
    return torch.stack([(index == i) * value for i, value in enumerate(values)]).sum(dim=0)


def _chosen(keys: Tensor, lines: int, count: Tensor, purpose: str) -> Tensor:
    """Bool `[B, lines]` with exactly `count [B]` random lines True."""
    ranks = unique_integers(keys, lines, purpose).argsort(dim=1).argsort(dim=1)
    return ranks < count[:, None]
