"""How a stored picture is turned, mirrored and stretched to be shown: display matrix and sample aspect ratio.

The matrix maps stored (x, y), y downwards, to shown (a x + c y, b x + d y). Angles between quarter turns go to the
nearest one. Legend: H W picture.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_WIDEST = 10  # sample aspect ratios beyond 10:1 are taken for damage and ignored


@dataclass(frozen=True)
class Orientation:
    """Transpose first (rows become columns), then mirror left-right, then top-bottom."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def degrees(self) -> int:
        """Clockwise turn: 0, 90, 180 or 270 (of a mirrored picture: the turn after mirroring left-right)."""
        if self.transpose:
            return 270 if self.mirror_y else 90
        return 180 if self.mirror_y else 0

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` as stored -> as shown."""
        if self.transpose:
            picture = picture.transpose(1, 0, 2)
        if self.mirror_x:
            picture = picture[:, ::-1]
        return picture[::-1] if self.mirror_y else picture


def orientation_of(frame: Any) -> Orientation:
    """The orientation that a decoded frame asks for."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    a, b, _, c, d, *_ = np.frombuffer(bytes(matrix), np.int32).tolist()
    if abs(b) > abs(a):
        return Orientation(transpose=True, mirror_x=c < 0, mirror_y=b < 0)
    return Orientation(mirror_x=a < 0, mirror_y=d < 0)


def shown_size(width: int, height: int, aspect: Any, orientation: Orientation) -> tuple[int, int]:
    """(width, height) as shown: stretched to square pixels by the sample aspect ratio `aspect`, then turned."""
    if aspect and 1 / _WIDEST <= aspect <= _WIDEST:
        width = max(1, math.floor(width * aspect + 0.5))
    return (height, width) if orientation.transpose else (width, height)
