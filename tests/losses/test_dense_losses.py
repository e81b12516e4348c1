"""Losses of masks: by hand, cell by cell; whom the wanted source is compared with; pixels of classes."""

import math

import pytest
import torch

from seehear.errors import UsageError
from seehear.losses.segmentation import segmentation_loss
from seehear.losses.separation import mask_target, separation_loss


def _cells():
    torch.manual_seed(0)
    wanted, other = torch.rand(2, 2, 3, 4, dtype=torch.float64) * 3
    return torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True), wanted, other, wanted + other


def _slow(logits, wanted, other, mixture, kind, target, weighted, against):
    total = 0.0
    for x, w, o, m in zip(logits.flatten(), wanted.flatten(), other.flatten(), mixture.flatten(), strict=True):
        rival, mask = m if against == "mixture" else o, 1 / (1 + torch.exp(-x))
        aim = float(w > rival) if target == "binary" else w / (w + rival)
        if kind == "bce":
            error = -(aim * torch.log(mask) + (1 - aim) * torch.log(1 - mask))
        elif kind == "l1":
            error = abs(mask - aim)
        else:
            error = abs(torch.log(mask * m + 1e-3) - torch.log(w + 1e-3))
        total = total + error * (min(max(math.log(1 + m), 1e-3), 10.0) if weighted else 1.0)
    return total / logits.numel()


@pytest.mark.parametrize("against", ["other", "mixture"])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize(
    ("kind", "target"), [("bce", "binary"), ("bce", "ratio"), ("l1", "ratio"), ("magnitude", "binary")]
)
def test_separation_is_the_slow_loop_in_value_and_gradient(kind, target, weighted, against):
    logits, *magnitudes = _cells()
    options = {"kind": kind, "target": target, "weighted": weighted, "against": against}
    fast, slow = separation_loss(logits, *magnitudes, **options), _slow(logits, *magnitudes, **options)
    torch.testing.assert_close(fast, slow)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (fast, slow)))


def test_a_source_that_sounds_alone_is_to_be_kept_whole_and_not_by_half():
    alone, nothing = torch.tensor([2.0]), torch.tensor([0.0])
    for target in ("binary", "ratio"):
        assert mask_target(alone, nothing, alone, target).item() == 1.0
        assert mask_target(nothing, alone, alone, target).item() == 0.0
    assert mask_target(alone, nothing, alone, "ratio", "mixture").item() == 0.5
    assert mask_target(alone, nothing, alone, "binary", "mixture").item() == 0.0
    assert mask_target(nothing, nothing, nothing, "ratio").item() == 0.5


def test_shapes_that_do_not_fit_are_refused():
    logits, *magnitudes = _cells()
    with pytest.raises(UsageError, match="one shape"):
        separation_loss(logits[:1], *magnitudes)
    with pytest.raises(UsageError, match="masks"):
        segmentation_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))


def test_segmentation_by_hand():
    torch.manual_seed(0)
    logits, masks = torch.randn(2, 1, 3, 3, dtype=torch.float64), torch.randint(0, 2, (2, 3, 3))
    p = logits[:, 0].sigmoid()
    torch.testing.assert_close(segmentation_loss(logits, masks), -torch.where(masks == 1, p, 1 - p).log().mean())
    logits, masks = torch.randn(2, 4, 3, 3, dtype=torch.float64), torch.randint(0, 4, (2, 3, 3))
    chosen = logits.softmax(dim=1).gather(1, masks[:, None])
    torch.testing.assert_close(segmentation_loss(logits, masks), -chosen.log().mean())
    half = segmentation_loss(logits.bfloat16(), masks)
    assert half.dtype == torch.float32
