"""Everything that a report shows, as plain arrays and strings; each part may be missing.

Legend: H W picture, S samples of sound at 16 kHz, T spectrogram frames, F mel bins, N points.
Pictures are uint8 `[H, W, 3]`, sounds int16 `[S]`. Any text may come from a user's files: it is escaped when written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from seehear.contracts import Figure, Reconstruction

Verdict = Literal["right", "same class", "wrong"]
Direction = Literal["sound to picture", "picture to sound"]
SECTIONS: dict[str, str] = {  # key -> heading, in the order of the page
    "gallery": "What it finds",
    "figures": "How good it is",
    "map": "One map for both senses",
    "reconstructions": "Filling in what was hidden",
    "curves": "How it learnt",
    "examples": "What it learnt from",
    "skipped": "What was left out",
    "run": "The run",
}


@dataclass(frozen=True)
class Curve:
    """One line of a chart: `steps [N]` and `values [N]`; values that are not finite leave gaps.

    Attributes:
        chart: curves of the same chart share its axes; empty: a chart of its own, titled `name`.
        floor: a level to compare with, drawn dashed, e.g. the loss of a guess.
        floor_name: what that level is.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray
    chart: str = ""
    floor: float | None = None
    floor_name: str = "a guess"


@dataclass(frozen=True)
class Drawing:
    """What a masked autoencoder was shown, what was hidden from it, and what it drew.

    Attributes:
        kind: "picture" (uint8 `[H, W, 3]`) or "sound" (log-mel spectrogram, float `[T, F]`).
        original: the whole input.
        reconstruction: the same shape.
        mask: bool `[H, W]` or `[T, F]`, True where hidden; None: the middle panel is left out.
    """

    kind: Literal["picture", "sound"]
    original: np.ndarray
    reconstruction: np.ndarray
    mask: np.ndarray | None = None
    title: str = ""


@dataclass(frozen=True)
class EmbeddingMap:
    """Audio and picture embeddings in one plane (after AVSiam, figure 4), e.g. from `project`.

    Attributes:
        audio: `[N, 2]` (or `[0, 2]`).
        image: `[M, 2]`; where N equals M, point i of both belongs to the same clip.
        audio_labels: int `[N]` into `class_names`, -1 for none; None: no labels.
        image_labels: int `[M]`; None: the audio labels, where N equals M.
        class_names: name of each class.
        names: name of each clip, for the tooltip.
    """

    audio: np.ndarray
    image: np.ndarray
    audio_labels: np.ndarray | None = None
    image_labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """One clip to look at and listen to: thumbnail `[H, W, 3]` uint8, sound `[S]` int16 at 16 kHz."""

    thumbnail: np.ndarray | None = None
    waveform: np.ndarray | None = None
    label: str = ""
    name: str = ""


@dataclass(frozen=True)
class Hit(Example):
    """One answer to a query, best first.

    Attributes:
        verdict: "right" (the query's own clip), "same class", "wrong", or None where nothing is known.
        score: cosine similarity.
    """

    verdict: Verdict | None = None
    score: float | None = None


@dataclass(frozen=True)
class Query(Example):
    """One search through a gallery of held-out clips.

    Attributes:
        direction: "sound to picture" or "picture to sound".
        hits: the best answers, best first (five are shown).
        rank: place of the query's own clip, 1 is best.
        gallery_size: clips that were searched.
    """

    direction: Direction = "sound to picture"
    hits: tuple[Hit, ...] = ()
    rank: int | None = None
    gallery_size: int | None = None


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used: where, which typed reason (`errors.SkipReason`), and what was found."""

    path: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Page:
    """One report.

    Attributes:
        title: the heading.
        subtitle: one line below it.
        summary: sentences, each a paragraph.
        facts: short facts by name: parameters, steps, minutes, clips, fingerprint, versions.
        figures: the table of figures with floors and ceilings.
        headlines: names of figures to show large; empty: the first of each of the first four groups
            (names without their last part) that has a chance level.
        notes: a sentence by section (keys of `SECTIONS`), shown under its heading; a section that has nothing but a
            note is shown with it, so that a reader learns why something is missing.
        configuration: nested mappings, shown folded.
        next_steps: sentence -> command.
    """

    title: str = "SeeHear report"
    subtitle: str = ""
    summary: tuple[str, ...] = ()
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    headlines: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    reconstructions: tuple[Drawing, ...] = ()
    map: EmbeddingMap | None = None
    gallery: tuple[Query, ...] = ()
    examples: tuple[Example, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    next_steps: Mapping[str, str] = field(default_factory=dict)


def drawings(reconstruction: Reconstruction, titles: Iterable[str] = ()) -> tuple[Drawing, ...]:
    """The clips of a method's `Reconstruction` as drawings: `[B, 3, H, W]` are pictures, `[B, T, F]` are sounds."""
    names = list(titles)
    originals = reconstruction.original.detach().float().cpu().numpy()
    drawn = reconstruction.reconstruction.detach().float().cpu().numpy()
    masks = reconstruction.mask.detach().cpu().numpy().astype(bool)
    names += [""] * (len(originals) - len(names))
    if originals.ndim == 3:
        rows = zip(originals, drawn, masks, names, strict=False)
        return tuple(Drawing("sound", before, after, mask, name) for before, after, mask, name in rows)
    rows = zip(_pixels(originals), _pixels(drawn), np.any(masks, axis=1), names, strict=False)
    return tuple(Drawing("picture", before, after, mask, name) for before, after, mask, name in rows)


def _pixels(pictures: np.ndarray) -> np.ndarray:
    """`[B, 3, H, W]` in 0 to 1 -> uint8 `[B, H, W, 3]`."""
    return np.round(np.nan_to_num(pictures.transpose(0, 2, 3, 1)).clip(0, 1) * 255).astype(np.uint8)
