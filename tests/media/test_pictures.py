"""Still pictures, against Pillow's own idea of them."""

import io

import numpy as np
import pytest
from PIL import Image

from seehear.errors import MediaError, SkipReason
from seehear.media import Limits, probe, read_audio, read_frames


def scene(width=60, height=40):
    return Image.effect_mandelbrot((width, height), (-3, -2.5, 2, 2.5), 100).convert("RGB")


def saved(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data, **options):
    return read_frames(data, [0.0], **options).pixels[0]


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("JPEG", {"quality": 95})])
def test_formats(kind, options):
    data = saved(scene(), kind, **options)
    np.testing.assert_array_equal(read(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    assert probe(data).container == kind.lower()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(orientation):
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:20, :30] = 255, 0, 0
    upright[:20, 30:] = 0, 255, 0
    upright[20:, :30] = 0, 0, 255
    undo = {  # from how it is shown to how it is stored
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    stored = Image.fromarray(np.ascontiguousarray(undo(upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for kind in ("PNG", "JPEG", "WEBP"):
        data = saved(stored, kind, exif=exif, **({"quality": 95} if kind != "PNG" else {}))
        found = read(data)
        assert found.shape == upright.shape
        assert np.abs(found.astype(int) - upright).mean() < 8
        info = probe(data).video
        assert (info.width, info.height) == (60, 40)
        assert (info.rotation in (90, 270)) == (orientation >= 5)
        assert read(data, shorter_side=20).shape == (20, 30, 3)


def test_transparency_is_over_white():
    clear = np.zeros((10, 10, 4), np.uint8)
    clear[:5] = 255, 0, 0, 255
    clear[5:8] = 0, 0, 0, 128
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        found = read(saved(Image.fromarray(clear), kind, **options))
        assert (found[:5] == [255, 0, 0]).all()
        assert np.abs(found[5:8].astype(int) - 127).max() <= 1
        assert (found[8:] == 255).all()
    palette = Image.fromarray(clear).convert("RGB").quantize(8)
    assert (read(saved(palette, "PNG", transparency=palette.getpixel((0, 0))))[:5] == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_modes(mode):
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(scene().convert("L")).astype(np.uint16) * 257)
        data, expected = saved(picture, "PNG"), np.asarray(scene().convert("L").convert("RGB"))
    else:
        picture = scene().convert(mode)
        kind = "JPEG" if mode == "CMYK" else "PNG"
        data, expected = saved(picture, kind), np.asarray(picture.convert("RGB"))
    assert np.abs(read(data).astype(int) - expected).mean() < 2


def test_resizing_agrees_with_pillow():
    picture = scene(300, 200)
    for side in (50, 150, 400):
        expected = np.asarray(picture.resize((round(300 * side / 200), side), Image.Resampling.BICUBIC))
        np.testing.assert_array_equal(read(saved(picture, "PNG"), shorter_side=side), expected)
        close = read(saved(picture, "JPEG", quality=97), shorter_side=side)
        assert np.abs(close.astype(int) - expected).mean() < 3


def test_large_and_damaged_pictures_are_refused():
    bomb = saved(Image.new("1", (5000, 5000)), "PNG")
    assert len(bomb) < 10_000
    for call in (probe, read):
        with pytest.raises(MediaError, match="pixels") as caught:
            call(bomb)
        assert caught.value.reason is SkipReason.OVER_LIMIT
    with pytest.raises(MediaError, match="pixels"):
        read(saved(scene(), "PNG"), limits=Limits(pixels=100))
    with pytest.raises(MediaError, match="resident bytes"):
        read_frames(saved(scene(), "PNG"), np.zeros(1000), limits=Limits(resident_bytes=100_000))
    for kind in ("PNG", "JPEG", "WEBP"):
        data = saved(scene(), kind)
        with pytest.raises(MediaError) as caught:
            read(data[: len(data) // 2])
        assert caught.value.reason is SkipReason.TRUNCATED


def test_a_picture_has_no_sound():
    with pytest.raises(MediaError) as caught:
        read_audio(saved(scene(), "PNG"))
    assert caught.value.reason is SkipReason.NO_AUDIO
