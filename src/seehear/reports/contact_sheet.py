"""A contact sheet of one clip of the world: everything that is known of it, on one picture.

Frames over time with boxes, mask outlines and names; the waveform; the log-mel spectrogram with the beginnings of
events; the envelopes of the stems; the facts in words. Each object has one colour, which its source has too.

Legend: T frames, S samples, N bodies.
"""

import io
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from seehear.reports.clip_facts import facts_in_words
from seehear.reports.palette import LIGHT
from seehear.world import Rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FRAMES = 8
DOTS_PER_INCH = 110
WIDTH, LEFT, RIGHT, GAP = 15.0, 0.85, 0.12, 0.12  # lengths of the sheet are inches
TITLE, WAVEFORM, SPECTROGRAM, STEM, TICKS, LINE = 0.72, 0.7, 1.9, 0.34, 0.3, 0.2
UNSEEN = "#5b5e66"  # of sources off screen, and of the background
INK, QUIET = "#1b1d22", "#5b5e66"
LINE_CHARACTERS = 168
DECIBELS = 70.0  # shown below the loudest cell of the spectrogram
HOP, FIRST_FRAME = 0.01, 0.0075  # seconds between columns of the spectrogram; the first is centred on 12.5 ms
ENVELOPE_SECONDS = 0.01


def contact_sheet(clip: Rendered) -> bytes:
    """The sheet as PNG."""
    from matplotlib.figure import Figure

    words = [line for fact in facts_in_words(clip) for line in textwrap.wrap(fact, LINE_CHARACTERS)]
    side = (WIDTH - LEFT - RIGHT + GAP) / FRAMES - GAP
    heights = [TITLE, side, WAVEFORM, SPECTROGRAM, STEM * len(clip.stems) + TICKS, LINE * (len(words) + 1)]
    figure = Figure(figsize=(WIDTH, sum(heights) + 4 * GAP), dpi=DOTS_PER_INCH, facecolor="white")
    tops = np.cumsum([TITLE + 0.0, *(height + GAP for height in heights[1:-1])]).tolist()
    figure.text(0.012, 1 - 0.25 / figure.get_figheight(), clip.id, fontsize=15, weight="bold", color=INK, va="center")
    for place, frame in enumerate(np.linspace(0, len(clip.pixels) - 1, FRAMES).round().astype(int)):
        _frame(_axes(figure, tops[0], side, LEFT + place * (side + GAP), side), clip, int(frame))
    _waveform(_axes(figure, tops[1], WAVEFORM), clip)
    _spectrogram(_axes(figure, tops[2], SPECTROGRAM), clip)
    for place, name in enumerate(clip.stems):
        _envelope(_axes(figure, tops[3] + place * STEM, STEM - 0.05), clip, name, last=place == len(clip.stems) - 1)
    for place, line in enumerate(words):
        height = 1 - (tops[4] + LINE * place) / figure.get_figheight()
        figure.text(0.012, height, line, fontsize=9.5, color=INK, va="top", parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _axes(figure: "Figure", top: float, height: float, left: float = LEFT, width: float | None = None) -> "Axes":
    """Axes at a place in inches from the top left; by default as wide as the sheet."""
    whole = figure.get_figheight()
    width = WIDTH - LEFT - RIGHT if width is None else width
    return figure.add_axes((left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole))


def colour_of(clip: Rendered, body: int | None) -> str:
    """The colour of a body and of its sound."""
    return UNSEEN if body is None else LIGHT[body % len(LIGHT)]


def _frame(axes: "Axes", clip: Rendered, frame: int) -> None:
    """One frame with what is known to be where."""
    size = clip.pixels.shape[1]
    axes.imshow(clip.pixels[frame], extent=(0, size, size, 0), interpolation="nearest")
    for number, item in enumerate(clip.truth["objects"]):
        mask = clip.masks[number, frame]
        if not mask.any():
            continue
        colour = colour_of(clip, number)
        centres = np.arange(-1, size + 1) + 0.5
        axes.contour(centres, centres, np.pad(mask, 1), [0.5], colors=[colour], linewidths=1.1)
        x0, y0, x1, y1 = np.array(item["boxes"][frame]) * size
        dashes = "-" if item["sounding"] else (0, (2, 2))
        axes.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], color=colour, linewidth=1.2, linestyle=dashes)
        name = {"fontsize": 6.5, "color": "white", "va": "bottom" if y0 > 0.09 * size else "top"}
        axes.text(x0, y0, item["class"], **name, bbox={"facecolor": colour, "edgecolor": "none", "pad": 1})
    rate = clip.scene.format.frames_per_second
    axes.set_title(f"{frame * rate[1] / rate[0]:.2f} s", fontsize=8, color=QUIET, pad=3)
    axes.set(xlim=(0, size), ylim=(size, 0), xticks=[], yticks=[])


