"""Original, masked input and reconstruction side by side, for pictures and for sounds.

Legend: H W picture, T spectrogram frames, F mel bins.
"""

from collections.abc import Sequence

import numpy as np

from seehear.reports.markup import Markup, element, join, name_of
from seehear.reports.page import Drawing
from seehear.reports.pictures import photograph, photograph_with_holes, shrink, spectrogram

MOST_DRAWINGS = 6  # of each kind
_HEADINGS = {"picture": "Pictures", "sound": "Sounds"}


def panels(drawings: Sequence[Drawing]) -> Markup:
    """All drawings by kind; sounds are spectrograms, time to the right and frequency upward."""
    return join(_kind(kind, [d for d in drawings if d.kind == kind]) for kind in _HEADINGS)


def _kind(kind: str, drawings: list[Drawing]) -> Markup:
    if not drawings:
        return Markup()
    note = "Spectrograms: time runs to the right, pitch upward; bright is loud." if kind == "sound" else ""
    cut = f" The first {MOST_DRAWINGS} of {len(drawings)}." if len(drawings) > MOST_DRAWINGS else ""
    text = element("p", note + cut, class_="quiet") if note + cut else None
    shown = (_drawing(drawing) for drawing in drawings[:MOST_DRAWINGS])
    return element("div", element("h3", _HEADINGS[kind]), text, element("div", *shown, class_=f"drawings {kind}s"))


def _drawing(drawing: Drawing) -> Markup:
    sources = _pictures(drawing) if drawing.kind == "picture" else _spectrograms(drawing)
    height, width = drawing.original.shape[:2] if drawing.kind == "picture" else drawing.original.shape[::-1]
    share = 0.0 if drawing.mask is None else 100 * drawing.mask.mean()
    names = {"original": "original", "masked": f"input, {share:.0f} % hidden", "reconstruction": "reconstruction"}
    cells = [
        element("div", element("img", src=source, alt=f"{_alt(drawing)}: {names[name]}", width=width, height=height),
                element("span", names[name]), class_=f"panel {name}")
        for name, source in sources.items()
    ]  # fmt: skip
    caption = element("figcaption", name_of(drawing.title)) if drawing.title else None
    return element("figure", caption, element("div", *cells, class_="panel-row"), class_="drawing")


def _alt(drawing: Drawing) -> str:
    kind = "Picture" if drawing.kind == "picture" else "Spectrogram"
    return f"{kind} of {drawing.title}" if drawing.title else kind


def _pictures(drawing: Drawing) -> dict[str, str]:
    sources = {"original": photograph(drawing.original)}
    if drawing.mask is not None:
        hidden = np.repeat(drawing.mask[..., None], 3, axis=2).astype(np.uint8) * 255
        sources["masked"] = photograph_with_holes(shrink(drawing.original), shrink(hidden)[..., 0] > 127)
    return sources | {"reconstruction": photograph(drawing.reconstruction)}


def _spectrograms(drawing: Drawing) -> dict[str, str]:
    """All three on the scale of the original, so that colours can be compared."""
    finite = drawing.original[np.isfinite(drawing.original)]
    low, high = np.percentile(finite, [1, 99.8]).tolist() if finite.size else (0.0, 1.0)
    sources = {"original": spectrogram(drawing.original, low, high)}
    if drawing.mask is not None:
        sources["masked"] = spectrogram(drawing.original, low, high, drawing.mask)
    return sources | {"reconstruction": spectrogram(drawing.reconstruction, low, high)}
