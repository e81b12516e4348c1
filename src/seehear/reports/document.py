"""The page as one HTML document: what stands where, and the policy that forbids it to load anything."""

import base64
import hashlib
import json

import seehear
from seehear.reports.gallery import SHOWN_HITS, shown_queries
from seehear.reports.markup import Markup, data_uri, element
from seehear.reports.page import SECTIONS, Page
from seehear.reports.record import next_steps
from seehear.reports.scores import headlines
from seehear.reports.script import SCRIPT
from seehear.reports.sections import MOST_EXAMPLES, sections
from seehear.reports.sounds import Shelf
from seehear.reports.style import STYLE

_MARK = (
    '<svg viewBox="0 0 32 32"><path d="M2 16C7 8 12 5 16 5s9 3 14 11c-5 8-10 11-14 '
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


def document(page: Page) -> str:
    """The whole page; the same `Page` always gives the same text."""
    queries = [clip for query in shown_queries(page.gallery) for clip in (query, *query.hits[:SHOWN_HITS])]
    shelf = Shelf(clip.waveform for clip in [*queries, *page.examples[:MOST_EXAMPLES]])
    shown = dict(sections(page, shelf))
    body = [
        element("a", "Skip to the content", href="#content", class_="skip"),
        _navigation(list(shown)),
        element("main", _opening(page), *shown.values(), _closing(page, bool(shown)), id="content"),
        footer("Playing sounds, sorting and tooltips need JavaScript; everything else is here without it."),
        element("script", Markup(json.dumps(shelf.encoded)), type="application/json", id="sounds"),
        element("script", Markup(SCRIPT)),
    ]
    return (
        "<!doctype html>\n" + element("html", head(page.title, SCRIPT, STYLE), element("body", *body), lang="en") + "\n"
    )


def head(title: str, script: str, style: str) -> Markup:
    """The head of a page that may run this script and nothing else, and loads nothing."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; img-src data:; media-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    icon = _MARK.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')  # a name, not an address to load
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="generator", content=f"seehear {seehear.__version__}"),
        element("title", title),
        element("link", rel="icon", href=data_uri("image/svg+xml", icon.encode())),
        element("style", Markup(style)),
    )


def brand() -> Markup:
    """The name at the left of the navigation."""
    return element(
        "a", Markup(_MARK.replace("<svg ", '<svg aria-hidden="true" ')), "SeeHear", href="#content", class_="brand"
    )


def _navigation(names: list[str]) -> Markup:
    links = (element("li", element("a", _SHORT[name], href=f"#{name}", title=SECTIONS[name])) for name in names)
    return element("header", element("nav", brand(), element("ul", *links), aria_label="Sections"), class_="top")


def _opening(page: Page) -> Markup:
    subtitle = element("p", page.subtitle, class_="subtitle") if page.subtitle else None
    summary = element("div", *(element("p", sentence) for sentence in page.summary), class_="summary")
    cards = headlines(page.figures, page.headlines)
    return element(
        "div", element("h1", page.title), subtitle, summary if page.summary else None, cards, class_="opening"
    )


def _closing(page: Page, anything: bool) -> Markup:
    if page.next_steps:
        steps = next_steps(page.next_steps)
        return element(
            "section", element("h2", "What next", id="next-title"), steps, id="next", aria_labelledby="next-title"
        )
    if anything or page.summary or page.subtitle:
        return Markup()
    return element("p", "This run has recorded nothing to show yet.", class_="note")


def footer(without_script: str) -> Markup:
    """The foot of a page, with what to know where JavaScript is off."""
    words = f"Written by SeeHear {seehear.__version__}. This page is one file and loads nothing from the network."
    return element("footer", element("p", words, element("noscript", " " + without_script)))
