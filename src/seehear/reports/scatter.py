"""The map of sounds and pictures as inline SVG: shape says modality, colour says class (after AVSiam, figure 4).

Legend: N sounds, M pictures.
"""

import json
from dataclasses import dataclass

import numpy as np

from seehear.reports.markup import Markup, element, join, name_of
from seehear.reports.page import EmbeddingMap
from seehear.reports.palette import CLASSES, class_style

WIDTH, TALLEST, LOWEST, MARGIN = 560, 480, 300, 24  # user units
CROWDED = 12  # classes above which a phone shows their names in the legend only
LONGEST_NAME = 20  # letters of a class in the drawing
MOST_POINTS = 1500  # of each modality; more are thinned evenly
_RADII = ((500, 4.6), (1200, 3.6), (2 * MOST_POINTS, 2.7))  # size of a marker where there are so many at most
_LINE, _LETTER = 14, 3.4  # height of a class's name, and half the width of a letter, in user units
_Anchor = tuple[float, float, str, int]  # x, y, name, class
_Shown = dict[int, tuple[str, int]]  # class -> its name and its place in the palette


@dataclass(frozen=True)
class _Cloud:
    """The points of one modality in user units, with class and clip number of each."""

    modality: str
    points: np.ndarray
    classes: np.ndarray
    clips: np.ndarray


def scatter(embeddings: EmbeddingMap) -> Markup:
    """The whole figure: drawing, legend, tooltip. A sentence where there is no point."""
    clouds = _clouds(embeddings)
    if not any(len(cloud.points) for cloud in clouds):
        return element("p", "There were no embeddings to draw.", class_="quiet")
    shown = _shown_classes(clouds, embeddings.class_names)
    places, height = _placed(clouds)
    classes = np.concatenate([cloud.classes for cloud in clouds])
    radius = next(size for most, size in _RADII if len(classes) <= most)
    groups = [_markers(c, place, shown, radius) for c, place in zip(clouds, places, strict=True)]
    title = f"Map of {len(clouds[0].points)} sounds (discs) and {len(clouds[1].points)} pictures (triangles)"
    names = _class_names(np.concatenate(places), classes, shown, height)
    drawing = element(
        "svg", element("title", title), element("line", class_="pair"), *groups, names,
        viewBox=f"0 0 {WIDTH} {height:.0f}", role="img",
    )  # fmt: skip
    data = element("script", _json(embeddings, clouds), type="application/json", class_="map-data")
    tip = element("div", class_="tip", aria_hidden="true", hidden=True)
    legend = _legend(clouds, shown)
    return element("figure", element("div", drawing, tip, class_="canvas"), legend, data, class_="map")


def has_classes(embeddings: EmbeddingMap) -> bool:
    """Whether any point has a class with a name."""
    return bool(_shown_classes(_clouds(embeddings), embeddings.class_names))


def thinned(embeddings: EmbeddingMap) -> bool:
    """Whether not every point is drawn."""
    return max(len(embeddings.audio), len(embeddings.image)) > MOST_POINTS


def _clouds(embeddings: EmbeddingMap) -> tuple[_Cloud, _Cloud]:
    audio_labels, image_labels = embeddings.audio_labels, embeddings.image_labels
    if image_labels is None and len(embeddings.audio) == len(embeddings.image):
        image_labels = audio_labels
    return (
        _cloud("sound", embeddings.audio, audio_labels, embeddings.class_names),
        _cloud("picture", embeddings.image, image_labels, embeddings.class_names),
    )


