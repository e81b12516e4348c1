"""Masks kept as pictures: the numbers that are stored, before a palette makes colours of them.

Legend: H W picture.
"""

import numpy as np

from seehear.errors import MediaError, SkipReason
from seehear.media.limits import Limits
from seehear.media.pictures import open_picture

_STORED = ("1", "L", "P")


def decode_mask(data: bytes, path: str, limits: Limits | None = None) -> np.ndarray:
    """uint8 `[H, W]` of a PNG: palette entries, grey levels, or 0 and 1; of a coloured one its brightest channel.

    Raises:
        MediaError: NOT_MEDIA, TRUNCATED, OVER_LIMIT, or UNSUPPORTED for more than 8 bits or transparency.
    """
    picture = open_picture(data, path, limits or Limits(), ("PNG",))
    if picture.mode not in (*_STORED, "RGB"):
        raise MediaError(SkipReason.UNSUPPORTED, f"a mask of mode {picture.mode}", path=path, expected="8-bit PNG")
    try:
        values = np.asarray(picture)
    except (OSError, ValueError, SyntaxError) as error:
        raise MediaError(SkipReason.TRUNCATED, f"picture: {error}", path=path) from error
    return values.astype(np.uint8) if values.ndim == 2 else values.max(axis=2)
