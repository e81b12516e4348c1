"""Render styles: the same scenes painted in other ways; what is seen and heard where stays as it is.

"flat" is painted so from the first stroke on (see `canvas.Brush.flat`); the others work on whole frames. All of it
comes before the grade, so that in every style the grade's law, not the class, sets mean colour and contrast. Numbers
are constants: nothing is measured on the clip.

Legend: T frames, H W picture.
"""

import numpy as np
from numpy import ndarray

from seehear.world.scenes import Grade
from seehear.world.streams import stream

STYLES = {
    "textured": "grain, light and shade",
    "flat": "even colours, few tones, no grain",
    "sketch": "dark lines and thin shade on paper",
    "night": "dark, bluish and grainy",
}
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
LINES, SLOPES = (0.03, 7.0), (0.25, 1.4)  # of "sketch": where ink begins, and how fast it darkens
BLACKEST, SHADE = 0.85, 0.3
MOONLIGHT, COLOUR_AT_NIGHT = np.array([0.8, 0.95, 1.23], np.float32), 0.45
GRAIN, GRAIN_TILE = 0.03, 256  # of "night": deviation in shares of full scale; side of the noise tile
USUAL_BRIGHTNESS = 0.465  # of the grade's law, on average


def restyle(style: str, frames: ndarray) -> ndarray:
    """Frames `[T, H, W, 3]` float32 in a style, before the grade."""
    if style == "sketch":
        return _sketch(frames)
    if style == "night":
        return _night(frames)
    return frames


def goal(style: str, grade: Grade) -> tuple[ndarray, float]:
    """Mean colour `[3]` and contrast that a clip of a style is brought to, by one law for all classes."""
    mean = np.array(grade.mean_rgb, np.float32)
    brightness = float(mean.mean())
    if style == "sketch":
        return 0.5 * (mean - brightness) + np.float32(0.76 + 0.5 * (brightness - USUAL_BRIGHTNESS)), grade.contrast
    if style == "night":
        return mean / np.float32(USUAL_BRIGHTNESS) * np.array([0.13, 0.16, 0.23], np.float32), 0.55 * grade.contrast
    return mean, grade.contrast


def grain(style: str, seed: int, count: int, size: int) -> ndarray | None:
    """What is added to the graded frames: noise `[T, H, W, 3]` in shares of full scale, or None."""
    if style != "night":
        return None
    rng = stream(seed, "film grain")
    tile = rng.standard_normal((GRAIN_TILE, GRAIN_TILE), np.float32) * np.float32(GRAIN)
    grey = np.repeat(tile[..., None], 3, axis=-1)
    corners = rng.integers(0, GRAIN_TILE - size, (count, 2))
    return np.stack([grey[row : row + size, column : column + size] for row, column in corners])


def _sketch(frames: ndarray) -> ndarray:
    """Ink where it is darker than around, and where brightness changes quickly; thin shade; paper of brightness 1."""
    luma = (frames.reshape(-1, 3) @ LUMA).reshape(frames.shape[:3])
    around = _smooth(luma)
    ink = np.clip((_smooth(around) - luma - np.float32(LINES[0])) * np.float32(LINES[1]), 0, BLACKEST)
    slope = np.zeros_like(luma)
    slope[:, 1:-1] = np.abs(around[:, 2:] - around[:, :-2])
    slope[:, :, 1:-1] += np.abs(around[:, :, 2:] - around[:, :, :-2])
    ink += np.clip((slope - np.float32(SLOPES[0])) * np.float32(SLOPES[1]), 0, None)
    ink += np.float32(SHADE) * np.clip(np.float32(0.6) - luma, 0, None)
    return np.repeat(1 - np.minimum(ink, BLACKEST)[..., None], 3, axis=-1)


def _night(frames: ndarray) -> ndarray:
    """Colours mostly gone, a blue light, darks drawn out."""
    faded = np.float32(COLOUR_AT_NIGHT) * np.eye(3, dtype=np.float32) + np.float32(1 - COLOUR_AT_NIGHT) * LUMA[:, None]
    seen = np.maximum(frames.reshape(-1, 3) @ (faded * MOONLIGHT), 0)
    seen *= np.sqrt(seen)
    return seen.reshape(frames.shape)


def _smooth(values: ndarray) -> ndarray:
    """Means over 3 x 3 pixels of `[T, H, W]`; the outermost are repeated."""
    wide = np.pad(values, ((0, 0), (1, 1), (1, 1)), mode="edge")
    tall = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    return (tall[:, :, :-2] + tall[:, :, 1:-1] + tall[:, :, 2:]) * np.float32(1 / 9)
