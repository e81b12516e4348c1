"""Pictures, spectrograms and sounds as they are embedded, read back by independent decoders."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from seehear.contracts import Reconstruction
from seehear.media import decode_flac
from seehear.reports import drawings
from seehear.reports.pictures import THUMBNAIL_SIDE, encode_png, photograph, photograph_with_holes, shrink, spectrogram
from seehear.reports.sounds import Shelf, loudest, outline


def opened(uri: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    image.load()
    return image


@pytest.mark.parametrize("channels", [3, 4])
def test_png_is_exact(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, channels), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)


def test_holes_are_transparent_and_hide_what_was_there():
    pixels = np.full((4, 6, 3), 200, np.uint8)
    hidden = np.zeros((4, 6), bool)
    hidden[:2] = True
    read = np.asarray(opened(photograph_with_holes(pixels, hidden)))
    assert (read[2:] == (200, 200, 200, 255)).all()
    assert (read[:2] == 0).all()


def test_spectrogram_puts_frequency_upward_and_time_to_the_right():
    log_mel = np.zeros((5, 3))
    log_mel[4, 2] = 1.0  # last frame, highest frequency
    image = np.asarray(opened(spectrogram(log_mel, 0.0, 1.0)).convert("RGBA")).astype(int)
    assert image.shape == (3, 5, 4)
    brightness = image[..., :3].sum(axis=2)
    assert np.unravel_index(brightness.argmax(), brightness.shape) == (0, 4)
    assert (image[..., 3] == 255).all()


def test_brightness_rises_with_level_and_bad_cells_are_dark():
    ramp = np.linspace(0, 1, 64)[:, None]
    image = np.asarray(opened(spectrogram(ramp, 0.0, 1.0)).convert("RGB")) / 255
    luminance = (image[0] ** 2.2) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -1e-3).all()
    odd = np.asarray(opened(spectrogram(np.array([[np.nan, -np.inf, 0.0]]), 0.0, 1.0)).convert("RGB"))
    assert (odd == odd[0, 0]).all()


def test_hidden_cells_and_long_spectrograms():
    hidden = np.zeros((8, 4), bool)
    hidden[:, 0] = True
    alpha = np.asarray(opened(spectrogram(np.ones((8, 4)), 0, 1, hidden)).convert("RGBA"))[..., 3]
    assert (alpha[-1] == 0).all()  # the lowest bin is the bottom row
    assert (alpha[:-1] == 255).all()
    assert opened(spectrogram(np.zeros((1024, 16)), 0, 1)).size == (1024 // 3, 16)


def test_shrinking_averages_whole_cells():
    pixels = np.zeros((400, 600, 3), np.uint8)
    pixels[:, 300:] = 240
    small = shrink(pixels)
    assert small.shape == (133, 200, 3)
    assert max(opened(photograph(pixels)).size) <= THUMBNAIL_SIDE
    np.testing.assert_array_equal(small[:, [0, 99, 100, 199], 0], np.tile([0, 0, 240, 240], (133, 1)))
    same = np.ones((9, 9, 3), np.uint8)
    np.testing.assert_array_equal(shrink(same), same)


def test_equal_sounds_are_kept_once_and_exactly():
    a, b = np.arange(1600, dtype=np.int16), np.ones(800, np.int16)
    shelf = Shelf([a, None, b, a.copy(), np.zeros(0, np.int16)])
    assert len(shelf.encoded) == 2
    assert shelf.key(a) == shelf.key(a.copy()) != shelf.key(b)
    assert shelf.key(None) is None
    assert not shelf.trimmed
    np.testing.assert_array_equal(decode_flac(base64.b64decode(shelf.encoded[shelf.key(a)])), a)


def test_sounds_are_trimmed_to_the_budget_at_their_loudest():
    rng = np.random.default_rng(0)
    noise = [rng.integers(-9000, 9000, 64_000, dtype=np.int16) for _ in range(4)]
    shelf = Shelf(noise, budget_bytes=250_000)
    assert shelf.trimmed
    assert 1.0 <= shelf.seconds < 4.0
    assert shelf.dropped == 0
    assert sum(map(len, shelf.encoded.values())) <= 250_000
    tight = Shelf(noise, budget_bytes=60_000)
    assert tight.seconds == 1.0
    assert tight.dropped + len(tight.encoded) == 4
    assert sum(map(len, tight.encoded.values())) <= 60_000


def test_the_loudest_stretch_holds_the_burst():
    waveform = np.zeros(48_000, np.int16)
    waveform[30_000:31_000] = 20_000
    part = loudest(waveform, 1.0)
    assert len(part) == 16_000
    assert (part != 0).sum() == 1000
    assert loudest(part, 5.0) is part


def test_the_outline_follows_loudness():
    waveform = np.zeros(4400, np.int16)
    waveform[2200:] = -32768
    bars = [float(part.split("v")[1]) for part in outline(waveform).split("M")[1:]]
    assert len(bars) == 44
    assert max(bars[:22]) < min(bars[22:])
    assert "nan" not in outline(np.zeros(10, np.int16))


def test_drawings_of_both_modalities():
    mask = torch.zeros(2, 3, 8, 8, dtype=torch.bool)
    mask[:, :, :4] = True
    pictures = drawings(Reconstruction(torch.rand(2, 3, 8, 8), torch.full((2, 3, 8, 8), 1.7), mask, (4, 4)), ["bell"])
    assert [d.title for d in pictures] == ["bell", ""]
    assert pictures[0].original.shape == (8, 8, 3)
    assert pictures[0].original.dtype == np.uint8
    assert (pictures[0].reconstruction == 255).all()
    np.testing.assert_array_equal(pictures[0].mask, mask[0, 0].numpy())
    whole = torch.ones(1, 10, 4, dtype=torch.bool)
    sounds = drawings(Reconstruction(torch.zeros(1, 10, 4), torch.ones(1, 10, 4), whole, (2, 2)))
    assert sounds[0].kind == "sound"
    assert sounds[0].mask.shape == (10, 4)
