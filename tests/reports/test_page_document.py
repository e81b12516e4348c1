"""The page as a whole: well-formed, self-contained, safe, fine with any part missing, small, the same every time."""

import base64
import dataclasses
import hashlib
import itertools
import json
import re

import numpy as np
import pytest

from seehear.contracts import Figure
from seehear.media import decode_flac, decode_jpeg
from seehear.reports import SECTIONS, Curve, Drawing, EmbeddingMap, Example, Hit, Page, Query, Skipped
from seehear.reports.document import document
from tests.reports.report_pages import NASTY, Reader, full_page, picture, sound

PARTS = [f.name for f in dataclasses.fields(Page) if f.name not in ("title", "notes")]


@pytest.fixture(scope="module")
def full() -> str:
    return document(full_page())


def test_a_full_page_is_well_formed_and_shows_every_section(full):
    page = Reader(full)
    assert full.startswith("<!doctype html>\n<html lang=")
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) | {"next"} <= set(ids)
    for link in page.all("a"):
        assert link["href"].startswith("#")
        assert link["href"][1:] in ids
    for part in page.elements:
        assert (part[1].get("aria-labelledby") or ids[0]) in ids


def test_it_refers_to_nothing_outside_itself(full):
    outside = re.findall(r"https?://[^\s\"'<)]+|(?<![:\w])//[a-z0-9.-]+\.[a-z]{2,}", full)
    assert outside == []
    assert re.findall(r"url\(|@import|<iframe|<object|<embed|<base|srcset=", full) == []
    for tag, attributes in Reader(full).elements:
        for name in ("src", "href", "poster", "action", "data", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (tag, name)


def test_the_policy_lets_only_our_own_script_run(full):
    page = Reader(full)
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    script = re.findall(r"<script>(.*?)</script>", full, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    handlers = [name for _, a in page.elements for name in a if name.startswith("on")]
    assert handlers == []


def test_users_text_is_escaped_everywhere():
    text = document(full_page(NASTY))
    page = Reader(text)
    assert len(page.all("script")) == len(Reader(document(full_page())).all("script"))
    assert "alert(1)</script>" not in text
    assert "\x00" not in text
    text.encode("utf-8")  # a lone surrogate would not
    assert page.text.count("<script>alert(1)</script> \"quoted\" 'single' & 🐦") > 20
    data = re.search(r'<script type="application/json" class="map-data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data[1])["classes"][0] == NASTY


@pytest.mark.parametrize("part", PARTS)
def test_every_part_may_be_missing(part):
    empty = next(f for f in dataclasses.fields(Page) if f.name == part)
    value = empty.default if empty.default is not dataclasses.MISSING else empty.default_factory()
    page = Reader(document(dataclasses.replace(full_page(), notes={}, **{part: value})))
    shown = {a["id"] for a in page.all("section")}
    expected = set(SECTIONS) | {"next"}
    gone = {"gallery", "figures", "map", "reconstructions", "curves", "examples", "skipped"} & {part}
    gone |= {"next"} if part == "next_steps" else set()
    assert shown == expected - gone


@pytest.mark.parametrize("part", [part for part in PARTS if part != "headlines"])
def test_every_part_may_stand_alone(part):
    page = Reader(document(Page(**{part: getattr(full_page(), part)})))
    assert "nothing to show" not in page.text


def test_an_empty_page_says_so():
    page = Reader(document(Page()))
    assert "This run has recorded nothing to show yet." in page.text
    assert page.all("section") == []


def test_a_note_stands_in_for_what_is_missing():
    page = Reader(document(Page(notes={"gallery": "Only one clip had sound and picture."})))
    assert [a["id"] for a in page.all("section")] == ["gallery"]
    assert "Only one clip had sound and picture." in page.text


def test_the_same_page_gives_the_same_bytes():
    assert document(full_page()) == document(full_page())


def test_a_crowded_page_stays_small():
    rng = np.random.default_rng(0)
    photographs = [_photograph(rng) for _ in range(20)]
    sounds = [sound(i, 4.0) for i in range(60)]
    clips = [Example(photographs[i % 20], sounds[7 * i % 60], "bell", f"{i}") for i in range(400)]
    hits = [
        tuple(Hit(c.thumbnail, c.waveform, c.label, c.name, "wrong") for c in clips[i : i + 5])
        for i in range(0, 400, 4)
    ]
    queries = tuple(
        Query(c.thumbnail, c.waveform, c.label, c.name, direction, found)
        for direction in ("sound to picture", "picture to sound")
        for c, found in zip(clips, hits, strict=False)
    )
    drawings = tuple(
        Drawing("sound", rng.normal(size=(1024, 128)), rng.normal(size=(1024, 128)), rng.random((1024, 128)) < 0.5)
        for _ in range(8)
    )
    text = document(
        Page(
            gallery=queries, examples=tuple(clips), reconstructions=drawings,
            figures=tuple(Figure(f"retrieval/x{i}/R@1", 0.5, 0.1) for i in range(100)),
            curves=tuple(Curve(f"c{i}", np.arange(20_000), rng.normal(size=20_000)) for i in range(8)),
            map=EmbeddingMap(rng.normal(size=(9000, 2)), rng.normal(size=(9000, 2))),
            skipped=tuple(Skipped(f"a/{i}.mp4", "empty file") for i in range(5000)),
        )
    )  # fmt: skip
    assert 3e6 < len(text) < 8e6
    page = Reader(text)
    assert "The first 10 of 100 queries" in page.text
    assert "only the loudest" in page.text


def _photograph(rng: np.random.Generator) -> np.ndarray:
    """Grain and large shapes, as real frames have."""
    coarse = rng.integers(0, 256, (7, 7, 3)).repeat(32, axis=0).repeat(32, axis=1)
    return (coarse + rng.normal(0, 8, coarse.shape)).clip(0, 255).astype(np.uint8)


def test_what_is_embedded_is_what_was_given(full):
    sounds = json.loads(re.search(r'id="sounds">(.*?)</script>', full, re.DOTALL)[1])
    page = full_page()
    kept = {decode_flac(base64.b64decode(content)).tobytes() for content in sounds.values()}
    given = [page.examples[0], page.examples[1], *page.gallery, *(hit for q in page.gallery for hit in q.hits)]
    assert kept == {clip.waveform.tobytes() for clip in given}
    pressed = {a["data-sound"] for a in Reader(full).all("button") if "data-sound" in a}
    assert pressed == set(sounds)
    source = next(i["src"] for i in Reader(full).all("img") if i["src"].startswith("data:image/jpeg"))
    assert decode_jpeg(base64.b64decode(source.split(",")[1])).shape == (24, 32, 3)


def test_it_can_be_used_without_seeing_it_or_a_mouse(full):
    page = Reader(full)
    assert all(image.get("alt") for image in page.all("img"))
    assert all(button.get("type") == "button" for button in page.all("button"))
    named = [b for b in page.all("button") if "data-sound" in b]
    assert all(b["aria-label"].startswith("Play the sound of ") for b in named)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.elements}
    drawn = [a for tag, a in page.elements if tag == "svg" and a.get("role") == "img"]
    assert len(drawn) == 3  # two charts and the map
    assert full.count("<title>") == 1 + 3  # each says in words what it shows, as the page does


def test_a_sound_only_run_has_no_pictures():
    page = Reader(document(Page(examples=(Example(None, sound(1), "bell"),), gallery=())))
    assert page.all("img") == []
    assert len(page.of_class("wave")) == 1


def test_a_clip_with_neither_is_no_crash():
    page = Reader(document(Page(gallery=(Query(None, None, "", "", "picture to sound"),), examples=(Example(),))))
    assert "no picture" in page.text
    assert "No answers." in page.text


def test_pictures_of_one_value_and_odd_sizes():
    examples = tuple(Example(np.zeros(shape, np.uint8)) for shape in ((1, 1, 3), (1, 999, 3), (999, 7, 3)))
    assert len(Reader(document(Page(examples=examples))).all("img")) == 3
    assert picture(0).dtype == np.uint8
