"""Mirroring and ImageNet scaling of pictures: closed forms."""

import pytest
import torch

from seehear.errors import UsageError
from seehear.signals import IMAGE_MEAN, IMAGE_STD, denormalize_image, flip, normalize_image


def pictures():
    return torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bool])
def test_only_the_chosen_pictures_are_mirrored(dtype):
    images = pictures().to(dtype)
    flipped = flip(images, torch.tensor([False, True]))
    assert flipped.dtype == dtype
    assert torch.equal(flipped[0], images[0])
    for column in range(5):
        assert torch.equal(flipped[1, ..., column], images[1, ..., 4 - column])
    assert torch.equal(flip(flipped, torch.tensor([False, True])), images)


def test_normalising_by_the_formula():
    images = pictures()
    mean, std = torch.tensor(IMAGE_MEAN).view(3, 1, 1), torch.tensor(IMAGE_STD).view(3, 1, 1)
    expected = (images.float() / 255 - mean) / std
    torch.testing.assert_close(normalize_image(images), expected)
    torch.testing.assert_close(normalize_image(images.float() / 255), expected)
    assert normalize_image(images, dtype=torch.float64).dtype == torch.float64
    assert normalize_image(images.double() / 255).dtype == torch.float64


def test_the_inverse_gives_the_levels_back():
    every = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).repeat(3, 1, 1)
    back = denormalize_image(normalize_image(every))
    assert torch.equal((back * 255).round().to(torch.uint8), every)


def test_leading_axes_and_own_constants():
    frames = torch.randint(0, 256, (2, 4, 3, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    half = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    torch.testing.assert_close(normalize_image(frames, *half), frames.float() / 127.5 - 1)
    torch.testing.assert_close(denormalize_image(normalize_image(frames, *half), *half), frames.float() / 255)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: flip(pictures(), torch.tensor([1, 0])), "one bool for each"),
        (lambda: flip(pictures(), torch.tensor([True])), "one bool for each"),
        (lambda: normalize_image(torch.zeros(2, 4, 4, 4)), "3, H, W"),
        (lambda: denormalize_image(torch.zeros(4, 4)), "3, H, W"),
        (lambda: normalize_image(torch.zeros(1, 3, 2, 2, dtype=torch.int32)), "uint8"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