def _cloud(modality: str, points: np.ndarray, labels: np.ndarray | None, names: tuple[str, ...]) -> _Cloud:
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    classes = np.full(len(points), -1) if labels is None else np.asarray(labels, dtype=int)
    classes = np.where((classes >= 0) & (classes < len(names)), classes, -1)
    clips = np.arange(0, len(points), -(-len(points) // MOST_POINTS) or 1)
    clips = clips[np.isfinite(points[clips]).all(axis=1)]
    return _Cloud(modality, points[clips], classes[clips], clips)


def _placed(clouds: tuple[_Cloud, ...]) -> tuple[list[np.ndarray], float]:
    """Points in user units, both modalities in one frame with the same scale on both axes, and the frame's height."""
    everything = np.concatenate([cloud.points for cloud in clouds])
    low, high = everything.min(axis=0), everything.max(axis=0)
    room = np.array([WIDTH, TALLEST]) - 2 * MARGIN
    scale = (room / np.maximum(high - low, 1e-9)).min() if (high > low).any() else 1.0
    height = max(LOWEST, float((high - low)[1]) * scale + 2 * MARGIN)
    centre = np.array([WIDTH, height]) / 2
    return [centre + (cloud.points - (low + high) / 2) * scale * (1, -1) for cloud in clouds], height


def _shown_classes(clouds: tuple[_Cloud, ...], names: tuple[str, ...]) -> _Shown:
    """The most frequent classes that occur, in the order of their names."""
    counts = np.bincount(np.concatenate([c.classes[c.classes >= 0] for c in clouds]), minlength=len(names))
    frequent = sorted(np.argsort(-counts, kind="stable")[:CLASSES].tolist())
    return {c: (names[c], place) for place, c in enumerate(c for c in frequent if counts[c])}


def _style(cloud: _Cloud, index: int, shown: _Shown) -> str:
    if index in shown:
        return class_style(shown[index][1])
    return f"m-{cloud.modality}" if not shown else "c-none"


def _markers(cloud: _Cloud, place: np.ndarray, shown: _Shown, radius: float) -> Markup:
    groups = []
    for index in np.unique(cloud.classes).tolist():
        members = np.flatnonzero(cloud.classes == index)
        marks = [_mark(cloud.modality, place[m], radius, int(cloud.clips[m])) for m in members]
        groups.append(element("g", *marks, class_=_style(cloud, index, shown), data_class=index))
    return element("g", *groups, class_="marks", data_modality=cloud.modality)


def _mark(modality: str, place: np.ndarray, radius: float, clip: int) -> Markup:
    x, y = place
    if modality == "sound":
        return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=radius, data_i=clip)
    return element("path", d=triangle(x, y, 1.25 * radius), data_i=clip)


def triangle(x: float, y: float, radius: float) -> str:
    """Path of an upright triangle around a point."""
    return f"M{x:.1f} {y - radius:.1f}l{0.95 * radius:.1f} {1.6 * radius:.1f}h{-1.9 * radius:.1f}z"


def _class_names(points: np.ndarray, classes: np.ndarray, shown: _Shown, height: float) -> Markup:
    """Each class's name above the thick of it, `points [N, 2]` and `classes [N]` of both modalities."""
    anchors: list[_Anchor] = []
    for index, (name, _) in shown.items():
        members = points[classes == index]
        few = members[:: -(-len(members) // 300)]
        distances = np.linalg.norm(few[:, None] - few[None], axis=-1)
        middle = few[np.sqrt(distances).sum(axis=1).argmin()]
        away = np.linalg.norm(members - middle, axis=1)
        crowd = members[away <= 2 * np.median(away)]
        short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "\u2026"
        anchors.append((float(middle[0]), float(np.percentile(crowd[:, 1], 4)) - 9, short, index))
    texts = (
        element("text", name, x=f"{x:.1f}", y=f"{y:.1f}", class_="mid", data_class=index)
        for x, y, name, index in _apart(anchors, height)
    )
    return element("g", *texts, class_="names crowded" if len(anchors) > CROWDED else "names", aria_hidden="true")


def _apart(anchors: list[_Anchor], height: float) -> list[_Anchor]:
    """Names from bottom to top, each lifted above those that it would cover, and kept inside the frame."""
    done: list[_Anchor] = []
    for x, y, name, index in sorted(anchors, key=lambda a: -a[1]):
        half = _LETTER * len(name) + 4
        x = min(max(x, half), max(WIDTH - half, WIDTH / 2))
        for other_x, other_y, other, _ in done:
            if abs(x - other_x) < half + _LETTER * len(other) and abs(y - other_y) < _LINE:
                y = other_y - _LINE
        done.append((x, min(max(y, _LINE), height - 4), name, index))
    return done


def _legend(clouds: tuple[_Cloud, ...], shown: _Shown) -> Markup:
    senses = [
        element("li", _swatch(f"m-{cloud.modality}", cloud.modality), f"{cloud.modality}s ({len(cloud.points)})")
        for cloud in clouds if len(cloud.points)
    ]  # fmt: skip
    buttons = [_class_button(clouds, index, name, class_style(place)) for index, (name, place) in shown.items()]
    others = sorted({int(c) for cloud in clouds for c in np.unique(cloud.classes)} - set(shown))
    if shown and others:
        label = "no class" if others == [-1] else "other classes"
        buttons.append(element("li", _swatch("c-none", "sound"), label, class_="other"))
    hint = element("p", "Press a class to bring it out.", class_="quiet hint") if shown else None
    classes = element("ul", join(buttons), class_="classes") if shown else None
    return element("div", element("ul", *senses, class_="senses"), classes, hint, class_="legend")


def _class_button(clouds: tuple[_Cloud, ...], index: int, name: str, style: str) -> Markup:
    counts = [int((cloud.classes == index).sum()) for cloud in clouds]
    words = f"{counts[0]} sounds, {counts[1]} pictures"
    number = element("small", sum(counts), title=words)
    swatches = join(_swatch(style, cloud.modality) for cloud in clouds if len(cloud.points))
    button = element("button", swatches, name_of(name), number, type="button", aria_pressed="false", data_class=index)
    return element("li", button)


def _swatch(style: str, modality: str) -> Markup:
    shape = element("circle", cx=7, cy=7, r=5) if modality == "sound" else element("path", d=triangle(7, 7, 6))
    return element("svg", element("g", shape, class_=style), viewBox="0 0 14 14", class_="swatch", aria_hidden="true")


def _json(embeddings: EmbeddingMap, clouds: tuple[_Cloud, ...]) -> Markup:
    """Names for the tooltip; `<` is escaped so that no name can end the script element."""
    data = {
        "classes": list(embeddings.class_names),
        "names": {int(i): embeddings.names[i] for c in clouds for i in c.clips if i < len(embeddings.names)},
        "paired": len(embeddings.audio) == len(embeddings.image),
    }
    return Markup(json.dumps(data).replace("<", "\\u003c"))
