"""The page as one HTML document: what stands where, and the policy that forbids it to load anything."""

import base64
import hashlib
import json
from collections.abc import Iterator

import seehear
from seehear.reports.chart import charts
from seehear.reports.gallery import gallery, shown_queries
from seehear.reports.markup import Markup, data_uri, element
from seehear.reports.page import SECTIONS, Example, Page
from seehear.reports.panels import panels
from seehear.reports.record import configuration, facts, next_steps, skipped
from seehear.reports.scatter import MOST_POINTS, scatter, thinned
from seehear.reports.scores import headlines, score_table
from seehear.reports.script import SCRIPT
from seehear.reports.sounds import Shelf
from seehear.reports.style import STYLE
from seehear.reports.tiles import Face, caption, tile

MOST_EXAMPLES = 24
_MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M2 16C7 8 12 5 16 5s9 3 14 11c-5 8-10 11-14 '
    '11S7 24 2 16z" fill="#2563b8"/><path d="M8 14v4M12 11v10M16 8v16M20 11v10M24 14v4" stroke="#fff" '
    'stroke-width="2.2" stroke-linecap="round"/></svg>'
)
_SHORT = {
    "gallery": "Answers",
    "figures": "Figures",
    "map": "Map",
    "reconstructions": "Filling in",
    "curves": "Curves",
    "examples": "Data",
    "skipped": "Left out",
    "run": "Run",
}
_LEADS = {
    "gallery": "Held-out clips that the network never trained on. Press a sound to hear it.",
    "figures": "Each figure beside what a guess and the untrained network reach, and the best that is possible.",
    "map": "Every point is the sound or the picture of a held-out clip. Clips of one class should meet, whichever "
    "sense they came through.",
    "reconstructions": "Most of the input was hidden; the network drew what it could not see or hear.",
    "curves": "What was recorded step by step while training. Where many steps share a pixel, the line is "
    "their mean, the band their range.",
    "examples": "A few of the clips.",
    "skipped": "Files that could not be used, each with its reason.",
    "run": "",
}  # fmt: skip


def document(page: Page) -> str:
    """The whole page; the same `Page` always gives the same text."""
    examples = page.examples[:MOST_EXAMPLES]
    queries = shown_queries(page.gallery)
    clips = [*examples, *(clip for query in queries for clip in (query, *query.hits[:5]))]
    shelf = Shelf(clip.waveform for clip in clips)
    sections = list(_sections(page, shelf))
    body = [
        element("a", "Skip to the content", href="#content", class_="skip"),
        _navigation([name for name, _ in sections]),
        element(
            "main", _opening(page), *(markup for _, markup in sections), _closing(page, bool(sections)), id="content"
        ),
        _footer(),
        element("script", Markup(json.dumps(shelf.encoded)), type="application/json", id="sounds"),
        element("script", Markup(SCRIPT)),
    ]
    return "<!doctype html>\n" + element("html", _head(page), element("body", *body), lang="en") + "\n"


def _head(page: Page) -> Markup:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; media-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"seehear {seehear.__version__}"),
        element("title", page.title),
        element("link", rel="icon", href=data_uri("image/svg+xml", _MARK.encode())),
        element("style", Markup(STYLE)),
    )


def _navigation(names: list[str]) -> Markup:
    brand = element(
        "a", Markup(_MARK.replace("<svg ", '<svg aria-hidden="true" ')), "SeeHear", href="#content", class_="brand"
    )
    links = (element("li", element("a", _SHORT[name], href=f"#{name}", title=SECTIONS[name])) for name in names)
    return element("header", element("nav", brand, element("ul", *links), aria_label="Sections"), class_="top")


def _opening(page: Page) -> Markup:
    subtitle = element("p", page.subtitle, class_="subtitle") if page.subtitle else None
    summary = element("div", *(element("p", sentence) for sentence in page.summary), class_="summary")
    cards = headlines(page.figures, page.headlines)
    return element(
        "div", element("h1", page.title), subtitle, summary if page.summary else None, cards, class_="opening"
    )


def _sections(page: Page, shelf: Shelf) -> Iterator[tuple[str, Markup]]:
    """The sections that have something to show, or a note that says why not."""
    for name in SECTIONS:
        parts = _content(name, page, shelf)
        note = page.notes.get(name)
        if not parts and not note:
            continue
        lead = _lead(name, page, shelf) if parts else ""
        heading = element("h2", SECTIONS[name], id=f"{name}-title")
        words = [element("p", text, class_=class_) for text, class_ in ((lead, "lead"), (note, "note")) if text]
        yield name, element("section", heading, *words, *parts, id=name, aria_labelledby=f"{name}-title")


def _content(name: str, page: Page, shelf: Shelf) -> list[Markup]:
    if name == "gallery" and page.gallery:
        return [gallery(page.gallery, shelf)]
    if name == "figures" and page.figures:
        return [score_table(page.figures)]
    if name == "map" and page.map is not None:
        return [scatter(page.map)]
    if name == "reconstructions" and page.reconstructions:
        return [panels(page.reconstructions)]
    if name == "curves" and page.curves:
        return [element("div", *charts(page.curves), class_="charts")]
    if name == "examples" and page.examples:
        items = (element("li", tile(e, shelf, _face(e)), caption(e)) for e in page.examples[:MOST_EXAMPLES])
        return [element("ul", *items, class_="examples")]
    if name == "skipped" and page.skipped:
        return [skipped(page.skipped)]
    if name == "run":
        shown = [facts(page.facts)] if page.facts else []
        return shown + ([configuration(page.configuration)] if page.configuration else [])
    return []


def _face(example: Example) -> Face:
    return "sound" if example.thumbnail is None else "picture"


def _lead(name: str, page: Page, shelf: Shelf) -> str:
    lead = _LEADS[name]
    if name == "map" and page.map is not None and thinned(page.map):
        lead += f" Of more than {MOST_POINTS:,} points of a kind an even selection is drawn."
    if name == "gallery" and shelf.trimmed:
        lead += f" To keep the page small, only the loudest {shelf.seconds:.1f} s of longer sounds are kept."
    if name == "gallery" and shelf.dropped:
        lead += f" {shelf.dropped} sounds had no room and cannot be played."
    return lead


def _closing(page: Page, anything: bool) -> Markup:
    if page.next_steps:
        steps = next_steps(page.next_steps)
        return element(
            "section", element("h2", "What next", id="next-title"), steps, id="next", aria_labelledby="next-title"
        )
    if anything or page.summary or page.figures:
        return Markup()
    return element("p", "This run has recorded nothing to show yet.", class_="note")


def _footer() -> Markup:
    words = f"Written by SeeHear {seehear.__version__}. This page is one file and loads nothing from the network."
    without = element(
        "noscript", " Playing sounds, sorting and tooltips need JavaScript; everything else is here without it."
    )
    return element("footer", element("p", words, without))
