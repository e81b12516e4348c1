"""Chunked InfoNCE: closed forms, a slow loop, the loss in full, memory, and two processes against one."""

import math
import resource

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, distributed
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from seehear.errors import UsageError
from seehear.losses.info_nce import info_nce
from tests.training.processes import exit_codes, start, start_ranks

DIRECTIONS = ["both", "audio-to-image", "image-to-audio"]
IDS = torch.tensor([3, 1, 4, 1, 5, 9])


def _pair(batch: int = 6, width: int = 4, seed: int = 1, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    draws = (torch.randn(batch, width, generator=generator, dtype=torch.float64) for _ in range(2))
    audio, image = (F.normalize(draw, dim=1).to(dtype).requires_grad_() for draw in draws)
    return audio, image


def _tau(value: float = 0.1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.tensor(value, dtype=dtype, requires_grad=True)


def _slow(audio: Tensor, image: Tensor, ids: Tensor, tau: Tensor, directions: str) -> Tensor:
    terms = []
    for i in range(len(ids)):
        for name, query, candidates in (("audio-to-image", audio, image), ("image-to-audio", image, audio)):
            if directions in ("both", name):
                others = [j for j in range(len(ids)) if j == i or ids[j] != ids[i]]
                scores = torch.stack([torch.dot(query[i], candidates[j]) / tau for j in others])
                terms.append(torch.logsumexp(scores, 0) - torch.dot(query[i], candidates[i]) / tau)
    return torch.stack(terms).mean()


def _same(one: Tensor, other: Tensor, leaves: tuple[Tensor, ...], **tolerance: float) -> None:
    """Equal in value and in the gradient of every leaf."""
    torch.testing.assert_close(one, other, **tolerance)
    gradients = [torch.autograd.grad(3 * loss, leaves) for loss in (one, other)]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_equal_embeddings_give_log_of_the_batch(chunk):
    z = F.normalize(torch.ones(7, 3, dtype=torch.float64), dim=1)
    assert info_nce(z, z, torch.arange(7), chunk=chunk).item() == pytest.approx(math.log(7))


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_orthogonal_pairs_have_a_closed_form_in_value_and_temperature(chunk):
    """L = log(1 + 4 exp(-1 / tau)), whose derivative is 4 / (exp(1 / tau) + 4) / tau^2."""
    z, tau = torch.eye(5, dtype=torch.float64), _tau(0.3)
    loss = info_nce(z, z, torch.arange(5), tau, chunk=chunk)
    assert loss.item() == pytest.approx(math.log(1 + 4 * math.exp(-1 / 0.3)), rel=1e-12)
    (slope,) = torch.autograd.grad(loss, tau)
    assert slope.item() == pytest.approx(4 / (math.exp(1 / 0.3) + 4) / 0.3**2, rel=1e-12)


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("chunk", [1, 4, 6, 9])
def test_the_slow_loop_agrees_in_value_and_gradient(directions, chunk):
    leaves = (*_pair(), _tau())
    fast = info_nce(leaves[0], leaves[1], IDS, leaves[2], directions, chunk)
    _same(fast, _slow(leaves[0], leaves[1], IDS, leaves[2], directions), leaves, rtol=1e-10, atol=1e-12)


@given(
    batch=st.integers(1, 12),
    width=st.integers(1, 6),
    chunk=st.integers(1, 15),
    clips=st.integers(1, 12),
    directions=st.sampled_from(DIRECTIONS),
    seed=st.integers(0, 1000),
    tau=st.floats(0.02, 2.0),
)
def test_it_is_the_loss_in_full_for_any_shape_and_chunk(batch, width, chunk, clips, directions, seed, tau):
    leaves = (*_pair(batch, width, seed), _tau(tau))
    ids = torch.randint(0, clips, (batch,), generator=torch.Generator().manual_seed(seed))
    full, chunked = (info_nce(*leaves[:2], ids, leaves[2], directions, c) for c in (None, chunk))
    _same(chunked, full, leaves, rtol=1e-10, atol=1e-10)


def test_float32_keeps_to_a_hundred_thousandth_at_a_cold_temperature():
    exact, rounded = ((*_pair(512, 32, dtype=dtype), _tau(0.01, dtype)) for dtype in (torch.float64, torch.float32))
    losses = [info_nce(*leaves[:2], torch.arange(512), leaves[2], chunk=100) for leaves in (exact, rounded)]
    torch.testing.assert_close(losses[1].double(), losses[0], rtol=1e-5, atol=0)
    both = zip(torch.autograd.grad(losses[0], exact), torch.autograd.grad(losses[1], rounded), strict=True)
    for right, found in both:
        assert (found.double() - right).norm() < 1e-5 * right.norm()


def test_a_plain_number_as_temperature_and_rows_without_gradient_are_fine():
    audio, image = _pair()
    loss = info_nce(audio, image.detach(), IDS, 0.1, chunk=4)
    (gradient,) = torch.autograd.grad(loss, audio)
    (expected,) = torch.autograd.grad(info_nce(audio, image.detach(), IDS, 0.1), audio)
    torch.testing.assert_close(gradient, expected, rtol=1e-10, atol=1e-12)


def test_autocast_does_not_round_the_cosines():
    audio, image = _pair(16, 8, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = info_nce(audio, image, torch.arange(16), chunk=5)
        rounded = torch.autograd.grad(loss, audio)[0]
    exact = info_nce(audio, image, torch.arange(16), chunk=5)
    torch.testing.assert_close(loss, exact, rtol=0, atol=0)
    torch.testing.assert_close(rounded, torch.autograd.grad(exact, audio)[0], rtol=0, atol=0)


def test_a_chunk_of_nothing_is_refused():
    with pytest.raises(UsageError, match="a chunk of 0 rows; expected at least 1"):
        info_nce(*_pair(), IDS, chunk=0)


class _Largest(TorchDispatchMode):
    """The most elements that any operation gave back."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for value in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(value, Tensor):
                self.elements = max(self.elements, value.numel())
        return out


def test_no_operation_gives_more_than_a_chunk_of_rows():
    for chunk, largest in ((16, 16 * 200), (None, 200 * 200)):
        audio, image = _pair(200, 8)
        with _Largest() as seen:
            info_nce(audio, image, torch.arange(200), 0.05, chunk=chunk).backward()
        assert seen.elements == largest


def _peaks(file):
    """Write by how many bytes a loss and its gradient raise the peak of this process: a small one, chunked, in full."""
    raised = []
    for clips, chunk in ((256, None), (4096, 128), (4096, None)):  # the first loads what torch loads on first use
        audio, image = _pair(clips, 64, dtype=torch.float32)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        info_nce(audio, image, torch.arange(clips), 0.05, chunk=chunk).backward()
        raised.append(str(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)))
    file.write_text(" ".join(raised))


def test_peak_memory_stays_below_one_matrix_of_all_pairs(tmp_path):
    assert exit_codes([start(_peaks, tmp_path / "peaks")], seconds=110) == [0]
    _, chunked, full = (int(number) for number in (tmp_path / "peaks").read_text().split())
    matrix = 4 * 4096**2
    assert chunked < matrix < full


def _rank(rank, world_size, folder):
    distributed.init_process_group("gloo")
    rows, tau = slice(rank * 3, rank * 3 + 3), _tau()
    audio, image = (z.detach()[rows].clone().requires_grad_() for z in _pair())
    for name, directions in enumerate(DIRECTIONS):
        loss = info_nce(audio, image, IDS[rows], tau, directions, chunk=2)
        gradients = torch.autograd.grad((rank + 1) * loss, (audio, image, tau))
        torch.save((loss.detach(), *gradients), f"{folder}/{name}-{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_equal_one_in_value_and_gradient(tmp_path):
    """Each rank weighs its share of the loss otherwise: gradients are those of the weighted sum of the shares."""
    assert exit_codes(start_ranks(2, _rank, tmp_path)) == [0, 0]
    audio, image = _pair()
    tau = _tau()
    for name, directions in enumerate(DIRECTIONS):
        parts = [torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True) for rank in range(2)]
        whole = info_nce(audio, image, IDS, tau, directions)
        torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, whole.detach(), rtol=1e-12, atol=0)
        shares = [_share(audio, image, tau, directions, slice(3 * rank, 3 * rank + 3)) for rank in range(2)]
        torch.testing.assert_close((shares[0] + shares[1]) / 2, whole, rtol=1e-12, atol=0)
        expected = torch.autograd.grad(shares[0] + 2 * shares[1], (audio, image, tau))
        found = [torch.cat([p[1] for p in parts]), torch.cat([p[2] for p in parts]), parts[0][3] + parts[1][3]]
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def _share(audio: Tensor, image: Tensor, tau: Tensor, directions: str, rows: slice) -> Tensor:
    """One rank's share of the loss: its own rows against all columns."""
    terms = []
    for name, query, candidates in (("audio-to-image", audio, image), ("image-to-audio", image, audio)):
        if directions in ("both", name):
            twins = (IDS[:, None] == IDS[None, :]) & ~torch.eye(len(IDS), dtype=torch.bool)
            logits = (query @ candidates.T / tau).masked_fill(twins, float("-inf"))
            terms.append(F.cross_entropy(logits[rows], torch.arange(len(IDS))[rows]))
    return torch.stack(terms).mean()
