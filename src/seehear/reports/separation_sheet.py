"""A sheet of a mixture taken apart: each source's picture with its region, beside spectrograms on one scale.

Legend: H W picture, n samples.
"""

import io
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seehear.reports.heat_sheet import DOTS_PER_INCH, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, TITLE, SIDE, MARGIN, GAP, LINE, LINE_CHARACTERS = 13.0, 0.7, 2.1, 0.55, 0.5, 0.2, 150  # lengths are inches
DECIBELS = 70.0  # shown below the loudest cell of the mixture
SIZE, COLUMNS = 1024, 600  # samples of a short-time spectrum, and how many are shown of a sound
Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Row:
    """One source.

    Attributes:
        title: what stands above its spectrogram.
        picture: uint8 `[H, W, 3]`.
        region: left, top, right, bottom of what the network was shown of it, as shares.
        sound: `[n]` as the network has it.
        true: `[n]`, or None where it is not known.
    """

    title: str
    picture: NDArray[np.uint8]
    region: Region
    sound: NDArray[np.floating]
    true: NDArray[np.floating] | None


def separation_sheet(
    title: str, mixture: NDArray[np.floating], rows: list[Row], rate: int, notes: tuple[str, ...] = ()
) -> bytes:
    """The sheet as PNG: the mixture on top, then a line for each source."""
    from matplotlib.figure import Figure

    words = [line for note in notes for line in textwrap.wrap(note, LINE_CHARACTERS)]
    step = SIDE + GAP
    height = TITLE + (1 + len(rows)) * step + 0.4 + LINE * len(words)
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor="white")
    figure.text(MARGIN / WIDTH, 1 - 0.26 / height, title, fontsize=13, weight="bold", color=INK, va="center")
    wide = WIDTH - 2 * MARGIN - SIDE * 1.5 - GAP
    left = MARGIN + SIDE * 1.5 + GAP
    spectra = {"mixture": decibels(mixture)}
    top = float(spectra["mixture"].max())
    seconds = len(mixture) / rate

    def draw(sound: NDArray[np.floating], said: str, at: int, place: float, width: float) -> None:
        _spectrogram(_axes(figure, place, TITLE + at * step, width), decibels(sound), top, seconds, rate, said)

    draw(mixture, "mixture", 0, left, wide)
    for number, row in enumerate(rows, start=1):
        _picture(_axes(figure, MARGIN, TITLE + number * step, SIDE * 1.5), row)
        if row.true is None:
            draw(row.sound, row.title, number, left, wide)
        else:
            half = (wide - GAP) / 2
            draw(row.sound, row.title, number, left, half)
            draw(row.true, "the true sound", number, left + half + GAP, half)
    for place, line in enumerate(words):
        below = TITLE + (1 + len(rows)) * step + 0.25 + LINE * place
        figure.text(MARGIN / WIDTH, 1 - below / height, line, fontsize=9, color=QUIET, va="top", parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def decibels(sound: NDArray[np.floating]) -> NDArray[np.float64]:
    """Short-time spectra `[bins, columns]` in decibels: Hann windows of 1024 samples, spread evenly over the sound."""
    padded = np.pad(np.asarray(sound, np.float64), (0, max(0, SIZE - len(sound))))
    count = min(COLUMNS, max(1, (len(padded) - SIZE) // (SIZE // 4) + 1))
    starts = np.linspace(0, len(padded) - SIZE, count).astype(int)
    pieces = padded[starts[:, None] + np.arange(SIZE)] * np.hanning(SIZE)
    return 20 * np.log10(np.abs(np.fft.rfft(pieces, axis=1)).T + 1e-6)


def _axes(figure: "Figure", left: float, top: float, width: float) -> "Axes":
    across, whole = figure.get_figwidth(), figure.get_figheight()
    return figure.add_axes((left / across, 1 - (top + SIDE) / whole, width / across, SIDE / whole))


def _picture(axes: "Axes", row: Row) -> None:
    height, width = row.picture.shape[:2]
    axes.imshow(row.picture)
    left, top, right, bottom = (share * side for share, side in zip(row.region, (width, height) * 2, strict=True))
    for colour, line in (("black", 3.5), ("white", 1.6)):
        axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=colour, linewidth=line)
    axes.set(xlim=(-2, width + 2), ylim=(height + 2, -2), xticks=[], yticks=[])
    axes.set_axis_off()


def _spectrogram(axes: "Axes", values: NDArray[np.float64], top: float, seconds: float, rate: int, title: str) -> None:
    extent = (0.0, seconds, 0.0, rate / 2000)
    axes.imshow(values, origin="lower", aspect="auto", cmap="magma", vmin=top - DECIBELS, vmax=top, extent=extent)
    axes.set_title(title, fontsize=9, color=QUIET, pad=3)
    axes.tick_params(labelsize=7.5, colors=QUIET)
    axes.set_ylabel("kHz", fontsize=8, color=QUIET)
