"""Keyed randomness: pure, uniform, independent, and the same whatever the batch, rank, order or device.

Oracles: the published first outputs of splitmix64, a transcription in Python's unbounded integers, and SciPy's tests
of distributions at fixed seeds (no test here depends on chance).
"""

import hashlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from seehear import randomness
from seehear.errors import UsageError
from seehear.randomness import (
    Randomness,
    integers,
    normal,
    permutation,
    stable_hash,
    uniform,
    unique_integers,
)

WORD = 2**64
GOLDEN = 0x9E3779B97F4A7C15
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]
int64s = st.integers(-(2**63), 2**63 - 1)


# ------------------------------------------------------------------------------- the generator in unbounded integers
def finalise(x: int) -> int:
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % WORD
    return x ^ (x >> 31)


def absorb(state: int, word: int) -> int:
    return finalise((state * 3 + word + GOLDEN) % WORD)


def key(seed: int, clips: int, position: int, sample_id: int) -> int:
    return absorb(absorb(absorb(seed, position // clips), position), sample_id)


def draws(key: int, count: int, purpose: str) -> list[int]:
    seeded = absorb(key, stable_hash(purpose))
    return [finalise((seeded + column * GOLDEN) % WORD) for column in range(count)]


def unsigned(values: Tensor) -> list[int]:
    return [value % WORD for value in values.tolist()]


def keys(count: int, seed: int = 0) -> Tensor:
    return Randomness(seed, clips_per_epoch=1000).keys(torch.arange(count), torch.arange(count) * 7 + 3)


# -------------------------------------------------------------------------------------------------------- known values
def test_the_finaliser_is_that_of_splitmix64() -> None:
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    states = [(1234567 + step * GOLDEN) % WORD for step in range(1, 5)]
    assert [finalise(state) for state in states] == published
    assert unsigned(randomness._finalise(torch.tensor(np.array(states, np.uint64).view(np.int64)))) == published


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_draws_what_unbounded_integers_draw(device: str) -> None:
    rng = np.random.default_rng(0)
    positions = torch.tensor(rng.integers(0, 2**62, 64), device=device)
    ids = torch.tensor(rng.integers(0, 2**63 - 1, 64), device=device)
    found = Randomness(-5, clips_per_epoch=1234).keys(positions, ids)
    wanted = [key(-5 % WORD, 1234, p, i) for p, i in zip(positions.tolist(), ids.tolist(), strict=True)]
    assert unsigned(found) == wanted
    raw = [draws(k, 9, "mask/audio") for k in wanted]
    assert [unsigned(row) for row in integers(found, 9, "mask/audio")] == raw
    assert uniform(found, 9, "mask/audio").tolist() == [[(x >> 40) / 2**24 for x in row] for row in raw]
    exact = uniform(found, 9, "mask/audio", torch.float64)
    assert exact.tolist() == [[(x >> 11) / 2**53 for x in row] for row in raw]


@given(int64s)
@settings(max_examples=200)
def test_the_logical_shift_fills_with_zeros(value: int) -> None:
    for bits in (1, 27, 40, 62, 63):
        assert randomness._logical_shift(torch.tensor([value]), bits).item() == (value % WORD) >> bits


def test_a_text_has_its_blake2b_number() -> None:
    number = int.from_bytes(hashlib.blake2b(b"clip-1", digest_size=8).digest(), "big")
    assert stable_hash("clip-1") == number >> 1
    assert 0 <= stable_hash("\udcff undecodable name") < 2**63


# ------------------------------------------------------------------------------- what a sample sees does not depend on
@given(st.lists(st.tuples(st.integers(0, 2**40), int64s), min_size=1, max_size=12), st.randoms(), st.integers(1, 99))
def test_order_and_split_of_a_batch_change_nothing(samples: list[tuple[int, int]], random, clips: int) -> None:
    source = Randomness(7, clips)

    def draw(part: list[tuple[int, int]]) -> dict[tuple[int, int], list]:
        positions, ids = (torch.tensor(column) for column in zip(*part, strict=True))
        keyed = source.keys(positions, ids)
        rows = zip(
            uniform(keyed, 5, "crop").tolist(),
            permutation(keyed, 6, "mask").tolist(),
            normal(keyed, 3, "noise").tolist(),
            source.ratio_index(positions, 5, "ratio").tolist(),
            strict=True,
        )
        return dict(zip(part, rows, strict=True))

    whole = draw(samples)
    shuffled = random.sample(samples, len(samples))
    cut = random.randint(1, len(samples))
    split: dict = {}
    for part in (shuffled[:cut], shuffled[cut:]):
        split |= draw(part) if part else {}
    assert split == whole


@pytest.mark.parametrize("world_size", [1, 2, 4, 8])
def test_ranks_together_draw_what_one_process_draws(world_size: int) -> None:
    source = Randomness(3, clips_per_epoch=50)
    positions, ids = torch.arange(80, 120), torch.arange(40) ** 3
    whole = uniform(source.keys(positions, ids), 4, "mask")
    share = 40 // world_size
    ranks = [slice(rank * share, (rank + 1) * share) for rank in range(world_size)]
    assert torch.equal(whole, torch.cat([uniform(source.keys(positions[r], ids[r]), 4, "mask") for r in ranks]))
    ratios = source.ratio_index(positions, 5, "ratio/audio")
    assert torch.equal(ratios, torch.cat([source.ratio_index(positions[r], 5, "ratio/audio") for r in ranks]))


def test_more_draws_begin_with_the_same_draws() -> None:
    assert torch.equal(uniform(keys(5), 3, "crop"), uniform(keys(5), 9, "crop")[:, :3])


def test_nothing_touches_torchs_own_generator() -> None:
    before = torch.get_rng_state()
    normal(keys(5), 3, "noise")
    permutation(keys(5), 3, "mask")
    assert torch.equal(before, torch.get_rng_state())


# ---------------------------------------------------------------------------------------- what it does depend on
@pytest.mark.parametrize("part", ["seed", "epoch", "position", "sample id", "purpose"])
def test_each_part_of_the_key_changes_everything(part: str) -> None:
    positions, ids = torch.arange(4000), torch.arange(4000) + 10**6
    one = uniform(Randomness(1, 4000).keys(positions, ids), 1, "mask", torch.float64).ravel()
    other = {
        "seed": lambda: uniform(Randomness(2, 4000).keys(positions, ids), 1, "mask", torch.float64),
        "epoch": lambda: uniform(Randomness(1, 1).keys(positions, ids), 1, "mask", torch.float64),
        "position": lambda: uniform(Randomness(1, 9000).keys(positions + 4000, ids), 1, "mask", torch.float64),
        "sample id": lambda: uniform(Randomness(1, 4000).keys(positions, ids + 1), 1, "mask", torch.float64),
        "purpose": lambda: uniform(Randomness(1, 4000).keys(positions, ids), 1, "mask2", torch.float64),
    }[part]().ravel()
    changed = int((one != other).sum())
    assert changed >= 3999 if part == "epoch" else changed == 4000  # position 0 is in epoch 0 either way
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / math.sqrt(4000)


def test_the_epoch_follows_the_position() -> None:
    found = Randomness(1, clips_per_epoch=10).keys(torch.tensor([9, 10]), torch.tensor([5, 5]))
    assert unsigned(found) == [key(1, 10, 9, 5), key(1, 10, 10, 5)]


# ------------------------------------------------------------------------------------------------------- distributions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_draws_are_uniform(dtype: torch.dtype) -> None:
    values = uniform(keys(20_000), 5, "crop", dtype).ravel()
    assert values.dtype == dtype
    assert values.min() >= 0
    assert values.max() < 1
    assert stats.kstest(values.double().numpy(), "uniform").pvalue > 0.01


def test_draws_of_one_sample_do_not_go_together() -> None:
    table = np.corrcoef(uniform(keys(20_000), 8, "crop", torch.float64).T.numpy())
    assert np.abs(table - np.eye(8)).max() < 5 / math.sqrt(20_000)
    flat = uniform(keys(20_000), 8, "crop", torch.float64)[:, 0].numpy()
    assert abs(np.corrcoef(flat[:-1], flat[1:])[0, 1]) < 5 / math.sqrt(20_000)


def test_every_bit_of_a_draw_is_fair() -> None:
    words = integers(keys(20_000), 1, "bits").ravel()
    ones = torch.stack([(words >> bit) & 1 for bit in range(64)]).double().mean(dim=1)
    assert (ones - 0.5).abs().max() < 5 * 0.5 / math.sqrt(20_000)


def test_normal_draws_are_normal() -> None:
    values = normal(keys(20_000), 3, "noise", torch.float64)
    assert bool(values.isfinite().all())
    assert stats.kstest(values.ravel().numpy(), "norm").pvalue > 0.01
    assert normal(keys(4), 2, "noise").dtype == torch.float32


@given(st.integers(1, 70), st.integers(1, 6), st.integers(0, 1000))
def test_a_permutation_holds_every_place_once(count: int, batch: int, seed: int) -> None:
    order = permutation(keys(batch, seed), count, "mask")
    assert order.shape == (batch, count)
    assert torch.equal(order.sort(dim=1).values, torch.arange(count).expand(batch, count))


def test_all_permutations_are_equally_likely() -> None:
    orders = permutation(keys(24_000), 4, "mask")
    codes = (orders * torch.tensor([64, 16, 4, 1])).sum(dim=1)
    _, counts = np.unique(codes.numpy(), return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 0.01


@given(st.integers(1, 300), st.integers(0, 1000))
def test_unique_integers_are_unique_and_in_range(count: int, seed: int) -> None:
    values = unique_integers(keys(3, seed), count, "mask")
    assert all(len(set(row)) == count for row in values.tolist())
    assert int(values.min()) >= 0
    assert int(values.max()) < 2**62


def test_unique_integers_are_unique_even_where_the_draws_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(randomness, "integers", lambda keys, count, purpose: torch.zeros(len(keys), count).long())
    assert permutation(keys(2), 5, "mask").tolist() == [[0, 1, 2, 3, 4]] * 2


# --------------------------------------------------------------------------------------------------------------- ratios
@given(
    st.integers(2, 8),
    st.integers(0, 10**12),
    st.integers(1, 5),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 10**6),
)
def test_each_aligned_block_holds_every_ratio_once(k: int, block: int, blocks: int, seed: int, clips: int) -> None:
    positions = torch.arange(block * k, (block + blocks) * k)
    found = Randomness(seed, clips).ratio_index(positions, k, "ratio/image")
    assert torch.equal(found.reshape(blocks, k).sort(dim=1).values, torch.arange(k).expand(blocks, k))


def test_each_position_gets_each_ratio_equally_often() -> None:
    found = Randomness(0).ratio_index(torch.arange(50_000), 5, "ratio/image").reshape(-1, 5)
    for place in found.T:
        assert stats.chisquare(np.bincount(place.numpy(), minlength=5)).pvalue > 0.005


def test_sound_and_picture_get_independent_ratios() -> None:
    positions = torch.arange(50_000)
    sound = Randomness(0).ratio_index(positions, 5, "ratio/audio").numpy()
    picture = Randomness(0).ratio_index(positions, 5, "ratio/image").numpy()
    pairs = np.zeros((5, 5))
    np.add.at(pairs, (sound, picture), 1)
    assert stats.chi2_contingency(pairs).pvalue > 0.01


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize("clips", [0, -1])
def test_an_epoch_holds_at_least_one_clip(clips: int) -> None:
    with pytest.raises(UsageError, match=f"clips_per_epoch is {clips}; expected at least 1"):
        Randomness(0, clips)


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 10**30])
def test_a_seed_fits_into_a_word(seed: int) -> None:
    with pytest.raises(UsageError, match=f"the seed is {seed}"):
        Randomness(seed)
