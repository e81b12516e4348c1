"""Picture resizing against Pillow's BICUBIC."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seehear.errors import UsageError
from seehear.signals import fit_pictures, resize
from seehear.signals.bicubic import interpolate_separably
from seehear.signals.resize import _weights

SIZES = [(96, 96), (50, 171), (224, 224), (123, 60), (7, 300)]


def picture(height=123, width=171, seed=0):
    """Soft shapes with grain, uint8 `[H, W, 3]`."""
    generator = np.random.default_rng(seed)
    coarse = Image.fromarray(generator.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    soft = np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR)).astype(float)
    return np.clip(soft + generator.normal(size=soft.shape) * 8, 0, 255).astype(np.uint8)


def pillow(pixels, size, box=None):
    """Pillow's uint8 result, `[h, w, 3]`."""
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC, box=box))


def pillow_float(pixels, size, box=None):
    """Pillow's floating-point result, channel by channel, `[3, h, w]`."""
    planes = [Image.fromarray(pixels[..., c].astype(np.float32)) for c in range(3)]
    return np.stack([np.asarray(p.resize(size[::-1], Image.Resampling.BICUBIC, box=box)) for p in planes])


def batch_of(pixels):
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]


def levels_apart(images, pixels):
    return np.abs(images[0].permute(1, 2, 0).numpy().astype(int) - pixels.astype(int))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grain", [False, True], ids=["picture", "white noise"])
def test_uint8_is_within_two_levels_of_pillow(size, grain):
    pixels = np.random.default_rng(1).integers(0, 256, (123, 171, 3), dtype=np.uint8) if grain else picture()
    apart = levels_apart(resize(batch_of(pixels), size), pillow(pixels, size))
    assert apart.max() <= 2
    assert (apart <= 1).mean() > 0.995


@pytest.mark.parametrize("size", SIZES)
def test_the_matrices_of_other_devices_are_within_one_level_of_pillow(size):
    pixels = picture()
    rows, columns = (_weights(torch.device("cpu"), torch.float32, *ends) for ends in zip((123, 171), size, strict=True))
    assert levels_apart(interpolate_separably(batch_of(pixels), rows, columns), pillow(pixels, size)).max() <= 1


@pytest.mark.parametrize("size", SIZES)
def test_floating_point_matches_pillow(size):
    pixels = picture()
    actual = resize(batch_of(pixels).float(), size)[0].numpy()
    np.testing.assert_allclose(actual, pillow_float(pixels, size), atol=5e-3)


def test_on_another_device_the_shape_is_the_same():
    elsewhere = torch.empty(2, 3, 20, 30, dtype=torch.uint8, device="meta")
    for antialias in (True, False):
        resized = resize(elsewhere, (8, 9), antialias=antialias)
        assert (resized.shape, resized.dtype) == ((2, 3, 8, 9), torch.uint8)


def test_an_equal_size_is_the_same_tensor():
    images = batch_of(picture())
    assert resize(images, (123, 171)) is images


def test_without_antialias_shrinking_aliases():
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::2] = 1
    inner = (..., slice(2, -2), slice(2, -2))
    assert resize(stripes, (13, 13))[inner].std() < 0.01
    assert resize(stripes, (13, 13), antialias=False)[inner].std() > 0.1


def test_squash_ignores_and_crop_keeps_the_aspect_ratio():
    pixels = picture(120, 200)
    squashed = fit_pictures(batch_of(pixels), 60, 60)
    assert levels_apart(squashed, pillow(pixels, (60, 60))).max() <= 2
    cropped = fit_pictures(batch_of(pixels), 60, 60, "crop")
    assert levels_apart(cropped, pillow(pixels, (60, 100))[:, 20:80]).max() <= 2
    tall = fit_pictures(batch_of(picture(200, 120)), 60, 60, "crop")
    assert levels_apart(tall, pillow(picture(200, 120), (100, 60))[20:80]).max() <= 2


@settings(max_examples=40, deadline=None)
@given(sides=st.tuples(*[st.integers(1, 40)] * 4), batch=st.integers(0, 3), fit=st.sampled_from(["squash", "crop"]))
def test_any_size_gives_the_asked_one_and_keeps_a_flat_picture(sides, batch, fit):
    H, W, height, width = sides
    images = torch.full((batch, 2, H, W), 200, dtype=torch.uint8)
    fitted = fit_pictures(images, height, width, fit)
    assert fitted.shape == (batch, 2, height, width)
    assert ((fitted.int() - 200).abs() <= 1).all()


def test_batch_equals_each_alone():
    images = torch.cat([batch_of(picture(seed=s)) for s in range(3)])
    assert torch.equal(resize(images, (40, 50)), torch.cat([resize(i[None], (40, 50)) for i in images]))


def test_gradients_are_right_and_dtypes_kept():
    images = torch.rand(1, 2, 7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: resize(x, (4, 9)), (images,))
    for dtype in (torch.bfloat16, torch.float32, torch.float64):
        assert resize(images.to(dtype), (4, 9)).dtype == dtype


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: resize(torch.zeros(3, 8, 8), (4, 4)), r"\[B, C, H, W\]"),
        (lambda: resize(torch.zeros(1, 3, 8, 0), (4, 4)), r"\[B, C, H, W\]"),
        (lambda: resize(torch.zeros(1, 3, 8, 8), (0, 4)), "positive size"),
        (lambda: resize(torch.zeros(1, 3, 8, 8, dtype=torch.int32), (4, 4)), "floating-point"),
        (lambda: fit_pictures(torch.zeros(1, 3, 8, 8), 4, 4, "stretch"), "'squash' or 'crop'"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
