"""Partners: a permutation without fixed points, kinds kept apart, keyed by the clips alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.layers.clip_partners import kinds_of, partners, share_a_class
from seehear.randomness import Randomness


def _keys(count: int, epoch: int = 0, seed: int = 0) -> torch.Tensor:
    ids = torch.arange(count) * 13 + 5
    return Randomness(seed, clips_per_epoch=count).keys(torch.arange(count) + epoch * count, ids)


@given(kinds=st.lists(st.integers(0, 5), min_size=2, max_size=24), seed=st.integers(0, 99))
def test_no_clip_meets_itself_nor_its_kind_where_that_can_be(kinds, seed) -> None:
    found = partners(_keys(len(kinds), seed=seed), torch.tensor(kinds))
    assert sorted(found.tolist()) == list(range(len(kinds)))
    assert all(j != i for i, j in enumerate(found.tolist()))
    most = max(kinds.count(k) for k in kinds)
    alike = sum(kinds[i] == kinds[j] for i, j in enumerate(found.tolist()))
    assert alike == (max(0, 2 * most - len(kinds)) if most < len(kinds) else len(kinds))


def test_partners_do_not_depend_on_the_order_of_the_batch() -> None:
    keys, kinds = _keys(12), torch.arange(12) % 4
    shuffled = torch.randperm(12, generator=torch.Generator().manual_seed(2))
    found, again = partners(keys, kinds), partners(keys[shuffled], kinds[shuffled])
    assert torch.equal(shuffled[again], found[shuffled])


def test_every_other_clip_is_met_about_as_often() -> None:
    met = torch.zeros(5, 5)
    for epoch in range(2_000):
        met[torch.arange(5), partners(_keys(5, epoch), torch.arange(5))] += 1
    assert (met.diag() == 0).all()
    off = met[~torch.eye(5, dtype=torch.bool)]
    assert 400 < off.min() <= off.max() < 600  # 500 expected, deviation 19


def test_kinds_are_first_classes_or_the_clips_themselves() -> None:
    ids = torch.tensor([70, 71, 72])
    labels = torch.tensor([[0.0, 1, 1], [0, 0, 0], [1, 0, 1]])
    assert kinds_of(ids, labels).tolist() == [1, 71, 0]
    assert kinds_of(ids, None).tolist() == kinds_of(ids, labels[:, :0]).tolist() == [70, 71, 72]
    assert share_a_class(labels, torch.tensor([2, 0, 1])).tolist() == [True, False, False]


def test_a_clip_alone_has_no_partner() -> None:
    with pytest.raises(UsageError, match="at least 2 in a batch"):
        partners(_keys(1), torch.zeros(1, dtype=torch.int64))