def _waveform(axes: "Axes", clip: Rendered) -> None:
    times = np.arange(len(clip.waveform)) / clip.scene.format.sample_rate
    axes.plot(times, clip.waveform, color=INK, linewidth=0.4)
    top = float(np.abs(clip.waveform).max()) or 1.0
    axes.set(ylim=(-1.05 * top, 1.05 * top), yticks=[])
    _time(axes, clip, "waveform", labelled=False)


def _spectrogram(axes: "Axes", clip: Rendered) -> None:
    """Log-mel filter banks with the beginnings of events above them, and what is said written into them."""
    import torch

    from seehear.signals import fbank

    bank = fbank(torch.from_numpy(clip.waveform)[None])[0].numpy().T
    top = float(bank.max())
    axes.imshow(
        bank, origin="lower", aspect="auto", cmap="magma", vmin=top - DECIBELS * np.log(10) / 10, vmax=top,
        extent=(FIRST_FRAME, FIRST_FRAME + HOP * bank.shape[1], 0, len(bank)),
    )  # fmt: skip
    owners = {item["id"]: item["object"] for item in clip.truth["sources"]}
    for event in clip.truth["events"]:
        at = event["t_on"] + clip.truth.get("sync_offset_seconds", 0.0)
        if 0 <= at < clip.scene.format.seconds:
            colour = colour_of(clip, owners[event["source"]])
            axes.plot([at, at], [0, len(bank)], color="white", linewidth=0.7, alpha=0.55)
            axes.plot(at, len(bank), marker="v", color=colour, markersize=7, markeredgecolor="white", clip_on=False)
    for word in clip.truth.get("speech", {}).get("words", []):
        axes.text(word["t_on"], 3, word["word"], color="white", fontsize=9, weight="bold")
    axes.set_yticks([])
    _time(axes, clip, "log-mel,\nonsets", labelled=False)


def _envelope(axes: "Axes", clip: Rendered, name: str, last: bool) -> None:
    """The level of one stem over time, on one scale for all stems."""
    form = clip.scene.format
    block = round(ENVELOPE_SECONDS * form.sample_rate)
    count = form.samples // block
    levels = np.sqrt((clip.stems[name][: count * block].reshape(count, block).astype(np.float64) ** 2).mean(axis=1))
    decibels = np.clip(20 * np.log10(levels + 1e-9) + DECIBELS, 0, None)
    colour, title = UNSEEN, name
    if name.startswith("source "):
        source = clip.truth["sources"][int(name.removeprefix("source "))]
        colour, title = colour_of(clip, source["object"]), source["class"]
    axes.fill_between((np.arange(count) + 0.5) * ENVELOPE_SECONDS, decibels, color=colour, linewidth=0)
    axes.set(ylim=(0, DECIBELS), yticks=[])
    _time(axes, clip, title, labelled=last)


def _time(axes: "Axes", clip: Rendered, title: str, labelled: bool) -> None:
    axes.set_xlim(0, clip.scene.format.seconds)
    axes.set_ylabel(title, rotation=0, ha="right", va="center", fontsize=8.5, color=QUIET)
    axes.tick_params(axis="x", labelsize=8, colors=QUIET, labelbottom=labelled)
    for edge in axes.spines.values():
        edge.set_color("#c3bfb6")
