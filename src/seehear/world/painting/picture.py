"""From a scene to pictures: background, parts in painter's order, board, camera, and the class-independent grade.

Still parts below the first moving one are composed once; everything else is laid on the frames inside its own box.
The grade then brings every clip to its drawn mean colour and contrast, so neither tells the class.

Legend: T frames, H W picture, N bodies.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy import ndarray

from seehear.world.classes import kind
from seehear.world.painting import background
from seehear.world.painting.camera import film, film_masks, views
from seehear.world.painting.canvas import Part, Stage
from seehear.world.painting.occlusion import cover
from seehear.world.painting.styles import goal, grain, restyle
from seehear.world.scenes import Scene
from seehear.world.streams import stream

FARTHEST_SHAKE = 0.04  # of the picture's width; beyond the edge the outermost pixels are repeated
MASK_ALPHA = 0.5


@dataclass
class Pictures:
    """`pixels [T, H, W, 3]` uint8; `masks` (visible) and `whole` (with what is hidden), bool `[N, T, H, W]`.

    `parts` holds what is seen of each part with a name, bool `[T, H, W]`, by (body, name).
    """

    pixels: ndarray
    masks: ndarray
    whole: ndarray
    parts: dict[tuple[int, str], ndarray] = field(default_factory=dict)


def paint(scene: Scene) -> Pictures:
    """Draw a scene; bodies that an intervention removes leave the others' pixels as they were."""
    frames, masks, whole, named = _filmed(scene, [])
    scale, offset = _levels(frames, *goal(scene.style, scene.grade))
    removed = scene.intervention.parameters.get("removed", []) if scene.intervention else []
    if removed:
        frames, masks, whole, named = _filmed(scene, removed)
    noise = grain(scene.style, scene.grade.seed, len(frames), scene.format.size)
    if noise is not None:
        frames += noise / scale
    count = len(scene.bodies)
    seen = {own: mask & masks[own[0]] for own, mask in zip(named, masks[count:], strict=True)}
    return Pictures(_grade(frames, scale, offset), masks[:count], whole[:count], seen)


def _filmed(scene: Scene, removed: list[int]) -> tuple[ndarray, ndarray, ndarray, list[tuple[int, str]]]:
    """Frames `[T, H, W, 3]` before the grade, masks, visible and whole, and the (body, name) of the named parts.

    The masks are those of the bodies, then of the named parts.
    """
    size, count = scene.format.size, scene.format.frames
    rate = scene.format.frames_per_second
    times = np.arange(count) * (rate[1] / rate[0])
    order = [number for number in nearest_last(scene) if number not in removed]
    parts = [(number, part) for number in order for part in _parts(scene, number, times)]
    named = list(dict.fromkeys((number, part.name) for number, part in parts if part.name))
    frames, whole = _compose(scene, parts, named, count, size)
    masks = _visible(whole, order)
    if scene.board is not None and scene.board.body not in removed:
        masks &= ~cover(scene.board, frames, whole[scene.board.body], times)
    if scene.shots:
        seen = views(scene.shots, times, scene.format.seconds)
        frames, whole, masks = film(frames, seen), film_masks(whole, seen), film_masks(masks, seen)
    if scene.grade.shake > 0:
        offsets = _shake(scene, count)
        frames, whole, masks = _shift(frames, offsets), _roll(whole, offsets), _roll(masks, offsets)
    return restyle(scene.style, frames), masks, whole, named


def nearest_last(scene: Scene) -> list[int]:
    """Painter's order of the bodies: whose lower edge is lower in the picture stands nearer."""
    return sorted(range(len(scene.bodies)), key=lambda k: scene.bodies[k].y + scene.bodies[k].size / 2)


def _parts(scene: Scene, number: int, times: ndarray) -> list[Part]:
    body = scene.bodies[number]
    own = kind(body.instance.kind)
    x0, y0, x1, y1 = own.extent(body.instance)
    sources = [k for k, source in enumerate(scene.sources) if source.body == number]
    events = tuple(event for event in scene.events if event.source in sources)
    events += tuple(event for mime in scene.mimes if mime.body == number for event in mime.events)
    light = np.array([np.cos(scene.grade.light), np.sin(scene.grade.light), 1.1], np.float32)
    light = light / np.linalg.norm(light)
    centre, half = ((x0 + x1) / 2, (y0 + y1) / 2), max(x1 - x0, y1 - y0) / 2
    return own.draw(
        Stage(body, events, times, scene.format.size, scene.format.size, light, centre, half, scene.style == "flat")
    )


