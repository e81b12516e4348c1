"""Keyed randomness: every draw is a pure function of (seed, epoch, position, sample id, purpose).

Nothing here has state, so worker count, rank, batch split and resume cannot change what a sample sees.
The generator is a chain of 64-bit finalisers (the mixing step of splitmix64: Steele, Lea, Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014) in wrapping int64 arithmetic, which torch runs alike on every device.

Legend: B batch, N draws per sample, K masking ratios.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from seehear.errors import UsageError

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed integer
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB


def _finalise(x: Tensor) -> Tensor:
    """Spread every bit of an int64 tensor over all 64 bits (a bijection)."""
    x = (x ^ _logical_shift(x, 30)) * _MIX_1
    x = (x ^ _logical_shift(x, 27)) * _MIX_2
    return x ^ _logical_shift(x, 31)


def _logical_shift(x: Tensor, bits: int) -> Tensor:
    """Right shift that fills with zeros (torch's own shift keeps the sign)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _absorb(state: Tensor, word: Tensor) -> Tensor:
    """Mix another word into a state: order matters, and equal words at different places differ."""
    return _finalise(state * 3 + word + _GOLDEN)


def stable_hash(text: str) -> int:
    """A 63-bit BLAKE2b number of a text, equal on every machine: sample ids and purposes come from it."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest(), "big") >> 1


@dataclass(frozen=True)
class Randomness:
    """The randomness of one run.

    Args:
        seed: the run's seed.
        clips_per_epoch: N, so that epoch = position // N; positions count on through epochs.
    """

    seed: int
    clips_per_epoch: int = 1

    def __post_init__(self) -> None:
        if self.clips_per_epoch < 1:
            raise UsageError(f"clips_per_epoch is {self.clips_per_epoch}", expected="at least 1")
        if not -(2**63) <= self.seed < 2**63:
            raise UsageError(f"the seed is {self.seed}", expected="a number of at most 63 bits")

    def keys(self, positions: Tensor, sample_ids: Tensor) -> Tensor:
        """One int64 key per sample, `[B]`, from `positions [B]` and `sample_ids [B]` (both int64)."""
        state = _absorb(torch.full_like(positions, self.seed), positions // self.clips_per_epoch)
        return _absorb(_absorb(state, positions), sample_ids)

    def ratio_index(self, positions: Tensor, count: int, purpose: str) -> Tensor:
        """Which of `count` masking ratios each position gets, `[B]` int64.

        Within every aligned block of `count` consecutive positions each index occurs exactly once, in an order keyed
        by (seed, block, purpose): packs have fixed sizes whatever the batch split.
        """
        block = positions // count
        keys = _absorb(torch.full_like(block, self.seed), block)
        order = permutation(keys, count, purpose)
        return order.gather(1, (positions % count)[:, None]).squeeze(1)


def integers(keys: Tensor, count: int, purpose: str) -> Tensor:
    """Random int64 values over the whole range, `[B, count]`, for `keys [B]`."""
    seeded = _absorb(keys, torch.full_like(keys, stable_hash(purpose)))
    columns = torch.arange(count, device=keys.device, dtype=torch.int64)
    return _finalise(seeded[:, None] + columns[None, :] * _GOLDEN)


def short_integers(keys: Tensor, count: int, purpose: str) -> Tensor:
    """Random int16 values over the whole range, `[B, count]`, for `keys [B]`: four from each 64-bit draw."""
    return integers(keys, -(-count // 4), purpose).view(torch.int16)[:, :count]


def uniform(keys: Tensor, count: int, purpose: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """Uniform draws in [0, 1), `[B, count]`, for `keys [B]`."""
    bits = 53 if dtype == torch.float64 else 24
    return _logical_shift(integers(keys, count, purpose), 64 - bits).to(dtype) * (2.0**-bits)


def normal(keys: Tensor, count: int, purpose: str, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal draws, `[B, count]`, by the Box-Muller transform of two uniform draws."""
    radius = uniform(keys, count, purpose + "/radius", torch.float64)
    angle = uniform(keys, count, purpose + "/angle", torch.float64)
    values = (-2 * torch.log1p(-radius)).sqrt() * torch.cos(2 * torch.pi * angle)
    return values.to(dtype)


def permutation(keys: Tensor, count: int, purpose: str) -> Tensor:
    """A random order of `count` places, `[B, count]` int64: the argsort of unique keys, so there are no ties."""
    return unique_integers(keys, count, purpose).argsort(dim=1)


def unique_integers(keys: Tensor, count: int, purpose: str) -> Tensor:
    """Random int64 values `[B, count]` that are all different within a row (the lowest bits hold the column).

    Ranks of these are what masks are drawn by. Values are non-negative and below 2**62.
    """
    bits = max(1, (count - 1).bit_length())
    high = _logical_shift(integers(keys, count, purpose), 2 + bits)
    return (high << bits) | torch.arange(count, device=keys.device)
