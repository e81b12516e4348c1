"""Batched crops against Pillow's resize with a box, and the law of the random boxes."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seehear.errors import UsageError
from seehear.signals import crop_resize, random_resized_crop_boxes, resize

SIZE = (48, 40)
BOXES = [(0, 0, 90, 70), (10, 5, 80, 65), (30, 20, 42, 33), (0.25, 3.5, 70.75, 69.9), (60, 50, 90, 70)]


def pictures(count, height=70, width=90):
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (count, 14, 18, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((width, height), Image.Resampling.BILINEAR)) for c in coarse])


def to_batch(pixels):
    return torch.from_numpy(pixels.copy()).permute(0, 3, 1, 2)


def test_each_picture_gets_its_own_box_as_in_pillow():
    pixels = pictures(len(BOXES))
    cropped = crop_resize(to_batch(pixels), torch.tensor(BOXES), SIZE).permute(0, 2, 3, 1).numpy()
    for row, box in enumerate(BOXES):
        expected = np.asarray(Image.fromarray(pixels[row]).resize(SIZE[::-1], Image.Resampling.BICUBIC, box=box))
        assert np.abs(cropped[row].astype(int) - expected.astype(int)).max() <= 1


def test_floating_point_matches_pillow():
    pixels = pictures(len(BOXES))
    cropped = crop_resize(to_batch(pixels).double(), torch.tensor(BOXES, dtype=torch.float64), SIZE)
    for row, box in enumerate(BOXES):
        plane = Image.fromarray(pixels[row, :, :, 1].astype(np.float32))
        expected = np.asarray(plane.resize(SIZE[::-1], Image.Resampling.BICUBIC, box=box))
        np.testing.assert_allclose(cropped[row, 1].numpy(), expected, atol=2e-3)


def test_the_whole_picture_is_resize():
    images = to_batch(pictures(2)).double()
    whole = torch.tensor([[0.0, 0.0, 90.0, 70.0]]).repeat(2, 1)
    torch.testing.assert_close(crop_resize(images, whole, SIZE), resize(images, SIZE), atol=1e-9, rtol=1e-9)
    unit = torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(2, 1)
    torch.testing.assert_close(crop_resize(images, unit, SIZE, normalized=True), resize(images, SIZE))


def test_whole_pixels_at_their_own_size_are_cut_out():
    images = to_batch(pictures(1))
    cut = crop_resize(images, torch.tensor([[7.0, 11.0, 47.0, 59.0]]), (48, 40))
    assert torch.equal(cut, images[:, :, 11:59, 7:47])


def test_reversed_boxes_mirror_and_outside_repeats_the_edge():
    images = to_batch(pictures(1)).double()
    there = crop_resize(images, torch.tensor([[5.0, 5.0, 45.0, 53.0]]), SIZE)
    back = crop_resize(images, torch.tensor([[45.0, 5.0, 5.0, 53.0]]), SIZE)
    torch.testing.assert_close(back, there.flip(-1))
    gone = crop_resize(images, torch.tensor([[-50.0, 0.0, -10.0, 70.0]]), SIZE)
    assert gone.isfinite().all()
    torch.testing.assert_close(gone, gone[..., :1].expand_as(gone))


@settings(max_examples=40, deadline=None)
@given(
    corners=st.tuples(*[st.floats(-30, 30)] * 4), sides=st.tuples(*[st.integers(1, 20)] * 4), batch=st.integers(0, 3)
)
def test_any_box_of_a_flat_picture_is_flat(corners, sides, batch):
    H, W, height, width = sides
    images = torch.full((batch, 1, H, W), 0.5, dtype=torch.float64)
    boxes = torch.tensor(corners, dtype=torch.float64).repeat(batch, 1)
    expected = torch.full((batch, 1, height, width), 0.5, dtype=torch.float64)
    torch.testing.assert_close(crop_resize(images, boxes, (height, width)), expected)


def test_gradients_reach_pictures_and_boxes():
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, 1, 9, 8, dtype=torch.float64, generator=generator).requires_grad_()
    boxes = torch.tensor([[0.6, 1.1, 6.3, 7.7], [2.2, 0.4, 7.1, 5.9]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, b: crop_resize(x, b, (3, 4)), (images, boxes))


def test_autocast_does_not_reach_inside():
    images, boxes = to_batch(pictures(2)).float(), torch.tensor(BOXES[1:3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = crop_resize(images, boxes, SIZE)
    assert torch.equal(inside, crop_resize(images, boxes, SIZE))


KEYS = torch.arange(4000) * 7919 + 13


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    area=st.tuples(st.floats(0.01, 1), st.floats(0.01, 1)),
    aspect=st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)),
)
def test_boxes_are_whole_pixels_inside_the_picture(height, width, area, aspect):
    boxes = random_resized_crop_boxes(KEYS[:200], height, width, tuple(sorted(area)), tuple(sorted(aspect)))
    left, top, right, bottom = boxes.unbind(1)
    assert boxes.dtype == torch.float32
    assert torch.equal(boxes, boxes.round())
    assert (left >= 0).all()
    assert (top >= 0).all()
    assert (right > left).all()
    assert (bottom > top).all()
    assert (right <= width).all()
    assert (bottom <= height).all()


def test_areas_and_ratios_follow_their_laws():
    """A wide range of areas seldom fails to fit at these scales, so both laws show undisturbed."""
    left, top, right, bottom = random_resized_crop_boxes(KEYS, 1000, 1000, scale=(0.1, 0.5)).unbind(1)
    area = (right - left) * (bottom - top) / 1e6
    log_ratio = ((right - left) / (bottom - top)).log() / math.log(4 / 3)
    grid = torch.linspace(0.05, 0.95, 10)
    torch.testing.assert_close(area.quantile(grid), 0.1 + 0.4 * grid, atol=0.015, rtol=0)
    torch.testing.assert_close(log_ratio.quantile(grid), 2 * grid - 1, atol=0.06, rtol=0)
    share = left / (1000 - (right - left))
    torch.testing.assert_close(share.quantile(grid), grid, atol=0.04, rtol=0)


def test_where_nothing_fits_the_largest_centred_box_is_taken():
    boxes = random_resized_crop_boxes(KEYS[:5], 10, 200, scale=(0.9, 1.0))
    assert torch.equal(boxes, torch.tensor([[93.0, 0.0, 106.0, 10.0]]).expand(5, 4))


def test_boxes_depend_on_key_and_purpose_alone():
    boxes = random_resized_crop_boxes(KEYS, 96, 128)
    assert torch.equal(boxes, random_resized_crop_boxes(KEYS, 96, 128))
    assert torch.equal(boxes[17:20], random_resized_crop_boxes(KEYS[17:20], 96, 128))
    assert (boxes != random_resized_crop_boxes(KEYS, 96, 128, purpose="second view")).any(1).float().mean() > 0.99


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: crop_resize(torch.zeros(2, 3, 8, 8), torch.zeros(1, 4), (4, 4)), r"\[2, 4\]"),
        (lambda: crop_resize(torch.zeros(2, 3, 8, 8), torch.zeros(2, 4), (4, 0)), "positive size"),
        (lambda: random_resized_crop_boxes(KEYS, 8, 8, scale=(0.5, 0.1)), "smallest first"),
        (lambda: random_resized_crop_boxes(KEYS, 8, 8, ratio=(0.0, 1.0)), "positive ranges"),
        (lambda: random_resized_crop_boxes(KEYS, 0, 8), "at least one pixel"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    with pytest.raises(UsageError, match=message):
        call()
