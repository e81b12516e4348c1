"""Towers of maps and the U-Net on them: shapes, skips, conditions, and what is refused."""

import pytest
import torch

from seehear.backbones.map_towers import ConvNetConfig, MapTowers, SiameseConfig
from seehear.backbones.mask_unet import MaskUNet
from seehear.errors import UsageError

SIZES, CHANNELS = {"audio": (32, 48), "image": (32, 32)}, {"audio": 1, "image": 3}
SMALL = ConvNetConfig(widths=(4, 6), image_strides=(4, 2), audio_strides=(2, 2))
VIT = SiameseConfig(patch=8, width=16, depth=4, heads=2)


def _towers(kind) -> MapTowers:
    torch.manual_seed(0)
    return MapTowers(kind, SIZES, CHANNELS, SMALL, VIT).eval()


def _values(count: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {m: torch.randn(count, CHANNELS[m], *SIZES[m], generator=generator) for m in CHANNELS}


@pytest.mark.parametrize(
    ("kind", "audio", "grid"),
    [
        ("convnet", [(4, (16, 24)), (6, (8, 12))], (4, 4)),
        ("resnet18", [(64, (8, 12)), (128, (4, 6)), (256, (2, 3)), (512, (1, 2))], (1, 1)),
        ("siamese_vit", [(16, (16, 24)), (16, (8, 12)), (16, (4, 6))], (4, 4)),
    ],
)
def test_the_pyramid_says_what_the_maps_are(kind, audio, grid) -> None:
    towers = _towers(kind)
    assert towers.pyramid["audio"] == audio
    assert towers.grid("image") == grid
    assert towers.width == audio[-1][0]
    for modality, maps in towers(_values()).items():
        assert [x.shape[:2] for x in maps] == [(2, c) for c, _ in towers.pyramid[modality]]
        if kind != "siamese_vit":
            assert [tuple(x.shape[2:]) for x in maps] == [size for _, size in towers.pyramid[modality]]
        assert tuple(maps[-1].shape[2:]) == towers.grid(modality)


@pytest.mark.parametrize("kind", ["convnet", "siamese_vit"])
def test_a_modality_is_read_alone_as_beside_the_other(kind) -> None:
    towers, values = _towers(kind), _values()
    both = towers(values)
    for modality, x in values.items():
        for alone, beside in zip(towers({modality: x})[modality], both[modality], strict=True):
            torch.testing.assert_close(alone, beside)


def test_a_patch_shows_up_at_its_own_place_of_the_grid() -> None:
    """Without attention the token of a place knows its own patch alone."""
    towers = _towers("siamese_vit").requires_grad_(False)
    for block in towers.shared.blocks:
        block.attn.proj.weight.data.zero_()
    values = _values(1)["audio"]
    changed = values.clone()
    changed[:, :, 8:16, 32:40] += 5  # patch row 1, column 4
    moved = (towers({"audio": changed})["audio"][-1] - towers({"audio": values})["audio"][-1]).abs().sum(dim=1)[0]
    assert moved[1, 4] > 0
    torch.testing.assert_close(moved.sum(), moved[1, 4])


def test_a_vit_refuses_what_its_patch_does_not_divide() -> None:
    with pytest.raises(UsageError, match="multiples of the patch, 8"):
        MapTowers("siamese_vit", {"audio": (30, 48)}, {"audio": 1}, SMALL, VIT)


def _unet() -> MaskUNet:
    torch.manual_seed(0)
    return MaskUNet([1, 4, 6], [(32, 48), (16, 24), (8, 12)], condition=5, width=3)


def test_the_mask_has_the_finest_size_and_hears_every_map_and_the_condition() -> None:
    unet = _unet()
    sizes = [(32, 48), (16, 24), (4, 6)]  # the last one is enlarged first
    maps = [torch.randn(2, c, *size).requires_grad_() for c, size in zip((1, 4, 6), sizes, strict=True)]
    condition = torch.randn(2, 5).requires_grad_()
    logits = unet(maps, condition)
    assert logits.shape == (2, 32, 48)
    logits.square().sum().backward()
    for leaf in (*maps, condition, *unet.parameters()):
        assert leaf.grad.abs().sum() > 0


def test_the_condition_acts_on_its_own_clip() -> None:
    unet = _unet().eval()
    maps = [torch.randn(1, c, *size).expand(2, -1, -1, -1) for c, size in zip((1, 4, 6), unet.sizes, strict=True)]
    same = unet(maps, torch.ones(2, 5))
    torch.testing.assert_close(same[0], same[1])
    other = unet(maps, torch.stack([torch.ones(5), -torch.ones(5)]))
    torch.testing.assert_close(other[0], same[0])
    assert (other[1] - same[1]).abs().max() > 1e-3


def test_maps_without_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="one size each"):
        MaskUNet([1, 4], [(8, 8)], condition=2)
