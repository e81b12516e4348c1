"""The page of clips: one file that loads nothing, with every clip playable and everything reachable by keyboard."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from seehear.reports.showcase import Card, Chapter, Row, showcase
from seehear.reports.showcase_script import SCRIPT


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def card(title: str = "bell", **others) -> Card:
    return Card(title, b"film", b"still", **others)


@pytest.fixture(scope="module")
def page() -> str:
    rows = (Row((card(), card("drum")), "Things", "They sound."), Row((card("<b>horn</b>", facts=("one", "two")),)))
    chapters = (
        Chapter("Classes", "Twenty classes", "By eye and ear.", rows),
        Chapter("Other views", "More", "Changed.", (Row((card("fan"),)),)),
    )
    return showcase("The world", "seed 0", ("Listen.",), chapters)


def test_every_clip_is_inside_the_page_with_its_still(page: str) -> None:
    videos = Tags(page).all("video")
    assert [video["aria-label"] for video in videos] == ["bell", "drum", "<b>horn</b>", "fan"]
    assert {video["src"] for video in videos} == {"data:video/mp4;base64," + base64.b64encode(b"film").decode()}
    assert {video["poster"] for video in videos} == {"data:image/jpeg;base64," + base64.b64encode(b"still").decode()}
    assert all("controls" in video and video["preload"] == "none" for video in videos)


def test_the_page_loads_nothing_and_runs_its_own_script_only(page: str) -> None:
    tags = Tags(page)
    policy = next(meta["content"] for meta in tags.all("meta") if meta.get("http-equiv")) or ""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy
    addresses = [value for _, attributes in tags.found for name, value in attributes.items() if name in ("src", "href")]
    assert all((value or "").startswith(("data:", "#")) for value in addresses)
    assert len(tags.all("script")) == 1


def test_every_clip_has_a_button_and_every_chapter_a_link(page: str) -> None:
    tags = Tags(page)
    buttons = tags.all("button")
    assert [button["aria-label"] for button in buttons] == ["Play bell", "Play drum", "Play <b>horn</b>", "Play fan"]
    assert [section["id"] for section in tags.all("section")] == ["classes", "other-views"]
    names = {attributes.get("id") for _, attributes in tags.found}
    assert {(link["href"] or "").removeprefix("#") for link in tags.all("a")} <= names
    assert {section["aria-labelledby"] for section in tags.all("section")} <= names


def test_text_is_escaped_and_facts_are_folded(page: str) -> None:
    assert "&lt;b&gt;horn&lt;/b&gt;" in page
    assert "<b>horn" not in page
    assert re.search(r"<details><summary>What is known</summary><ul class=\"facts-of\"><li>one</li>", page)
    assert page.count("<details>") == 1


def test_pairs_stand_side_by_side_only_where_every_row_is_a_pair() -> None:
    pair, single = Row((card(), card()), "Bell"), Row((card(),), "Drum")
    pages = [showcase("x", "y", (), (Chapter("A", "A", "", rows),)) for rows in ((pair, pair), (pair, single))]
    assert ['<div class="pairs">' in page for page in pages] == [True, False]
