"""Still pictures: JPEG, PNG and WebP through Pillow, turned as their EXIF orientation says, transparency over white.

An animated WebP or PNG counts as its first frame. Legend: H W picture.
"""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.limits import Limits

PICTURE_FORMATS = ("JPEG", "PNG", "WEBP")
_EXIF_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}  # orientations that swap width and height
_CLOCKWISE = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}


def encode_jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    """JPEG bytes of uint8 RGB `[H, W, 3]`.

    Raises:
        UsageError: on another shape or type.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise UsageError(f"pixels are {pixels.shape} {pixels.dtype}", expected="uint8 [H, W, 3]")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decode_jpeg(data: bytes, limits: Limits | None = None) -> np.ndarray:
    """uint8 RGB `[H, W, 3]` of JPEG bytes, as stored.

    Raises:
        MediaError: where the bytes are not a whole JPEG, or over a limit.
    """
    picture = open_picture(data, "", limits or Limits(), ("JPEG",))
    return _pixels(picture, "")


def picture_facts(data: bytes, path: str, limits: Limits) -> tuple[str, int, int, int]:
    """Format ("jpeg"), width and height as shown, and clockwise rotation, from the header alone.

    Raises:
        MediaError: NOT_MEDIA, TRUNCATED or OVER_LIMIT.
    """
    picture = open_picture(data, path, limits, PICTURE_FORMATS)
    orientation = _orientation(picture, path)
    width, height = picture.size[::-1] if orientation in _TURNED else picture.size
    return str(picture.format).lower(), width, height, _CLOCKWISE.get(orientation, 0)


def decode_picture(data: bytes, path: str, limits: Limits, shorter_side: int | None = None) -> np.ndarray:
    """uint8 RGB `[H, W, 3]` of a still picture as it is shown, resized by antialiased bicubic where asked.

    Raises:
        MediaError: NOT_MEDIA, TRUNCATED or OVER_LIMIT.
    """
    picture = open_picture(data, path, limits, PICTURE_FORMATS)
    _orientation(picture, path)
    width, height = fit(*picture.size, shorter_side)
    limits.check("pixels", width * height, path)
    if shorter_side is not None:
        picture.draft("RGB", (2 * width, 2 * height))
    opaque = Image.fromarray(_pixels(picture, path))
    upright = ImageOps.exif_transpose(_with_exif_of(picture, opaque))
    if shorter_side is not None:
        upright = upright.resize(fit(*upright.size, shorter_side), Image.Resampling.BICUBIC)
    return np.asarray(upright)


def fit(width: int, height: int, shorter_side: int | None) -> tuple[int, int]:
    """(width, height) with the shorter side resized to `shorter_side` and the aspect ratio kept."""
    if shorter_side is None:
        return width, height
    scale = shorter_side / min(width, height)
    if width <= height:
        return shorter_side, max(1, round(height * scale))
    return max(1, round(width * scale)), shorter_side


def open_picture(data: bytes, path: str, limits: Limits, formats: tuple[str, ...]) -> Image.Image:
    """A picture of which the header is read, in one of Pillow's `formats`.

    Raises:
        MediaError: NOT_MEDIA, TRUNCATED or OVER_LIMIT.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit on pixels is stricter
            picture = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        expected = f"at most {limits.pixels:,} pixels"
        raise MediaError(SkipReason.OVER_LIMIT, f"pixels: {error}", path=path, expected=expected) from error
    except UnidentifiedImageError as error:
        raise MediaError(
            SkipReason.NOT_MEDIA, "no picture that Pillow knows", path=path, expected=", ".join(formats)
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise _damaged(error, path) from error
    limits.check("pixels", picture.width * picture.height, path)
    limits.check("resident_bytes", picture.width * picture.height * 8, path)
    return picture


def _orientation(picture: Image.Image, path: str) -> int:
    try:
        return int(picture.getexif().get(_EXIF_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, TypeError) as error:
        raise _damaged(error, path) from error


def _pixels(picture: Image.Image, path: str) -> np.ndarray:
    try:
        picture.load()
        if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
            transparent = picture.convert("RGBA")
            white = Image.new("RGBA", transparent.size, "white")
            return np.asarray(Image.alpha_composite(white, transparent).convert("RGB"))
        if picture.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip instead of scale
            picture = Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8))
        return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise _damaged(error, path) from error


def _with_exif_of(picture: Image.Image, pixels: Image.Image) -> Image.Image:
    pixels.info["exif"] = picture.getexif().tobytes()
    return pixels


def _damaged(error: Exception, path: str) -> MediaError:
    return MediaError(SkipReason.TRUNCATED, f"picture: {error}", path=path)
