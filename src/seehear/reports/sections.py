"""The page's sections: what each shows, and the sentence that introduces it."""

from collections.abc import Callable, Iterator

from seehear.reports.chart import charts
from seehear.reports.gallery import gallery
from seehear.reports.markup import Markup, element, join
from seehear.reports.page import SECTIONS, Page
from seehear.reports.panels import panels
from seehear.reports.record import configuration, facts, skipped
from seehear.reports.scatter import MOST_POINTS, has_classes, scatter, thinned
from seehear.reports.scores import score_table
from seehear.reports.sounds import Shelf
from seehear.reports.tiles import caption, tile

MOST_EXAMPLES = 24


def sections(page: Page, shelf: Shelf) -> Iterator[tuple[str, Markup]]:
    """Key and markup of each section that has something to show, or a note that says why not."""
    for name, build in _BUILDERS.items():
        lead, content = build(page, shelf)
        note = page.notes.get(name, "")
        if not content and not note:
            continue
        heading = element("h2", SECTIONS[name], id=f"{name}-title")
        words = [element("p", text, class_=class_) for text, class_ in ((lead, "lead"), (note, "note")) if text]
        yield name, element("section", heading, *words, content, id=name, aria_labelledby=f"{name}-title")


def _gallery(page: Page, shelf: Shelf) -> tuple[str, Markup]:
    if not page.gallery:
        return "", Markup()
    lead = "Asked through one sense, it answers with the other. Press a sound to hear it."
    return lead + _cuts(shelf), gallery(page.gallery, shelf)


def _cuts(shelf: Shelf) -> str:
    """What was left out of the sounds."""
    words = ""
    if shelf.trimmed:
        words += f" To keep the page small, only the loudest {shelf.seconds:.1f} s of longer sounds are kept."
    if shelf.dropped:
        words += f" {shelf.dropped} sounds had no room and cannot be played."
    return words


def _figures(page: Page, _: Shelf) -> tuple[str, Markup]:
    if not page.figures:
        return "", Markup()
    lead = "Each figure beside what a guess and the untrained network reach, and a ceiling."
    return lead, score_table(page.figures)


def _map(page: Page, _: Shelf) -> tuple[str, Markup]:
    if page.map is None:
        return "", Markup()
    lead = "Every point is the sound or the picture of one clip."
    if has_classes(page.map):
        lead += " Clips of one class should meet, whichever sense they came through."
    if len(page.map.audio) == len(page.map.image) > 0:
        lead += " Point at one to see where the other half of its clip lies."
    if thinned(page.map):
        lead += f" Of more than {MOST_POINTS:,} points of a kind an even selection is drawn."
    return lead, scatter(page.map)


def _reconstructions(page: Page, _: Shelf) -> tuple[str, Markup]:
    if not page.reconstructions:
        return "", Markup()
    lead = "Part of the input was hidden; the network drew what it could not see or hear."
    return lead, panels(page.reconstructions)


def _curves(page: Page, _: Shelf) -> tuple[str, Markup]:
    if not page.curves:
        return "", Markup()
    lead = (
        "What was recorded step by step while training. Where many steps share a pixel, the line is their mean, "
        "the band their range."
    )
    return lead, element("div", *charts(page.curves), class_="charts")


def _examples(page: Page, shelf: Shelf) -> tuple[str, Markup]:
    shown = page.examples[:MOST_EXAMPLES]
    if not shown:
        return "", Markup()
    lead = "A few of the clips."
    if any(shelf.key(example.waveform) for example in shown):
        lead += " Press one to hear it." + ("" if page.gallery else _cuts(shelf))
    items = (
        element("li", tile(example, shelf, "sound" if example.thumbnail is None else "picture"), caption(example))
        for example in shown
    )
    return lead, element("ul", *items, class_="examples")


def _skipped(page: Page, _: Shelf) -> tuple[str, Markup]:
    if not page.skipped:
        return "", Markup()
    return "Files that could not be used, each with its reason.", skipped(page.skipped)


def _run(page: Page, _: Shelf) -> tuple[str, Markup]:
    parts = [facts(page.facts)] if page.facts else []
    return "", join([*parts, configuration(page.configuration)] if page.configuration else parts)


_BUILDERS: dict[str, Callable[[Page, Shelf], tuple[str, Markup]]] = {
    "gallery": _gallery,
    "figures": _figures,
    "map": _map,
    "reconstructions": _reconstructions,
    "curves": _curves,
    "examples": _examples,
    "skipped": _skipped,
    "run": _run,
}