def _compose(
    scene: Scene, parts: list[tuple[int, Part]], named: list[tuple[int, str]], count: int, size: int
) -> tuple[ndarray, ndarray]:
    """Frames `[T, H, W, 3]` float32 and whole masks `[N + named parts, T, H, W]`."""
    frames = background.paint(scene.background, size, size, scene.style == "flat")[None]
    whole = np.zeros((len(scene.bodies) + len(named), count, size, size), bool)
    for number, part in parts:
        rgba = part.rgba if len(part.rgba) == 1 else part.rgba[part.shown]
        if len(frames) == 1 < len(rgba):
            frames = np.repeat(frames, count, axis=0)
        height, width = rgba.shape[1:3]
        rows, columns = slice(part.row, part.row + height), slice(part.column, part.column + width)
        target = frames[:, rows, columns]
        target *= 1 - rgba[..., 3:]
        target += rgba[..., :3]
        if part.in_mask:
            whole[number, :, rows, columns] |= rgba[..., 3] > MASK_ALPHA
        if part.name:
            whole[len(scene.bodies) + named.index((number, part.name)), :, rows, columns] |= rgba[..., 3] > MASK_ALPHA
    return (np.repeat(frames, count, axis=0) if len(frames) == 1 else frames), whole


def _visible(whole: ndarray, order: list[int]) -> ndarray:
    visible = whole.copy()
    for place, number in enumerate(order[:-1]):
        visible[number] &= ~whole[order[place + 1 :]].any(axis=0)
    return visible


def _shake(scene: Scene, count: int) -> ndarray:
    """Whole-pixel camera offsets `[T, 2]`: smooth noise of deviation `shake` picture widths."""
    rng = stream(scene.grade.seed, "shake")
    smooth = np.cumsum(rng.standard_normal((count, 2)), axis=0)
    smooth = smooth - smooth.mean(axis=0)
    offsets = smooth / (smooth.std() + 1e-9) * scene.grade.shake * scene.format.size
    limit = max(1, round(FARTHEST_SHAKE * scene.format.size))
    return np.clip(np.round(offsets), -limit, limit).astype(int)


def _shift(pictures: ndarray, offsets: ndarray) -> ndarray:
    """Pictures `[T, H, W, ...]` that show at (row, column) what lay at (row, column) + `offsets [T, 2]`.

    Beyond the edge the outermost pixels are repeated.
    """
    size = pictures.shape[1]
    result = np.empty_like(pictures)
    for picture, target, (down, right) in zip(pictures, result, offsets.tolist(), strict=True):
        top, bottom = max(0, -down), min(size, size - down)
        left, end = max(0, -right), min(size, size - right)
        target[top:bottom, left:end] = picture[top + down : bottom + down, left + right : end + right]
        target[:top, left:end], target[bottom:, left:end] = target[top, left:end], target[bottom - 1, left:end]
        target[:, :left], target[:, end:] = target[:, left : left + 1], target[:, end - 1 : end]
    return result


def _roll(masks: ndarray, offsets: ndarray) -> ndarray:
    """`_shift` of every body's masks `[N, T, H, W]`."""
    return np.stack([_shift(own, offsets) for own in masks]) if len(masks) else masks


def _levels(frames: ndarray, target: ndarray, contrast: float) -> tuple[ndarray, ndarray]:
    """Factor and offset `[3]` that bring the clip to its mean colour and contrast.

    They are found in a few rounds, because clipping moves the mean. The first picture weighs as much as the rest: rain
    falls only later, and neither the clip's mean nor its first picture may tell.
    """
    later = len(frames[8::8])
    sample = frames[[0] * later + list(range(8, len(frames), 8))]
    mean, scale = sample.mean(axis=(0, 1, 2)), np.float32(contrast) / (sample.std() + np.float32(1e-6))
    shift = np.zeros(3, np.float32)
    for _ in range(3):
        shown = np.clip((sample - mean) * scale + target + shift, 0, 1)
        shift += target - shown.mean(axis=(0, 1, 2))
    return scale, target + shift - mean * scale


def _grade(frames: ndarray, scale: ndarray, offset: ndarray) -> ndarray:
    """Frames as uint8, each value taken by factor and offset."""
    row = np.tile(offset * np.float32(255) + np.float32(0.5), frames.shape[2])
    rows = frames.reshape(-1, len(row))  # whole rows at a time: three channels alone are too short a loop
    rows *= scale * np.float32(255)
    rows += row
    return np.clip(rows, 0, 255, out=rows).astype(np.uint8).reshape(frames.shape)
