"""A page of clips to look at and listen to, as one HTML document that loads nothing.

Every clip is an mp4 inside the page; one plays at a time, by a click, a tap, Enter or Space; Escape stops it, the arrow
keys go from clip to clip. Without JavaScript the browser's own controls are there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seehear.reports.document import brand, footer, head
from seehear.reports.markup import Markup, data_uri, element
from seehear.reports.showcase_script import SCRIPT
from seehear.reports.showcase_style import STYLE


@dataclass(frozen=True)
class Card:
    """One clip.

    Attributes:
        title: what it shows.
        video: an mp4 file.
        poster: a JPEG file, shown until the clip plays.
        text: what to look and listen for.
        facts: lines of what is known of it, folded.
    """

    title: str
    video: bytes
    poster: bytes
    text: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """Clips that belong together, under a heading where there is one."""

    cards: tuple[Card, ...]
    title: str = ""
    text: str = ""


@dataclass(frozen=True)
class Chapter:
    """A section of the page: `short` stands in the navigation."""

    short: str
    title: str
    text: str
    rows: tuple[Row, ...]


def showcase(title: str, subtitle: str, summary: Sequence[str], chapters: Sequence[Chapter]) -> str:
    """The whole page."""
    links = [element("li", element("a", chapter.short, href=f"#{_key(chapter)}")) for chapter in chapters]
    body = [
        element("a", "Skip to the content", href="#content", class_="skip"),
        element("header", element("nav", brand(), element("ul", *links), aria_label="Sections"), class_="top"),
        element("main", _opening(title, subtitle, summary), *map(_chapter, chapters), id="content"),
        footer("The browser's own controls play the clips here, because JavaScript is off."),
        element("script", Markup(SCRIPT)),
    ]
    page = element("html", head(title, SCRIPT, STYLE), element("body", *body), lang="en")
    return f"<!doctype html>\n{page}\n"


def _opening(title: str, subtitle: str, summary: Sequence[str]) -> Markup:
    paragraphs = element("div", *(element("p", sentence) for sentence in summary), class_="summary")
    return element("div", element("h1", title), element("p", subtitle, class_="subtitle"), paragraphs, class_="opening")


def _key(chapter: Chapter) -> str:
    return chapter.short.lower().replace(" ", "-")


def _chapter(chapter: Chapter) -> Markup:
    key = _key(chapter)
    heading = element("h2", chapter.title, id=f"{key}-title")
    lead = element("p", chapter.text, class_="lead")
    pairs = all(row.title and len(row.cards) == 2 for row in chapter.rows)  # two such rows stand side by side
    rows = element("div", *map(_row, chapter.rows), class_="pairs" if pairs else "")
    return element("section", heading, lead, rows, id=key, aria_labelledby=f"{key}-title")


def _row(row: Row) -> Markup:
    heading = element("h3", row.title) if row.title else None
    text = element("p", row.text, class_="quiet") if row.text else None
    return element("div", heading, text, element("ul", *map(_card, row.cards), class_="clips"), class_="row")


def _card(card: Card) -> Markup:
    video = element(
        "video",
        src=data_uri("video/mp4", card.video),
        poster=data_uri("image/jpeg", card.poster),
        preload="none",
        playsinline=True,
        controls=True,
        aria_label=card.title,
    )
    button = element("button", class_="start", type="button", hidden=True, aria_label=f"Play {card.title}")
    text = element("p", card.text, class_="small") if card.text else None
    facts = element("ul", *(element("li", line) for line in card.facts), class_="facts-of")
    known = element("details", element("summary", "What is known"), facts) if card.facts else None
    words = element("div", element("h4", card.title), text, known, class_="words")
    return element("li", element("div", video, button, class_="screen"), words)
