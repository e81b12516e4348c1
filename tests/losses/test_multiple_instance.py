"""Multiple-instance InfoNCE: closed forms, a slow loop, chunks, equal ids, and two processes against one."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from seehear.errors import UsageError
from seehear.losses.multiple_instance import multiple_instance_info_nce, pooled_places
from tests.training.processes import exit_codes, start_ranks

SCORES = ["max", "pool", "mean"]
IDS = torch.tensor([3, 1, 4, 1, 5, 9])


def _pair(batch: int = 6, count: int = 4, width: int = 5, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    audio = torch.randn(batch, width, generator=generator, dtype=torch.float64)
    places = torch.randn(batch, count, width, generator=generator, dtype=torch.float64)
    return F.normalize(audio, dim=1).requires_grad_(), F.normalize(places, dim=2).requires_grad_()


def _score(places: Tensor, sound: Tensor, kind: str) -> Tensor:
    if kind == "pool":
        best = torch.stack([places[:, d].max() for d in range(places.shape[1])])
        return torch.dot(best / best.square().sum().sqrt(), sound)
    each = [torch.dot(place, sound) for place in places]
    return torch.stack(each).max() if kind == "max" else sum(each) / len(each)  # type: ignore[return-value]


def _slow(audio: Tensor, places: Tensor, ids: Tensor, tau: float, kind: str) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for i in range(len(ids)):
        others = [j for j in range(len(ids)) if j == i or ids[j] != ids[i]]
        own = _score(places[i], audio[i], kind) / tau
        sounds = torch.stack([_score(places[i], audio[j], kind) / tau for j in others])
        pictures = torch.stack([_score(places[j], audio[i], kind) / tau for j in others])
        total = total + torch.logsumexp(sounds, 0) + torch.logsumexp(pictures, 0) - 2 * own
    return total / len(ids)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("chunk", [None, 1, 4, 9])
def test_the_slow_loop_agrees_in_value_and_gradient(score, chunk) -> None:
    leaves = _pair()
    fast = multiple_instance_info_nce(*leaves, IDS, 0.1, score, chunk=chunk)
    slow = _slow(*leaves, IDS, 0.1, score)
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-12)
    for a, b in zip(torch.autograd.grad(fast, leaves), torch.autograd.grad(slow, leaves), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_equal_vectors_give_twice_the_log_of_the_batch(score) -> None:
    z = F.normalize(torch.ones(7, 3, dtype=torch.float64), dim=1)
    loss = multiple_instance_info_nce(z, z[:, None].expand(7, 4, 3), torch.arange(7), score=score)
    assert loss.item() == pytest.approx(2 * math.log(7))
    half = multiple_instance_info_nce(z, z[:, None], torch.arange(7), score=score, reduction="mean")
    assert half.item() == pytest.approx(math.log(7))


def test_one_matching_place_among_strangers_has_a_closed_form() -> None:
    """Sound k is e_k; picture k has one place e_k, two at right angles to every sound: P = 1 / tau on the diagonal,
    else 0. The mean of the three is 1 / 3 there.
    """
    eye, tau = torch.eye(6, dtype=torch.float64), 0.2
    audio, nothing = eye[:4], eye[4:].expand(4, 2, 6)
    places = torch.cat([nothing, audio[:, None]], dim=1)
    for score, best in (("max", 1.0), ("mean", 1 / 3), ("pool", 1 / math.sqrt(3))):
        expected = 2 * math.log(1 + 3 * math.exp(-best / tau))
        loss = multiple_instance_info_nce(audio, places, torch.arange(4), tau, score)  # type: ignore[arg-type]
        assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_only_the_best_place_of_each_pair_gets_a_gradient() -> None:
    audio, places = _pair(3, 50, 4)
    (gradient,) = torch.autograd.grad(multiple_instance_info_nce(audio, places, torch.arange(3)), places)
    best = torch.einsum("nxd,md->nmx", places, audio).argmax(dim=2)
    touched = [set(row.nonzero()[:, 0].tolist()) for row in gradient.abs().sum(dim=2)]
    assert touched == [set(row.tolist()) for row in best]


@given(
    batch=st.integers(1, 8),
    count=st.integers(1, 6),
    width=st.integers(1, 5),
    chunk=st.integers(1, 10),
    score=st.sampled_from(SCORES),
    seed=st.integers(0, 1000),
)
def test_chunks_change_nothing(batch, count, width, chunk, score, seed) -> None:
    leaves = _pair(batch, count, width, seed)
    ids = torch.randint(0, batch, (batch,), generator=torch.Generator().manual_seed(seed))
    whole, parts = (multiple_instance_info_nce(*leaves, ids, 0.2, score, chunk=c) for c in (None, chunk))
    torch.testing.assert_close(parts, whole, rtol=1e-10, atol=1e-10)
    gradients = (torch.autograd.grad(loss, leaves, allow_unused=True) for loss in (parts, whole))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


class _Largest(TorchDispatchMode):
    """The most elements that any operation gave back."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for value in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(value, Tensor):
                self.elements = max(self.elements, value.numel())
        return out


