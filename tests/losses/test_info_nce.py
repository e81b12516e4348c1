"""InfoNCE: closed forms, a slow loop, equal ids, and two processes against one."""

import math

import pytest
import torch
from torch.nn import functional as F

from seehear.losses.info_nce import info_nce
from tests.training.processes import exit_codes, start_ranks


def _pair(batch: int = 6, width: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return tuple(F.normalize(torch.randn(batch, width, dtype=torch.float64), dim=1) for _ in range(2))  # type: ignore


def test_equal_embeddings_give_log_of_the_batch():
    z = F.normalize(torch.ones(7, 3, dtype=torch.float64), dim=1)
    assert info_nce(z, z, torch.arange(7)).item() == pytest.approx(math.log(7))


def test_orthogonal_pairs_have_a_closed_form():
    z, tau = torch.eye(5, dtype=torch.float64), 0.3
    expected = -math.log(math.exp(1 / tau) / (math.exp(1 / tau) + 4))
    assert info_nce(z, z, torch.arange(5), tau).item() == pytest.approx(expected)


@pytest.mark.parametrize("directions", ["both", "audio-to-image", "image-to-audio"])
def test_the_slow_loop_agrees_in_value_and_gradient(directions):
    audio, image = (z.requires_grad_() for z in _pair())
    ids = torch.tensor([3, 1, 4, 1, 5, 9])
    tau, terms = 0.1, []
    for i in range(6):
        for name, query, candidates in (("audio-to-image", audio, image), ("image-to-audio", image, audio)):
            if directions in ("both", name):
                others = [j for j in range(6) if j == i or ids[j] != ids[i]]
                scores = torch.stack([torch.dot(query[i], candidates[j]) / tau for j in others])
                terms.append(torch.logsumexp(scores, 0) - torch.dot(query[i], candidates[i]) / tau)
    slow = torch.stack(terms).mean()
    fast = info_nce(audio, image, ids, tau, directions)
    torch.testing.assert_close(fast, slow)
    for a, b in zip(torch.autograd.grad(fast, (audio, image)), torch.autograd.grad(slow, (audio, image)), strict=True):
        torch.testing.assert_close(a, b)


def test_one_repeated_clip_has_no_negatives():
    audio, image = _pair()
    assert info_nce(audio, image, torch.full((6,), 8)).item() == pytest.approx(0.0)


def test_autocast_does_not_round_the_cosines():
    audio, image = (z.float() for z in _pair(16, 8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = info_nce(audio, image, torch.arange(16))
    torch.testing.assert_close(rounded, info_nce(audio, image, torch.arange(16)), rtol=0, atol=0)


def _rank(rank, world_size, folder):
    torch.distributed.init_process_group("gloo")
    audio, image = (z[rank * 3 : rank * 3 + 3].clone().requires_grad_() for z in _pair())
    ids = torch.tensor([3, 1, 4, 1, 5, 9])[rank * 3 : rank * 3 + 3]
    loss = info_nce(audio, image, ids, 0.1)
    loss.backward()
    torch.save((loss.detach(), audio.grad / 2, image.grad / 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one_in_value_and_gradient(tmp_path):
    """The mean over ranks of the loss, and of what flows back to each rank's own clips (DDP divides by the ranks)."""
    assert exit_codes(start_ranks(2, _rank, tmp_path)) == [0, 0]
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    audio, image = (z.requires_grad_() for z in _pair())
    loss = info_nce(audio, image, torch.tensor([3, 1, 4, 1, 5, 9]), 0.1)
    loss.backward()
    torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, loss.detach(), rtol=1e-12, atol=0)
    torch.testing.assert_close(torch.cat([p[1] for p in parts]), audio.grad, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(torch.cat([p[2] for p in parts]), image.grad, rtol=1e-12, atol=1e-15)
