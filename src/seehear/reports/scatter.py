"""The map of sounds and pictures as inline SVG: shape says modality, colour says class (after AVSiam, figure 4).

Legend: N sounds, M pictures.
"""

import json
from dataclasses import dataclass

import numpy as np

from seehear.reports.markup import Markup, element, join, name_of
from seehear.reports.page import EmbeddingMap
from seehear.reports.palette import CLASSES, class_style

WIDTH, HEIGHT, MARGIN = 560, 470, 22
MOST_POINTS = 1500  # of each modality; more are thinned evenly
_LINE = 15  # height of a class's name in user units


@dataclass(frozen=True)
class _Cloud:
    """The points of one modality in user units, with class and clip number of each."""

    modality: str
    points: np.ndarray
    classes: np.ndarray
    clips: np.ndarray


def scatter(embeddings: EmbeddingMap) -> Markup:
    """The whole figure: drawing, legend, tooltip, table. A sentence where there is no point."""
    clouds = _clouds(embeddings)
    if not any(len(cloud.points) for cloud in clouds):
        return element("p", "There were no embeddings to draw.", class_="quiet")
    shown = _shown_classes(clouds, embeddings.class_names)
    places = _placed(clouds)
    radius = 4.6 if sum(map(len, places)) <= 500 else 3.6 if sum(map(len, places)) <= 1200 else 2.7
    groups = [_markers(c, place, shown, radius) for c, place in zip(clouds, places, strict=True)]
    title = f"Map of {len(clouds[0].points)} sounds (discs) and {len(clouds[1].points)} pictures (triangles)"
    drawing = element(
        "svg", element("title", title), element("line", class_="pair"), *groups, _class_names(clouds, places, shown),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
    )  # fmt: skip
    data = element("script", _json(embeddings, clouds), type="application/json", class_="map-data")
    tip = element("div", class_="tip", aria_hidden="true", hidden=True)
    legend = _legend(clouds, shown)
    return element("figure", element("div", drawing, tip, class_="canvas"), legend, data, class_="map")


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


def _placed(clouds: tuple[_Cloud, ...]) -> list[np.ndarray]:
    """Points in user units, both modalities in one frame, the same scale on both axes."""
    everything = np.concatenate([cloud.points for cloud in clouds])
    low, high = everything.min(axis=0), everything.max(axis=0)
    room = np.array([WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN])
    extent = np.maximum(high - low, 1e-9)
    scale = (room / extent).min() if (high > low).any() else 1.0
    centre = np.array([WIDTH, HEIGHT]) / 2
    return [centre + (cloud.points - (low + high) / 2) * scale * (1, -1) for cloud in clouds]


def _shown_classes(clouds: tuple[_Cloud, ...], names: tuple[str, ...]) -> dict[int, tuple[str, int]]:
    """Class -> its name and its place in the palette, for the most frequent ones that occur; in the order of names."""
    counts = np.bincount(np.concatenate([c.classes[c.classes >= 0] for c in clouds]), minlength=len(names))
    frequent = sorted(np.argsort(-counts, kind="stable")[:CLASSES].tolist())
    return {c: (names[c], place) for place, c in enumerate(c for c in frequent if counts[c])}


def _style(cloud: _Cloud, index: int, shown: dict[int, tuple[str, int]]) -> str:
    if index in shown:
        return class_style(shown[index][1])
    return f"m-{cloud.modality}" if not shown else "c-none"


def _markers(cloud: _Cloud, place: np.ndarray, shown: dict[int, tuple[str, int]], radius: float) -> Markup:
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


def _class_names(clouds: tuple[_Cloud, ...], places: list[np.ndarray], shown: dict[int, tuple[str, int]]) -> Markup:
    """Each class's name at the point that lies most in the middle of it, moved apart where names would overlap."""
    points, classes = np.concatenate(places), np.concatenate([cloud.classes for cloud in clouds])
    anchors: list[tuple[float, float, str, int]] = []
    for index, (name, _) in shown.items():
        members = points[classes == index]
        distances = np.sqrt(np.linalg.norm(members[:, None] - members[None], axis=-1)).sum(axis=1)
        x, y = members[distances.argmin()]
        anchors.append((float(x), float(y), name, index))
    texts = []
    for x, y, name, index in _apart(anchors):
        texts.append(element("text", name, x=f"{x:.1f}", y=f"{y:.1f}", class_="mid", data_class=index))
    return element("g", *texts, class_="names", aria_hidden="true")


def _apart(anchors: list[tuple[float, float, str, int]]) -> list[tuple[float, float, str, int]]:
    """Names from top to bottom, each lowered below those that it would cover, and kept inside the frame."""
    done: list[tuple[float, float, str, int]] = []
    for x, y, name, index in sorted(anchors, key=lambda a: a[1]):
        half = 3.8 * len(name) + 4
        x = min(max(x, half), max(WIDTH - half, WIDTH / 2))
        for other_x, other_y, other, _ in done:
            if abs(x - other_x) < half + 3.8 * len(other) and abs(y - other_y) < _LINE:
                y = other_y + _LINE
        done.append((x, min(max(y, _LINE), HEIGHT - 4), name, index))
    return done


def _legend(clouds: tuple[_Cloud, ...], shown: dict[int, tuple[str, int]]) -> Markup:
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
    swatches = join([_swatch(style, "sound"), _swatch(style, "picture")])
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
