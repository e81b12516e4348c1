"""Token packing: sequences of different lengths through one call per layer.

Sequences of equal length form a group; the tokens of all groups lie one after another in a single `[P, D]` tensor.
Linear layers, norms and MLPs act on it once; only attention looks at the layout, group by group, so nothing is padded
and the result is exactly that of running every sequence alone.

Legend: P packed tokens in all, B or b sequences of a group, N or n tokens of each, V values of a patch, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from seehear.signals.tables import cached_table


@dataclass(frozen=True)
class Layout:
    """How packed tokens are grouped: `groups[g] = (sequences, tokens of each)`, in order."""

    groups: tuple[tuple[int, int], ...]

    @property
    def sizes(self) -> list[int]:
        """Packed tokens of each group."""
        return [sequences * tokens for sequences, tokens in self.groups]

    @property
    def total(self) -> int:
        """Packed tokens in all."""
        return sum(self.sizes)

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(tokens for _, tokens in self.groups)

    def ends(self, device: torch.device) -> Tensor:
        """Where each sequence ends among the packed tokens, int32 `[sequences + 1]` with a zero in front."""
        return _ends(device, torch.int32, self.groups)


@cached_table  # a fixed batch has a handful of layouts; making one anew would make the host wait for a copy
def _ends(groups: tuple[tuple[int, int], ...]) -> Tensor:
    lengths = [tokens for sequences, tokens in groups for _ in range(sequences)]
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.float64)


@dataclass(frozen=True)
class Group:
    """Sequences of equal length of one modality: `patches [b, n, V]` from token places `places [b, n]`."""

    modality: str
    patches: Tensor
    places: Tensor


def whole(modality: str, patches: Tensor) -> Group:
    """All patches `[B, N, V]` of a modality, in their order."""
    return Group(modality, patches, torch.arange(patches.shape[1], device=patches.device).expand(patches.shape[:2]))


def pack(groups: Sequence[Tensor]) -> tuple[Tensor, Layout]:
    """Lay groups `[B_g, N_g, D]` one after another: `[P, D]` and its layout."""
    layout = Layout(tuple((g.shape[0], g.shape[1]) for g in groups))
    return torch.cat([g.flatten(0, 1) for g in groups]), layout


def unpack(packed: Tensor, layout: Layout) -> list[Tensor]:
    """The groups `[B_g, N_g, D]` of packed tokens `[P, D]`, as views."""
    parts = packed.split(layout.sizes)
    return [part.unflatten(0, shape) for part, shape in zip(parts, layout.groups, strict=True)]