def test_no_operation_holds_the_similarities_of_all_pairs_at_all_places() -> None:
    for chunk, largest in ((8, 8 * 64 * 30), (None, 64 * 64 * 30)):
        audio, places = _pair(64, 30, 2)
        with _Largest() as seen:
            multiple_instance_info_nce(audio, places, torch.arange(64), chunk=chunk).backward()
        assert seen.elements == largest


def test_one_repeated_clip_has_no_negatives() -> None:
    assert multiple_instance_info_nce(*_pair(), torch.full((6,), 8)).item() == pytest.approx(0.0)


def test_autocast_does_not_round_the_similarities() -> None:
    audio, places = (z.detach().float() for z in _pair(16))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = multiple_instance_info_nce(audio, places, torch.arange(16))
    torch.testing.assert_close(rounded, multiple_instance_info_nce(audio, places, torch.arange(16)), rtol=0, atol=0)


def test_pooled_places_are_what_the_scores_compare() -> None:
    audio, places = _pair()
    for kind in ("pool", "mean"):
        expected = torch.stack([_score(p, a, kind) for p, a in zip(places, audio, strict=True)])
        torch.testing.assert_close((pooled_places(places, kind) * audio).sum(dim=1), expected)


def test_shapes_and_chunks_that_do_not_fit_are_refused() -> None:
    audio, places = _pair()
    with pytest.raises(UsageError, match="expected \\[b, D\\] and \\[b, N, D\\]"):
        multiple_instance_info_nce(audio[:, :4], places, IDS)
    with pytest.raises(UsageError, match="a chunk of 0 pictures"):
        multiple_instance_info_nce(audio, places, IDS, chunk=0)


def _rank(rank, world_size, folder):
    torch.distributed.init_process_group("gloo")
    for score in SCORES:
        audio, places = (z.detach()[rank * 3 : rank * 3 + 3].clone().requires_grad_() for z in _pair())
        loss = multiple_instance_info_nce(audio, places, IDS[rank * 3 : rank * 3 + 3], 0.1, score, chunk=2)
        loss.backward()
        torch.save((loss.detach(), audio.grad / 2, places.grad / 2), f"{folder}/{score}{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_equal_one_in_value_and_gradient(tmp_path) -> None:
    """The mean over ranks of the loss, and of what flows back to each rank's own clips (DDP divides by the ranks)."""
    assert exit_codes(start_ranks(2, _rank, tmp_path)) == [0, 0]
    for score in SCORES:
        parts = [torch.load(tmp_path / f"{score}{rank}.pt", weights_only=True) for rank in range(2)]
        audio, places = _pair()
        loss = multiple_instance_info_nce(audio, places, IDS, 0.1, score)
        loss.backward()
        torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, loss.detach(), rtol=1e-12, atol=0)
        for number, leaf in ((1, audio), (2, places)):
            torch.testing.assert_close(torch.cat([p[number] for p in parts]), leaf.grad, rtol=1e-11, atol=1e-14)
