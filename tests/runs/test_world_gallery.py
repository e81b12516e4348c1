"""The gallery of the world: the plan shows everything there is, and its clips are those of the world."""

import base64
import dataclasses
import re
from pathlib import Path

import pytest

from seehear.errors import StorageError, UsageError
from seehear.media import probe
from seehear.runs.world_gallery import Part, Plan, Take, plan, world_gallery
from seehear.world import scene
from seehear.world.classes import NAMES
from seehear.world.interventions import INTERVENTIONS
from seehear.world.levels import LEVELS
from seehear.world.painting.styles import STYLES
from seehear.world.presets import resolve
from seehear.world.tracks import TRACKS


def scenes(chapter: Plan) -> list:
    return [
        scene(resolve(take.preset, **{k: v for k, v in take.choices.items() if k != "seed"}), "test", take.index)
        for part in chapter.parts
        for take in part.takes
    ]


def test_the_plan_shows_every_class_track_level_style_and_intervention() -> None:
    chapters = {chapter.short: chapter for chapter in plan()}
    assert [name for found in scenes(chapters["Classes"]) for name in found.labels] == [n for n in NAMES for _ in "ab"]
    assert {found.track for found in scenes(chapters["Tracks"])} == set(TRACKS)
    assert [found.level for found in scenes(chapters["Levels"])] == list(LEVELS)
    assert {found.style for found in scenes(chapters["Styles"])} == set(STYLES)
    views = scenes(chapters["Interventions"])
    assert [found.intervention.name for found in views[1:]] == list(INTERVENTIONS)
    assert len({found.id for found in views}) == 1
    assert views[-1].intervention.parameters["removed"]


def test_the_plan_says_what_to_look_and_listen_for() -> None:
    for part in plan()[0].parts:
        assert len(part.text) > 20
        assert ";" in part.text or "," in part.text


@pytest.fixture(scope="module")
def chapters() -> tuple[Plan, ...]:
    takes = (Take(0, {"level": 0}, preset="unit"), Take(1, {"level": 0, "style": "sketch"}, "Planks", preset="unit"))
    return (Plan("Classes", "Classes", "Some.", (Part("Two", "Things.", takes),)),)


def test_clips_of_the_page_are_films_with_sound(tmp_path: Path, chapters: tuple[Plan, ...]) -> None:
    told: list[tuple[int, int]] = []
    out = tmp_path / "new" / "page.html"
    assert world_gallery(out, size=64, chapters=chapters, progress=lambda *now: told.append(now)) == 2
    assert told == [(1, 2), (2, 2)]
    page = out.read_text()
    films = re.findall(r'src="data:video/mp4;base64,([^"]*)"', page)
    assert len(films) == 2
    for number, film in enumerate(films):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(base64.b64decode(film))
        info = probe(path)
        assert info.video is not None
        assert info.audio is not None
        assert (info.video.codec, info.video.width, info.video.frames) == ("h264", 64, 20)
        assert info.audio.codec == "aac"
    assert "<h4>bell</h4>" in page
    assert "<h4>Planks</h4>" in page
    assert "labels: wood bar" in page


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path, chapters: tuple[Plan, ...]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="no folder can be made"):
        world_gallery(tmp_path / "file" / "page.html", size=64, chapters=chapters)
    with pytest.raises(UsageError, match="picture size 65"):
        world_gallery(tmp_path / "page.html", size=65, chapters=chapters)


def test_equal_plans_give_equal_pages(tmp_path: Path, chapters: tuple[Plan, ...]) -> None:
    few = (dataclasses.replace(chapters[0], parts=(Part("", "", chapters[0].parts[0].takes[:1]),)),)
    pages = []
    for name in ("a", "b"):
        world_gallery(tmp_path / name, size=64, chapters=few)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1]
