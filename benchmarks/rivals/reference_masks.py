"""Masks and permutations in R0's pattern: Python loops that write a few numbers at a time.

Costs 4 and 5 of the list in the performance sheet. Legend: b clips of a chunk, N token places, n visible ones.
"""

import random

import torch
from torch import Tensor


def noise(clips: int, grid: tuple[int, int], ratio: float, kind: str, device: torch.device) -> Tensor:
    """`[b, N]`: the places with the smallest values stay; struck rows and columns hold 1.1."""
    rows, columns = grid
    values = torch.rand(clips, rows * columns, device=device)
    if kind == "unstructured":
        return values
    cells = values.reshape(clips, rows, columns)
    for clip in range(clips):
        for column in random.sample(range(columns), int(columns * 0.7 * ratio)):
            cells[clip, :, column] = 1.1
        for row in random.sample(range(rows), int(rows * 0.7 * ratio)):
            cells[clip, row, :] = 1.1
    return cells.reshape(clips, rows * columns)


def order_of(values: Tensor) -> tuple[Tensor, Tensor]:
    """Places by rising noise, and the place of each in that order: two `[b, N]`."""
    order = torch.argsort(values, dim=1)
    return order, torch.argsort(order, dim=1)


def hide(tokens: Tensor, order: Tensor, restore: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Visible tokens `[b, n, D]` of `[b, N, D]`, and the mask `[b, N]` in grid order (1 is hidden)."""
    keep = order[:, :count]
    visible = torch.gather(tokens, 1, keep.unsqueeze(-1).repeat(1, 1, tokens.shape[2]))
    mask = torch.ones(order.shape, device=tokens.device)
    mask[:, :count] = 0
    return visible, torch.gather(mask, 1, restore)


def inverse(permutation: Tensor) -> Tensor:
    """The inverse permutation, written number by number."""
    back = torch.zeros_like(permutation)
    for place in range(len(permutation)):
        back[permutation[place]] = place
    return back
