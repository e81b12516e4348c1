"""Mixed visual alignment: closed forms, a slow loop, chunks, equal ids, and two processes against one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.losses.mixed_alignment import mixed_alignment
from tests.training.processes import exit_codes, start_ranks

IDS = torch.tensor([3, 1, 4, 1, 5, 9])
PARTNER = torch.tensor([2, 0, 1, 5, 3, 4])  # within each half, as of two processes


def _pair(batch: int = 6, count: int = 4, width: int = 5, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    audio = torch.randn(batch, width, generator=generator, dtype=torch.float64)
    places = torch.randn(batch, count, width, generator=generator, dtype=torch.float64)
    return F.normalize(audio, dim=1).requires_grad_(), F.normalize(places, dim=2).requires_grad_()


def _slow(audio: Tensor, places: Tensor, partner: Tensor, ids: Tensor, tau: float, compete: bool) -> Tensor:
    count = len(ids)
    Q = [
        [torch.stack([torch.dot(v, audio[k]) for v in places[n]]).max() / tau for k in range(count)]
        for n in range(count)
    ]
    total = torch.zeros((), dtype=torch.float64)
    for n in range(count):
        for positive, rival in ((n, int(partner[n])), (int(partner[n]), n)):
            shown = {int(ids[n]), int(ids[partner[n]])}
            below = [
                Q[n][k] for k in range(count) if int(ids[k]) not in shown or k == positive or (compete and k == rival)
            ]
            total = total + 0.5 * (torch.logsumexp(torch.stack(below), 0) - Q[n][positive])
    back = {int(j): i for i, j in enumerate(partner)}
    for k in range(count):
        for positive, rival in ((k, back[k]), (back[k], k)):
            below = []
            for n in range(count):
                strange = int(ids[k]) not in {int(ids[n]), int(ids[partner[n]])}
                if strange or n == positive or (compete and n == rival):
                    below.append(Q[n][k])
            total = total + 0.5 * (torch.logsumexp(torch.stack(below), 0) - Q[positive][k])
    return total / count


@pytest.mark.parametrize("compete", [False, True])
@pytest.mark.parametrize("chunk", [None, 1, 4, 9])
@pytest.mark.parametrize("ids", [IDS, torch.arange(6)], ids=["twins", "all different"])
def test_the_slow_loop_agrees_in_value_and_gradient(compete, chunk, ids) -> None:
    leaves = _pair()
    fast = mixed_alignment(*leaves, PARTNER, ids, 0.1, compete, chunk)
    slow = _slow(*leaves, PARTNER, ids, 0.1, compete)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-12)
    for a, b in zip(torch.autograd.grad(fast, leaves), torch.autograd.grad(slow, leaves), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("compete", "below"), [(False, 6), (True, 7)])
def test_equal_vectors_give_twice_the_log_of_what_stands_below(compete, below) -> None:
    z = F.normalize(torch.ones(7, 3, dtype=torch.float64), dim=1)
    loss = mixed_alignment(z, z[:, None].expand(7, 4, 3), torch.arange(7).roll(1), torch.arange(7), compete=compete)
    assert loss.item() == pytest.approx(2 * math.log(below))


def test_blends_that_show_both_have_a_closed_form() -> None:
    """Sound k is e_k; blend n shows a place e_n and a place e_j(n): 1 / tau at both positives, else 0."""
    eye, tau, count = torch.eye(5, dtype=torch.float64), 0.2, 5
    partner = torch.arange(count).roll(2)
    places = torch.stack([eye, eye[partner]], dim=1)
    apart = mixed_alignment(eye, places, partner, torch.arange(count), tau)
    assert apart.item() == pytest.approx(2 * math.log(1 + (count - 2) * math.exp(-1 / tau)))
    competing = mixed_alignment(eye, places, partner, torch.arange(count), tau, compete=True)
    assert competing.item() == pytest.approx(2 * math.log(2 + (count - 2) * math.exp(-1 / tau)))


@given(batch=st.integers(2, 8), shift=st.integers(1, 7), chunk=st.integers(1, 10), seed=st.integers(0, 1000))
def test_chunks_and_the_order_of_clips_change_nothing(batch, shift, chunk, seed) -> None:
    audio, places = _pair(batch, 3, 4, seed)
    partner = torch.arange(batch).roll(shift % batch or 1)
    whole = mixed_alignment(audio, places, partner, torch.arange(batch), 0.2)
    parts = mixed_alignment(audio, places, partner, torch.arange(batch), 0.2, chunk=chunk)
    torch.testing.assert_close(parts, whole, rtol=1e-10, atol=1e-10)
    order = torch.randperm(batch, generator=torch.Generator().manual_seed(seed))
    moved = mixed_alignment(audio[order], places[order], order.argsort()[partner[order]], order, 0.2)
    torch.testing.assert_close(moved, whole, rtol=1e-10, atol=1e-10)


def test_autocast_does_not_round_the_similarities() -> None:
    audio, places = (z.detach().float() for z in _pair())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = mixed_alignment(audio, places, PARTNER, IDS)
    torch.testing.assert_close(rounded, mixed_alignment(audio, places, PARTNER, IDS), rtol=0, atol=0)


def test_shapes_and_chunks_that_do_not_fit_are_refused() -> None:
    audio, places = _pair()
    with pytest.raises(UsageError, match="and partners"):
        mixed_alignment(audio, places, PARTNER[:5], IDS)
    with pytest.raises(UsageError, match="a chunk of 0 pictures"):
        mixed_alignment(audio, places, PARTNER, IDS, chunk=0)


def _rank(rank, world_size, folder):
    torch.distributed.init_process_group("gloo")
    own = slice(rank * 3, rank * 3 + 3)
    audio, places = (z.detach()[own].clone().requires_grad_() for z in _pair())
    loss = mixed_alignment(audio, places, PARTNER[own] - rank * 3, IDS[own], 0.1, chunk=2)
    loss.backward()
    torch.save((loss.detach(), audio.grad / 2, places.grad / 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one_in_value_and_gradient(tmp_path) -> None:
    """The mean over ranks of the loss, and of what flows back to each rank's own clips (DDP divides by the ranks)."""
    assert exit_codes(start_ranks(2, _rank, tmp_path)) == [0, 0]
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    audio, places = _pair()
    loss = mixed_alignment(audio, places, PARTNER, IDS, 0.1)
    loss.backward()
    torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, loss.detach(), rtol=1e-12, atol=0)
    for number, leaf in ((1, audio), (2, places)):
        torch.testing.assert_close(torch.cat([p[number] for p in parts]), leaf.grad, rtol=1e-11, atol=1e-14)
