"""ResNet-18 against its equations written out, its published names and number of parameters; the small trunk."""

import pytest
import torch
from torch.nn import functional as F

from seehear.backbones.convnet import ConvNet
from seehear.backbones.resnet import ResNet18, pooled
from seehear.errors import UsageError


def _model(channels: int) -> ResNet18:
    """With norms that have seen something, in float64."""
    torch.manual_seed(0)
    model = ResNet18(channels).double()
    for name, value in model.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
    return model.eval()


def _norm(x, state, name):
    """Batch norm with running statistics, channel by channel."""
    rows = []
    for c in range(x.shape[1]):
        scale = state[f"{name}.weight"][c] / torch.sqrt(state[f"{name}.running_var"][c] + 1e-5)
        rows.append((x[:, c] - state[f"{name}.running_mean"][c]) * scale + state[f"{name}.bias"][c])
    return torch.stack(rows, dim=1)


def _convolve(x, kernel, stride):
    """As a matrix product over all windows."""
    side, padding = kernel.shape[-1], kernel.shape[-1] // 2
    height, width = ((n + 2 * padding - side) // stride + 1 for n in x.shape[2:])
    windows = F.unfold(x, side, padding=padding, stride=stride)
    return torch.einsum("ok,bkp->bop", kernel.flatten(1), windows).unflatten(2, (height, width))


def _by_hand(x, state):
    x = _norm(_convolve(x, state["conv1.weight"], 2), state, "bn1").clamp(min=0)
    x = F.pad(x, (1, 1, 1, 1), value=float("-inf")).unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(4, 5))
    maps = []
    for stage in range(1, 5):
        for block in range(2):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = _norm(_convolve(x, state[f"{name}.conv1.weight"], stride), state, f"{name}.bn1").clamp(min=0)
            y = _norm(_convolve(y, state[f"{name}.conv2.weight"], 1), state, f"{name}.bn2")
            if stride == 2:
                x = _norm(_convolve(x, state[f"{name}.downsample.0.weight"], 2), state, f"{name}.downsample.1")
            x = (x + y).clamp(min=0)
        maps.append(x)
    return maps


@pytest.mark.parametrize(("channels", "size"), [(3, (64, 96)), (1, (65, 50))])
def test_it_is_what_its_equations_say(channels: int, size: tuple[int, int]) -> None:
    model = _model(channels)
    x = torch.randn(2, channels, *size, dtype=torch.float64)
    found, expected = model(x), _by_hand(x, model.state_dict())
    assert [m.shape[1] for m in found] == [64, 128, 256, 512]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_a_picture_of_224_gives_the_published_maps() -> None:
    with torch.device("meta"):
        shapes = [tuple(m.shape) for m in ResNet18()(torch.empty(2, 3, 224, 224))]
    assert shapes == [(2, 64, 56, 56), (2, 128, 28, 28), (2, 256, 14, 14), (2, 512, 7, 7)]


def test_two_towers_with_projections_have_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        parts = [ResNet18(3), ResNet18(1), torch.nn.Conv2d(512, 512, 1), torch.nn.Linear(512, 512)]
    assert sum(p.numel() for part in parts for p in part.parameters()) == 22_872_064


def test_the_names_are_the_published_ones() -> None:
    with torch.device("meta"):
        names = set(ResNet18().state_dict())
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {"conv1.weight", *(f"bn1.{part}" for part in norm)}
    for stage in range(1, 5):
        for block in range(2):
            for number in (1, 2):
                expected |= {f"layer{stage}.{block}.conv{number}.weight"}
                expected |= {f"layer{stage}.{block}.bn{number}.{part}" for part in norm}
        if stage > 1:
            expected |= {f"layer{stage}.0.downsample.0.weight"}
            expected |= {f"layer{stage}.0.downsample.1.{part}" for part in norm}
    assert names == expected


def test_it_starts_as_the_paper_says() -> None:
    torch.manual_seed(0)
    state = ResNet18().state_dict()
    kernel = state["layer4.1.conv2.weight"]
    assert kernel.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)
    assert state["layer4.1.bn2.weight"].std().item() == pytest.approx(0.02, rel=0.1)
    assert not state["layer4.1.bn2.bias"].any()


def test_global_pooling() -> None:
    maps = torch.arange(12.0).view(1, 2, 2, 3)
    assert pooled(maps, "max").tolist() == [[5.0, 11.0]]
    assert pooled(maps, "mean").tolist() == [[2.5, 8.5]]


def test_the_small_trunk_halves_as_told() -> None:
    maps = ConvNet(1, (4, 8, 8), (4, 2, 1))(torch.randn(2, 1, 65, 50))
    assert [tuple(m.shape) for m in maps] == [(2, 4, 17, 13), (2, 8, 9, 7), (2, 8, 9, 7)]
    assert all((m >= 0).all() for m in maps)
    with pytest.raises(UsageError, match="2 widths and 1 strides"):
        ConvNet(1, (4, 8), (4,))
