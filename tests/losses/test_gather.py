"""The gather over real processes: whose rows come where, and a gradient that is exact whatever each rank weighs."""

import torch
from torch import distributed

from seehear.losses.gather import first_row, gather, gather_values, scatter_sum
from tests.training.processes import exit_codes, start_ranks

RANKS, LOCAL = 3, 2


def _weight(rank: int) -> torch.Tensor:
    return torch.randn(RANKS * LOCAL, 4, generator=torch.Generator().manual_seed(rank), dtype=torch.float64)


def _rows(rank: int) -> torch.Tensor:
    return _weight(rank + 10)[:LOCAL].clone().requires_grad_()


def _gathering(rank, world_size, folder):
    distributed.init_process_group("gloo")
    own = _rows(rank)
    whole = gather(own)
    (whole.square() * _weight(rank)).sum().backward()
    ids = gather(torch.arange(LOCAL) + 100 * rank)
    saved = {"whole": whole.detach(), "gradient": own.grad, "ids": ids, "first": torch.tensor(first_row(own))}
    torch.save(saved, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_every_rank_has_all_rows_and_gets_the_sum_of_their_gradients(tmp_path):
    assert exit_codes(start_ranks(RANKS, _gathering, tmp_path)) == [0] * RANKS
    rows = [_rows(rank) for rank in range(RANKS)]
    sum((torch.cat(rows).square() * _weight(rank)).sum() for rank in range(RANKS)).backward()
    for rank in range(RANKS):
        saved = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert torch.equal(saved["whole"], torch.cat(rows))
        assert saved["ids"].tolist() == [0, 1, 100, 101, 200, 201]
        assert saved["first"] == LOCAL * rank
        torch.testing.assert_close(saved["gradient"], rows[rank].grad, rtol=1e-13, atol=1e-15)


def test_alone_nothing_is_copied():
    rows = torch.randn(3, 2, requires_grad=True)
    assert gather(rows) is rows
    assert scatter_sum(rows) is rows
    assert first_row(rows) == 0
    assert gather_values(rows).data_ptr() == rows.data_ptr()
    assert not gather_values(rows).requires_grad
