import numpy as np
import pytest
from PIL import Image

from seehear.clips.fit import fit, shorter_side
from seehear.contracts import FrameNeed


def scene(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (height // 4, width // 4, 3), dtype=np.uint8))
    return np.array(small.resize((width, height), Image.Resampling.BICUBIC))[None]


@pytest.mark.parametrize(("stored", "wanted"), [((96, 160), (64, 64)), ((64, 64), (96, 96)), ((90, 120), (48, 80))])
def test_squash_is_pillows_antialiased_bicubic(stored: tuple[int, int], wanted: tuple[int, int]) -> None:
    frames = scene(*stored)
    found = fit(frames, FrameNeed(1, *wanted))[0].permute(1, 2, 0).numpy().astype(int)
    oracle = np.asarray(Image.fromarray(frames[0]).resize(wanted[::-1], Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(found - oracle).max() <= 2
    assert np.abs(found - oracle).mean() < 0.3


def test_crop_keeps_the_middle_and_the_aspect_ratio() -> None:
    frames = scene(64, 128)
    assert np.array_equal(fit(frames, FrameNeed(1, 64, 64, "crop"))[0].permute(1, 2, 0).numpy(), frames[0, :, 32:96])
    tall = scene(128, 64)
    assert np.array_equal(fit(tall, FrameNeed(1, 64, 64, "crop"))[0].permute(1, 2, 0).numpy(), tall[0, 32:96])
    assert fit(frames, FrameNeed(1, 48, 96, "crop")).shape == (1, 3, 48, 96)
    assert fit(frames, FrameNeed(1, 31, 17, "crop")).shape == (1, 3, 31, 17)


def test_equal_sizes_are_not_touched() -> None:
    frames = scene(64, 64)
    assert np.shares_memory(fit(frames, FrameNeed(1, 64, 64)).numpy(), frames)


def test_arrays_that_may_not_be_written_are_fitted_too() -> None:
    frames = scene(64, 64)
    frames.flags.writeable = False
    assert np.array_equal(fit(frames, FrameNeed(1, 64, 64)).permute(0, 2, 3, 1).numpy(), frames)


def test_shorter_side_keeps_the_aspect_ratio() -> None:
    assert shorter_side(scene(64, 128), 32).shape == (1, 32, 64, 3)
    assert shorter_side(scene(120, 64), 32).shape == (1, 60, 32, 3)
    frames = scene(64, 128)
    assert shorter_side(frames, 64) is frames
