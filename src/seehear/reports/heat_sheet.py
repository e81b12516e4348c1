"""A sheet of one localised clip: pictures with their maps over time, the sound, and the score of each tile.

Legend: T frames, H W picture, S samples, K tiles.
"""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seehear.reports.heat_map import TABLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, SILENT = "#1b1d22", "#5b5e66", "#e9e5dc"
DOTS_PER_INCH, WIDTH, MARGIN, GAP = 110, 13.0, 0.9, 0.14  # lengths are inches
COLUMNS, TITLE, STRIP, LINE, LINE_CHARACTERS = 4, 0.55, 0.85, 0.2, 150
_SHOWN_SAMPLES = 4000


@dataclass(frozen=True, eq=False)
class Sheet:
    """What the sheet shows.

    Attributes:
        title: its heading.
        pictures: uint8 `[T, H, W, 3]` with their maps laid over them.
        seconds: when each is shown.
        peaks: where the map of each is greatest, (x, y) as shares of the picture; None where it is silent.
        sound: int16 `[S]`.
        duration_seconds: of the sound.
        middles: `[K]` seconds of the tiles.
        scores: `[K]` the greatest value of each tile's map, NaN where it is silent.
        hop: seconds of a tile.
        extremes: the least and the greatest value of all maps, which the colours run between.
        notes: lines below.
    """

    title: str
    pictures: NDArray[np.uint8]
    seconds: Sequence[float]
    peaks: Sequence[tuple[float, float] | None]
    sound: NDArray[np.int16]
    duration_seconds: float
    middles: NDArray[np.float64]
    scores: NDArray[np.float64]
    hop: float
    extremes: tuple[float, float]
    notes: tuple[str, ...] = ()


def heat_sheet(sheet: Sheet) -> bytes:
    """The sheet as PNG."""
    from matplotlib.figure import Figure

    count = len(sheet.pictures)
    across = min(COLUMNS, count)
    side = (WIDTH - 2 * MARGIN - (across - 1) * GAP) / across
    tall = min(side * sheet.pictures.shape[1] / sheet.pictures.shape[2], 1.5 * side)
    rows = -(-count // across)
    words = [line for note in sheet.notes for line in textwrap.wrap(note, LINE_CHARACTERS)]
    strips = TITLE + rows * (tall + 0.36)
    height = strips + 2 * (STRIP + GAP) + 0.5 + LINE * len(words) + 0.1
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor="white")
    figure.text(MARGIN / WIDTH, 1 - 0.28 / height, sheet.title, fontsize=13, weight="bold", color=INK, va="center")
    for place in range(count):
        row, column = divmod(place, across)
        top = TITLE + row * (tall + 0.36) + 0.2
        _picture(_axes(figure, MARGIN + column * (side + GAP), top, side, tall), sheet, place)
    wide = WIDTH - 2 * MARGIN
    _colours(figure, sheet, MARGIN + wide + 0.12, TITLE + 0.2, tall)
    _waveform(_axes(figure, MARGIN, strips + GAP, wide, STRIP), sheet)
    _scores(_axes(figure, MARGIN, strips + STRIP + 2 * GAP, wide, STRIP), sheet)
    for place, line in enumerate(words):
        below = strips + 2 * (STRIP + GAP) + 0.5 + LINE * place
        figure.text(MARGIN / WIDTH, 1 - below / height, line, fontsize=9, color=QUIET, va="top", parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _axes(figure: "Figure", left: float, top: float, width: float, height: float) -> "Axes":
    """Axes at a place in inches from the top left."""
    across, whole = figure.get_figwidth(), figure.get_figheight()
    return figure.add_axes((left / across, 1 - (top + height) / whole, width / across, height / whole))


def _picture(axes: "Axes", sheet: Sheet, place: int) -> None:
    pixels, peak = sheet.pictures[place], sheet.peaks[place]
    height, width = pixels.shape[:2]
    axes.imshow(pixels, extent=(0, width, height, 0), aspect="auto")
    said = f"{sheet.seconds[place]:.2f} s" + ("" if peak else ", silent: no map")
    axes.set_title(said, fontsize=9, color=QUIET, pad=3)
    if peak:
        for colour, size in (("black", 15), ("white", 12)):
            axes.plot(peak[0] * width, peak[1] * height, "+", color=colour, markersize=size, markeredgewidth=2)
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])


def _colours(figure: "Figure", sheet: Sheet, left: float, top: float, height: float) -> None:
    """The colours from the least to the greatest value."""
    axes = _axes(figure, left, top, 0.14, height)
    axes.imshow(np.linspace(1, 0, 256)[:, None], aspect="auto", cmap=TABLE, extent=(0, 1, 0, 1))
    axes.yaxis.tick_right()
    axes.set(xticks=[], yticks=[0, 1])
    axes.set_yticklabels([f"{value:.3g}" for value in sheet.extremes], fontsize=8, color=QUIET)


def _waveform(axes: "Axes", sheet: Sheet) -> None:
    """The outline of the sound: least and greatest sample of each of so many parts."""
    group = max(1, -(-len(sheet.sound) // _SHOWN_SAMPLES))
    parts = np.pad(sheet.sound, (0, -len(sheet.sound) % group)).reshape(-1, group).astype(np.float64)
    times = (np.arange(len(parts)) + 0.5) * sheet.duration_seconds / len(parts)
    axes.fill_between(times, parts.min(axis=1), parts.max(axis=1), color=INK, linewidth=0.3)
    top = float(np.abs(parts).max()) or 1.0
    axes.set(ylim=(-1.05 * top, 1.05 * top), yticks=[])
    _time(axes, sheet, "sound", labelled=False)


def _scores(axes: "Axes", sheet: Sheet) -> None:
    axes.plot(sheet.middles, sheet.scores, color="#31688e", linewidth=1.4, marker="o", markersize=2.5)
    axes.tick_params(axis="y", labelsize=8, colors=QUIET)
    _time(axes, sheet, "best place", labelled=True)


def _time(axes: "Axes", sheet: Sheet, title: str, labelled: bool) -> None:
    for middle, score in zip(sheet.middles, sheet.scores, strict=True):
        if np.isnan(score):
            axes.axvspan(middle - sheet.hop / 2, middle + sheet.hop / 2, color=SILENT, linewidth=0)
    axes.set_xlim(0, sheet.duration_seconds)
    axes.set_ylabel(title, fontsize=8.5, color=QUIET)
    axes.tick_params(axis="x", labelsize=8, colors=QUIET, labelbottom=labelled)
    if labelled:
        axes.set_xlabel("seconds", fontsize=8.5, color=QUIET)
    for edge in axes.spines.values():
        edge.set_color("#c3bfb6")
