"""Painting: anti-aliased, shaded distance shapes on a stage, still or moving.

A `Stage` knows where one object stands in the picture. A class paints still parts straight on the picture's grid
(`still`) and moving parts once, on a sprite of their own (`sprite`), which is then turned and shifted per frame.
Either way the result is a `Part`: a few premultiplied RGBA pictures and, for every frame, which of them is shown.

Shading is Lambert plus a Blinn highlight (Blinn, SIGGRAPH 1977) with normals from the distance field's bevel or
given by the caller.

Legend: T frames, U different pictures of a part, h w its box, H W the picture.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy import ndarray

from seehear.world.painting.colour import ROLES, rgb
from seehear.world.scenes import Body, Event

SPRITE_DENSITY = 1.4  # sprite pixels per picture pixel: turning a sprite loses no visible detail
POSE_STEP_PIXELS = 0.3  # poses closer than this are drawn as one
AMBIENT, DIFFUSE, SHININESS = 0.42, 0.75, 18.0
STEEPEST = 0.85  # sideways part of the normal at the rim of a bevel
OUTLINE_PIXELS = 1.6
BRIGHTEST = 1.3
FLAT_TONES = 3.0  # steps of light per unit of brightness, for flat brushes


Field = ndarray | float | np.floating  # one value per pixel, or one for all


@dataclass
class Part:
    """A part as pictures: box corner (row, column), `rgba [U, h, w, 4]` premultiplied, `shown [T]` indices into U.

    Of a part with a name the truth tells the box in every frame.
    """

    row: int
    column: int
    rgba: ndarray
    shown: ndarray
    in_mask: bool = True
    name: str = ""


@dataclass
class Motion:
    """Rigid motion per frame in object units: turn by `turn [T]` about `pivot`, then shift by `shift [T, 2]`."""

    pivot: tuple[float, float]
    turn: ndarray
    shift: ndarray


@dataclass
class Brush:
    """A small picture in local coordinates that shapes are painted on, in painter's order.

    A `flat` brush lays even colours: no grain, no gloss, light in a few steps.
    """

    x: ndarray
    y: ndarray
    density: float
    light: ndarray
    colours: dict[str, ndarray]
    row: int = 0
    column: int = 0
    flat: bool = False
    rgba: ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.rgba = np.zeros((*self.x.shape, 4), np.float32)

    def paint(
        self,
        distance: ndarray,
        colour: str | ndarray,
        *,
        grain: ndarray | float = 1.0,
        bevel: float = 0.08,
        normal: tuple[Field, Field] | None = None,
        gloss: float = 0.0,
        outline: float = 0.55,
        opacity: float = 1.0,
    ) -> None:
        """Lay one shape over what is there.

        Args:
            distance: signed distance `[h, w]`.
            colour: a role of `colour.ROLES`, or RGB `[3]`.
            grain: multiplier of the colour `[h, w]`.
            bevel: width of the rounded rim, in local units, where no normal is given.
            normal: x and y of the surface normal.
            gloss: strength of the highlight.
            outline: how much the last pixel and a half before the edge is darkened.
            opacity: 0 to 1.
        """
        box = _covered(distance, 0.5 / self.density)
        if box is None:
            return
        distance = distance[box]
        inside = distance * np.float32(-self.density)
        alpha = np.clip(inside + np.float32(0.5), 0, 1) * np.float32(opacity)
        if normal is not None:
            nx, ny = (n[box] if isinstance(n, ndarray) else n for n in normal)
        elif outline or gloss:
            nx, ny = _bevel(distance, bevel)
        else:
            nx, ny = 0.0, 0.0  # drawn-on details are flat
        shade, shine = _shade(nx, ny, self.light, 0.0 if self.flat else gloss)
        if self.flat:
            shade = np.round(shade * np.float32(FLAT_TONES)) / np.float32(FLAT_TONES)
        else:
            shade = shade * (grain[box] if isinstance(grain, ndarray) else grain)
        if outline:
            shade = shade * (1 - np.float32(outline) * np.clip(1 - inside / np.float32(OUTLINE_PIXELS), 0, 1))
        base = self.colours[colour] if isinstance(colour, str) else colour
        painted = base * np.asarray(shade, np.float32)[..., None] + shine
        target = self.rgba[box]
        target *= (1 - alpha)[..., None]
        target[..., :3] += np.clip(painted, 0, BRIGHTEST) * alpha[..., None]
        target[..., 3] += alpha


def _covered(distance: ndarray, reach: float) -> tuple[slice, slice] | None:
    """The rows and columns where a shape can be seen, at least two of each, or None."""
    near = distance < np.float32(reach)
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if len(rows) == 0:
        return None
    top, left = min(rows[0], distance.shape[0] - 2), min(columns[0], distance.shape[1] - 2)
    return slice(top, max(rows[-1] + 1, top + 2)), slice(left, max(columns[-1] + 1, left + 2))


def _bevel(distance: ndarray, width: float) -> tuple[ndarray, ndarray]:
    """Normal of a rim that rounds off over `width` inside the outline."""
    slope = np.clip(1 + distance / np.float32(width), 0, 1) * np.float32(STEEPEST)
    gy, gx = np.gradient(distance)
    slope /= np.hypot(gx, gy) + np.float32(1e-6)
    return gx * slope, gy * slope


def _shade(nx: Field, ny: Field, light: ndarray, gloss: float) -> tuple[ndarray, ndarray | float]:
    """Brightness `[h, w]` and highlight `[h, w, 1]` of a surface with normal (nx, ny, rest towards the eye)."""
    nz = np.sqrt(np.maximum(1 - nx * nx - ny * ny, 0))
    facing = np.maximum(nx * light[0] + ny * light[1] + nz * light[2], 0)
    shade = np.float32(AMBIENT) + np.float32(DIFFUSE) * facing
    if gloss <= 0:
        return shade, 0.0
    half = light + np.array([0, 0, 1], np.float32)
    half = half / np.linalg.norm(half)
    mirror = np.maximum(nx * half[0] + ny * half[1] + nz * half[2], 0)
    return shade, (np.float32(gloss) * mirror ** np.float32(SHININESS))[..., None]


@dataclass
class Stage:
    """Where one object stands: its pose in a picture of `height` x `width` pixels, its events, the frame times.

    `centre` is the local point that comes to lie at the body's (x, y); `half` half the extent of the larger side in
    local units, which is drawn `body.size` picture widths long. `flat`: brushes lay even colours.
    """

    body: Body
    events: tuple[Event, ...]
    times: ndarray
    height: int
    width: int
    light: ndarray
    centre: tuple[float, float]
    half: float
    flat: bool = False

    def __post_init__(self) -> None:
        self.scale = self.body.size * self.width / (2 * self.half)
        c, s = np.cos(self.body.angle), np.sin(self.body.angle)
        sign = -1.0 if self.body.flip else 1.0
        self.turn = np.array([[c * sign, -s], [s * sign, c]])
        self.colours = {role: rgb(colour) for role, colour in zip(ROLES, self.body.palette, strict=True)}
        towards = self.turn.T @ self.light[:2]
        self.local_light = np.array([*towards, self.light[2]], np.float32)

    def to_picture(self, x: ndarray, y: ndarray) -> tuple[ndarray, ndarray]:
        """Picture coordinates (column, row) of local points."""
        u, v = (x - self.centre[0]) * self.scale, (y - self.centre[1]) * self.scale
        column = self.turn[0, 0] * u + self.turn[0, 1] * v + self.body.x * self.width
        row = self.turn[1, 0] * u + self.turn[1, 1] * v + self.body.y * self.height
        return column, row

    def grid(self, extent: tuple[float, float, float, float]) -> tuple[int, int, ndarray, ndarray]:
        """Row and column of the picture box that covers a local rectangle, and local x, y of its pixels."""
        x0, y0, x1, y1 = extent
        columns, rows = self.to_picture(np.array([x0, x1, x0, x1]), np.array([y0, y0, y1, y1]))
        return self._grid(columns, rows)

    def _grid(self, columns: ndarray, rows: ndarray) -> tuple[int, int, ndarray, ndarray]:
        first = [int(np.clip(np.floor(v.min()) - 1, 0, n - 1)) for v, n in ((rows, self.height), (columns, self.width))]
        last = [
            int(np.clip(np.ceil(v.max()) + 1, f + 1, n))
            for v, n, f in ((rows, self.height, first[0]), (columns, self.width, first[1]))
        ]
        row = (np.arange(first[0], last[0], dtype=np.float32) + 0.5 - self.body.y * self.height)[:, None]
        column = (np.arange(first[1], last[1], dtype=np.float32) + 0.5 - self.body.x * self.width)[None]
        inverse = (self.turn.T / self.scale).astype(np.float32)
        x = inverse[0, 0] * column + inverse[0, 1] * row + np.float32(self.centre[0])
        y = inverse[1, 0] * column + inverse[1, 1] * row + np.float32(self.centre[1])
        return first[0], first[1], x, y

    def still(self, extent: tuple[float, float, float, float]) -> Brush:
        """A brush on the picture's own grid, for parts that do not move."""
        row, column, x, y = self.grid(extent)
        return Brush(x, y, self.scale, self.local_light, self.colours, row, column, self.flat)

    def sprite(self, extent: tuple[float, float, float, float]) -> Brush:
        """A brush on a grid of its own, for parts that will move."""
        density = self.scale * SPRITE_DENSITY
        x0, y0, x1, y1 = extent
        columns, rows = max(2, int(np.ceil((x1 - x0) * density))), max(2, int(np.ceil((y1 - y0) * density)))
        x = (np.float32(x0) + (np.arange(columns, dtype=np.float32) + 0.5) / np.float32(density))[None]
        y = (np.float32(y0) + (np.arange(rows, dtype=np.float32) + 0.5) / np.float32(density))[:, None]
        x, y = np.broadcast_arrays(x, y)
        return Brush(x, y, density, self.local_light, self.colours, flat=self.flat)

    def settle(self, brush: Brush) -> Part:
        """The part that a `still` brush painted."""
        return Part(brush.row, brush.column, brush.rgba[None], np.zeros(len(self.times), np.int64))

    def move(self, brush: Brush, motion: Motion) -> Part:
        """The part that a `sprite` brush painted, moved as `motion` says. Equal poses are drawn once."""
        poses = np.column_stack([motion.turn, motion.shift]).astype(np.float64)
        step = POSE_STEP_PIXELS / self.scale
        unique, shown = np.unique(np.round(poses / step) * step, axis=0, return_inverse=True)
        left, right = float(brush.x[0, 0]), float(brush.x[0, -1])
        top, bottom = float(brush.y[0, 0]), float(brush.y[-1, 0])
        corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
        c, s = np.cos(unique[:, 0])[:, None], np.sin(unique[:, 0])[:, None]
        px, py = motion.pivot
        u, v = corners[None, :, 0] - px, corners[None, :, 1] - py
        columns, rows = self.to_picture(px + c * u - s * v + unique[:, 1:2], py + s * u + c * v + unique[:, 2:3])
        row, column, x, y = self._grid(columns, rows)
        rgba = _warp(brush, x, y, motion.pivot, unique.astype(np.float32), (left, top))
        return Part(row, column, rgba, shown.reshape(-1))


