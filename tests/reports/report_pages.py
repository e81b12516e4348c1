"""Pages to write in the tests of this room, and a strict reader of what was written."""

import re
from html.parser import HTMLParser

import numpy as np

from seehear.contracts import Figure
from seehear.reports import Curve, Drawing, EmbeddingMap, Example, Hit, Page, Query, Skipped

NASTY = "<script>alert(1)</script> \"quoted\" 'single' & 🐦 \u202eabc \ud800 \x00 </style>"
VOID = {"br", "img", "link", "meta"}


class Reader(HTMLParser):
    """Fails on a tag that is closed in the wrong order or never; keeps elements, attributes and text."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}: {names}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [a for _, a in self.elements if name in (a.get("class") or "").split()]


def picture(seed: int, height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def sound(seed: int, seconds: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, round(16_000 * seconds), dtype=np.int16)


def query(direction: str, seed: int, text: str = "bell", hits: int = 5) -> Query:
    verdicts = ("right", "same class", "wrong", None, "wrong")
    answers = tuple(
        Hit(picture(seed + i), sound(seed + i), text, f"clip {i} {text}", verdicts[i % 5], 0.5) for i in range(hits)
    )
    return Query(picture(seed), sound(seed), text, text, direction, answers, rank=1, gallery_size=200)


def full_page(text: str = "bell") -> Page:
    """A page with every part, in which every free text is `text`."""
    rng = np.random.default_rng(0)
    spectrogram = rng.normal(size=(40, 16))
    return Page(
        title=text,
        subtitle=text,
        summary=(text, "Second sentence."),
        facts={text: text, "steps": 1200, "minutes": 9.4},
        figures=(
            Figure(f"retrieval/{text}/R@10", 0.25, 0.05, 0.06, 0.4, lower_bound=0.2, note=text),
            Figure("reconstruction/audio/masked MSE", 0.5, None, 1.2, 0.0, {text: 1.0}, False, text),
        ),
        curves=(
            Curve(text, np.arange(500), rng.normal(size=500)),
            Curve("sound", np.arange(5), np.arange(5), chart=f"{text} 2", floor=2.0, floor_name=text),
            Curve("picture", np.arange(5), np.arange(5), chart=f"{text} 2"),
        ),
        reconstructions=(
            Drawing("picture", picture(1), picture(2), rng.random((24, 32)) < 0.5, text),
            Drawing("sound", spectrogram, spectrogram, rng.random((40, 16)) < 0.5, text),
        ),
        map=EmbeddingMap(
            rng.normal(size=(9, 2)),
            rng.normal(size=(9, 2)),
            np.arange(9) % 3,
            None,
            (text, "drum", "bird"),
            (text,) * 9,
        ),
        gallery=(*(query("sound to picture", 9 * i, text) for i in range(5)), query("picture to sound", 70, text)),
        examples=(Example(picture(3), sound(3), text, text), Example(None, sound(4), name=text), Example(picture(5))),
        skipped=(Skipped(text, "empty file", text),),
        notes={"figures": text},
        configuration={text: {text: text, "betas": (0.9, 0.95)}, "resume": None, "fused": True},
        next_steps={text: text},
    )
