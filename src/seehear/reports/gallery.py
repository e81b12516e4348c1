"""The retrieval gallery: what the network answers when it is asked with a sound or with a picture."""

from collections.abc import Sequence

from seehear.reports.markup import Markup, element, join
from seehear.reports.page import Direction, Hit, Query
from seehear.reports.sounds import Shelf
from seehear.reports.tiles import Face, caption, tile

MOST_QUERIES = 10  # of each direction
OPEN_QUERIES = 3  # the others are folded
SHOWN_HITS = 5
_FACES: dict[Direction, tuple[Face, Face]] = {
    "sound to picture": ("sound", "picture"),
    "picture to sound": ("picture", "sound"),
}
_MARKS = {
    "right": ("✓", "its own clip"),
    "same class": ("≈", "same class"),
    "wrong": ("✕", "another class"),
}
_QUESTIONS: dict[Direction, str] = {
    "sound to picture": "The network hears the sound on the left and picks the pictures that fit it best, best first.",
    "picture to sound": "The network sees the picture on the left and picks the sounds that fit it best, best first.",
}


def gallery(queries: Sequence[Query], shelf: Shelf) -> Markup:
    """Both directions, those that have queries."""
    parts = [_direction(name, [q for q in queries if q.direction == name], shelf) for name in _QUESTIONS]
    return join(part for part in parts if part)


def shown_queries(queries: Sequence[Query]) -> list[Query]:
    """The queries that find a place on the page."""
    return [q for name in _QUESTIONS for q in [q for q in queries if q.direction == name][:MOST_QUERIES]]


def _direction(name: Direction, queries: list[Query], shelf: Shelf) -> Markup | None:
    if not queries:
        return None
    shown = [_query(query, shelf) for query in queries[:MOST_QUERIES]]
    rest = shown[OPEN_QUERIES:]
    folded = element("details", element("summary", f"Show {len(rest)} more"), *rest, class_="more") if rest else None
    cut = f" The first {MOST_QUERIES} of {len(queries)} queries." if len(queries) > MOST_QUERIES else ""
    words = name.replace("to", "→")
    heading = element("h3", "From " + name)
    question = element("p", _QUESTIONS[name] + cut, class_="quiet")
    kind = "ask-sound" if name.startswith("sound") else "ask-picture"
    return element("div", heading, question, *shown[:OPEN_QUERIES], folded, class_=f"direction {kind}", data_name=words)


def _query(query: Query, shelf: Shelf) -> Markup:
    asked, answered = _FACES[query.direction]
    place = f"own clip: place {query.rank}" + (f" of {query.gallery_size}" if query.gallery_size else "")
    rank = element("span", place, class_="rank-of") if query.rank is not None else None
    words = element("div", element("span", "Query", class_="tag"), caption(query), rank, class_="words")
    ask = element("div", tile(query, shelf, asked), words, class_="ask")
    hits = [_hit(place, hit, shelf, answered) for place, hit in enumerate(query.hits[:SHOWN_HITS], 1)]
    answers = element("ol", *hits, class_="hits") if hits else element("p", "No answers.", class_="quiet")
    return element(
        "article", ask, answers, class_="query", aria_label=f"Query: {query.label or query.name or query.direction}"
    )


def _hit(place: int, hit: Hit, shelf: Shelf, face: Face) -> Markup:
    mark, words = _MARKS.get(hit.verdict or "", ("", ""))
    if hit.verdict == "wrong" and not hit.label:
        words = "another clip"
    badge = element("span", mark, class_="badge", aria_hidden="true") if mark else None
    verdict = element("span", words, class_="verdict") if words else None
    score = f"Similarity {hit.score:.2f}" if hit.score is not None else None
    label = element("div", element("span", place, class_="place"), caption(hit), class_="line")
    picture = tile(hit, shelf, face)
    return element("li", element("div", picture, badge, class_="frame"), label, verdict, class_=_kind(hit), title=score)


def _kind(hit: Hit) -> str:
    return f"hit {(hit.verdict or 'unknown').replace(' ', '-')}"