def _warp(
    brush: Brush, x: ndarray, y: ndarray, pivot: tuple[float, float], poses: ndarray, origin: tuple[float, float]
) -> ndarray:
    """Look a sprite up at local points for each pose, bilinearly: `[U, h, w, 4]`, zero outside the sprite."""
    height, width = brush.x.shape
    padded = np.zeros((height + 2, width + 2, 4), np.float32)
    padded[1:-1, 1:-1] = brush.rgba
    flat = padded.reshape(-1, 4)
    result = np.empty((len(poses), *x.shape, 4), np.float32)
    px, py = np.float32(pivot[0]), np.float32(pivot[1])
    for pose, target in zip(poses, result, strict=True):
        c, s = np.cos(pose[0]), np.sin(pose[0])
        u, v = x - (px + pose[1]), y - (py + pose[2])
        column = (c * u + s * v + (px - np.float32(origin[0]))) * np.float32(brush.density) + 1
        row = (c * v - s * u + (py - np.float32(origin[1]))) * np.float32(brush.density) + 1
        np.clip(column, 0, width + 0.999, out=column)
        np.clip(row, 0, height + 0.999, out=row)
        left, top = column.astype(np.int32), row.astype(np.int32)
        a, b = (column - left)[..., None], (row - top)[..., None]
        index = top * (width + 2) + left
        upper = flat[index] * (1 - a) + flat[index + 1] * a
        lower = flat[index + width + 2] * (1 - a)
        lower += flat[index + width + 3] * a
        np.add(upper * (1 - b), lower * b, out=target)
    return result
