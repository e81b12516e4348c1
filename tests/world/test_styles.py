"""Render styles: same masks and sound, their own look, and a grade that keeps colour and contrast from telling."""

from functools import cache

import numpy as np
import pytest

from seehear import world
from seehear.errors import UsageError
from seehear.world.painting.styles import STYLES, goal, restyle
from seehear.world.rendering import Rendered
from seehear.world.truth.nuisance import hue_histogram

OTHERS = [style for style in STYLES if style != "textured"]


@cache
def clips(style: str) -> list[Rendered]:
    return list(world.memory_clips("tiny", "test", count=8, size=64, seconds=1.6, level=1, style=style))


@pytest.mark.parametrize("style", OTHERS)
def test_a_style_changes_pixels_and_nothing_else(style: str) -> None:
    for plain, other in zip(clips("textured"), clips(style), strict=True):
        assert np.abs(plain.pixels.astype(int) - other.pixels).mean() > 2
        np.testing.assert_array_equal(plain.masks, other.masks)
        np.testing.assert_array_equal(plain.waveform, other.waveform)
        assert plain.truth == other.truth
        assert plain.id == other.id


def test_the_textured_style_is_the_default() -> None:
    for plain, named in zip(world.memory_clips("unit", "test", count=2), clips("textured"), strict=False):
        assert plain.scene.style == named.scene.style == "textured"
    frames = np.random.default_rng(0).uniform(0, 1, (2, 8, 8, 3)).astype(np.float32)
    assert restyle("textured", frames) is frames


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_brought_to_its_goal(style: str) -> None:
    for clip in clips(style):
        mean, contrast = goal(style, clip.scene.grade)
        shown = clip.pixels.astype(float) / 255
        np.testing.assert_allclose(shown.mean(axis=(0, 1, 2)), mean, atol=0.02)
        assert 0.4 * contrast < shown.std() < 1.15 * contrast + 0.03


@pytest.mark.parametrize("style", OTHERS)
def test_a_styled_clip_is_the_same_every_time(style: str) -> None:
    again = world.render(clips(style)[0].scene)
    np.testing.assert_array_equal(again.pixels, clips(style)[0].pixels)


def test_flat_bodies_have_more_even_patches_than_textured_ones() -> None:
    def even(clip: Rendered) -> float:
        body = clip.masks[0][:, :, 1:] & clip.masks[0][:, :, :-1]
        same = (clip.pixels[:, :, 1:] == clip.pixels[:, :, :-1]).all(axis=-1)
        return float(same[body].mean())

    gains = [even(flat) - even(plain) for flat, plain in zip(clips("flat"), clips("textured"), strict=True)]
    assert min(gains) >= 0
    assert np.median(gains) > 0.1


def test_a_sketch_is_dark_on_a_light_paper_of_one_tint() -> None:
    for clip in clips("sketch"):
        brightness = clip.pixels.mean(axis=-1)
        assert np.median(brightness) > clip.pixels.mean() > 150
        assert brightness.min() < 100
        tint = clip.pixels.astype(int)[..., 0] - clip.pixels[..., 2]
        inside = (clip.pixels > 0).all(axis=-1) & (clip.pixels < 255).all(axis=-1)
        assert np.ptp(tint[inside]) <= 1


def test_the_night_is_dark_bluish_and_grainy() -> None:
    for clip, day in zip(clips("night"), clips("textured"), strict=True):
        assert clip.pixels.mean() < 0.5 * day.pixels.mean()
        shift = (clip.pixels.mean(axis=(0, 1, 2)) / day.pixels.mean(axis=(0, 1, 2))).tolist()
        assert shift == sorted(shift)
        assert (clip.pixels[0] != clip.pixels[1]).mean() > 0.5


def test_hue_says_no_more_in_a_sketch_than_the_grade_does() -> None:
    for clip in clips("sketch"):
        tint = hue_histogram(clip.pixels[0].astype(np.float32) / 255)
        assert np.sort(tint)[-2:].sum() > 0.9  # one hue, at most astride two bins


def test_an_unknown_style_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown style 'skech'.*try: sketch"):
        world.memory_clips("unit", "test", style="skech")
