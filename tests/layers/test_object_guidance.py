"""Object-guided localisation: enlarging by hand, stretching, blending, and a frozen judge."""

import pytest
import torch
from torch import nn

from seehear.backbones.resnet import ResNet18
from seehear.errors import UsageError
from seehear.layers.object_guidance import Objectness, class_confidence, enlarged, feature_size, guided, stretched


def test_corners_lie_on_corners() -> None:
    """Between corners a fraction t of the way, the value is linear in t along both axes."""
    found = enlarged(torch.tensor([[[0.0, 4.0], [8.0, 12.0]]]), (5, 3))
    expected = torch.tensor([[8 * r / 4 + 4 * c / 2 for c in range(3)] for r in range(5)])
    torch.testing.assert_close(found[0], expected)


def test_maps_go_from_0_to_1_each_and_one_without_difference_is_0() -> None:
    maps = torch.stack([torch.tensor([[1.0, 3.0], [2.0, 5.0]]), torch.full((2, 2), 7.0)])
    assert stretched(maps).tolist() == [[[0.0, 0.5], [0.25, 1.0]], [[0.0, 0.0], [0.0, 0.0]]]


def test_the_blend_is_what_its_equation_says() -> None:
    torch.manual_seed(0)
    heard, seen = 33 * torch.randn(3, 7, 7).double(), torch.rand(3, 4, 4).double()
    found = guided(heard, seen, (28, 20), alpha=0.3)
    for row in range(3):
        a, o = (enlarged(maps[row : row + 1], (28, 20))[0] for maps in (heard, seen))
        mixed = 0.3 * (a - a.min()) / (a.max() - a.min()) + 0.7 * (o - o.min()) / (o.max() - o.min())
        torch.testing.assert_close(found[row], (mixed - mixed.min()) / (mixed.max() - mixed.min()))
    torch.testing.assert_close(guided(heard, seen, (28, 20), 1.0), stretched(enlarged(heard, (28, 20))))
    torch.testing.assert_close(guided(2 * heard + 1, seen, (28, 20)), guided(heard, seen, (28, 20)))


def test_objectness_by_size_and_by_class() -> None:
    features = torch.tensor([1.0, -3.0]).view(1, 2, 1, 1)
    assert feature_size(features).item() == 2.0
    assert class_confidence(features).item() == pytest.approx(1 / (1 + torch.tensor(-4.0).exp().item()))


def test_the_judge_never_learns() -> None:
    torch.manual_seed(0)
    trunk, head = ResNet18(3), nn.Linear(512, 5)
    judge = Objectness(trunk).train()
    assert not judge.training
    assert not trunk.training
    assert not any(p.requires_grad for p in judge.parameters())
    picture = torch.randn(2, 3, 64, 96)
    torch.testing.assert_close(judge(picture), trunk(picture)[-1].abs().mean(1))
    by_class = Objectness(trunk, head)(picture)
    one = torch.softmax(head(trunk(picture)[-1][1, :, 0, 2]), 0).max()
    torch.testing.assert_close(by_class[1, 0, 2], one)
    assert by_class.shape == (2, 2, 3)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="alpha is 1"):
        guided(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2), (4, 4), 1.5)
    with pytest.raises(UsageError, match="of both"):
        guided(torch.zeros(2, 2, 2), torch.zeros(1, 2, 2), (4, 4))
