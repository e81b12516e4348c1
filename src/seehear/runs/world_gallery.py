"""The gallery of the world: a page with clips of every class, track, level, style and intervention.

`plan` says which clips; each is drawn, written as mp4 and read back as bytes when its turn comes.
"""

import importlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from seehear.errors import StorageError
from seehear.media import encode_jpeg, write_video
from seehear.media.atomic import atomic_file
from seehear.reports.clip_facts import facts_in_words
from seehear.reports.showcase import Card, Chapter, Row, showcase
from seehear.world import VERSION, Rendered, render, scene
from seehear.world.classes import NAMES
from seehear.world.interventions import INTERVENTIONS
from seehear.world.levels import LEVELS
from seehear.world.painting.styles import STYLES
from seehear.world.presets import resolve
from seehear.world.tracks import TRACKS

SIZE = 128
QUALITY = 24  # x264's constant rate factor: a page of seventy clips stays below 12 MB
POSTER_SHARE = 0.4  # of the clip's length at which its still picture is taken
OF_A_TRACK = 4
INTERVENED = 0  # of "tiny" at level 2: a clip with a silent body


@dataclass(frozen=True)
class Take:
    """One clip of the plan: `title` and `text` as they stand on the page ("" for its labels, and for its caption)."""

    index: int
    choices: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    text: str = ""
    preset: str = "base"


@dataclass(frozen=True)
class Part:
    """Takes under one heading."""

    title: str
    text: str
    takes: tuple[Take, ...]


@dataclass(frozen=True)
class Plan:
    """One chapter of the page before its clips are made."""

    short: str
    title: str
    text: str
    parts: tuple[Part, ...]


def plan() -> tuple[Plan, ...]:
    """Which clips the page shows, in its order."""
    plain = {"level": 0, "ambiguous": 0.0}
    classes = tuple(
        Part(name.capitalize(), _described(name), (Take(place, plain), Take(place + len(NAMES), plain)))
        for place, name in enumerate(NAMES)
    )
    tracks = tuple(
        Part(f"{letter}: {own.name}", f"{own.summary[:1].upper()}{own.summary[1:]}.", _of_track(letter))
        for letter, own in TRACKS.items()
    )
    levels = tuple(Take(4, {"level": n, "ambiguous": 0.0, "seed": 1}, f"Level {n}", _hard(n)) for n in LEVELS)
    styles = tuple(
        Part(
            name.capitalize(), text.capitalize() + ".", tuple(Take(k, plain | {"style": name}) for k in (0, 8, 16, 17))
        )
        for name, text in STYLES.items()
    )
    view = {"level": 2}
    views = (
        Take(INTERVENED, view, "As it was drawn", "The clip that the others change.", "tiny"),
        *(
            Take(INTERVENED, view | {"intervention": name}, _spaced(name), text.capitalize() + ".", "tiny")
            for name, text in INTERVENTIONS.items()
        ),
    )
    return (
        Plan(
            "Classes", "Twenty classes", "Two individuals of each, alone, at level 0. Can you tell every one by eye, "
            "and with your eyes closed?", classes,
        ),
        Plan("Tracks", "Tracks", "Kinds of clips, each for a task of its own.", tracks),
        Plan("Levels", "Levels", "The same class at every difficulty: more bodies, noise, camera, things in the way.",
             (Part("", "", levels),)),
        Plan("Styles", "Styles", "The same scenes painted in other ways. Sound, masks and boxes stay as they are.",
             styles),
        Plan("Interventions", "Interventions", "One clip with one thing changed at a time, to see what a network goes "
             "by.", (Part("", "", views),)),
    )  # fmt: skip


def world_gallery(
    out: str | os.PathLike[str],
    *,
    seed: int = 0,
    size: int = SIZE,
    chapters: tuple[Plan, ...] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make the clips and write the page.

    Args:
        out: the HTML file.
        seed: root seed of the world.
        size: width and height of the pictures in pixels.
        chapters: what it shows; by default `plan()`.
        progress: called with (clips done, clips in all).

    Returns:
        How many clips the page holds.

    Raises:
        StorageError: if the file cannot be written.
        UsageError: on a size or seed that cannot be.
    """
    chapters = plan() if chapters is None else chapters
    total = sum(len(part.takes) for chapter in chapters for part in chapter.parts)
    out, done, made = Path(out), 0, []
    with tempfile.TemporaryDirectory() as folder:
        for chapter in chapters:
            rows = []
            for part in chapter.parts:
                cards = []
                for take in part.takes:
                    cards.append(_card(take, seed, size, Path(folder) / "clip.mp4"))
                    done += 1
                    if progress is not None:
                        progress(done, total)
                rows.append(Row(tuple(cards), part.title, part.text))
            made.append(Chapter(chapter.short, chapter.title, chapter.text, tuple(rows)))
    page = showcase("The world of SeeHear", f"Version {VERSION}, seed {seed}", _summary(total), made)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{out.parent}: no folder can be made there ({error.strerror or error})") from error
    with atomic_file(out) as file:
        file.write(page.encode("utf-8"))
    return total


def _summary(total: int) -> tuple[str, ...]:
    return (
        f"{total} clips, made on the machine that wrote this page: drawn, sounded and encoded as they are in a build. "
        "They are of the test split, so no training clip shows these individuals.",
        "Clips are 18 to 30 dB below full scale, whatever sounds in them: turn the volume up.",
    )


def _card(take: Take, seed: int, size: int, path: Path) -> Card:
    clip = _drawn(take, seed, size)
    rate = Fraction(*clip.scene.format.frames_per_second)
    write_video(path, clip.pixels, rate, np.round(clip.waveform * 32767).astype(np.int16), crf=QUALITY, preset="medium")
    poster = encode_jpeg(clip.pixels[int(POSTER_SHARE * len(clip.pixels))], quality=80)
    title = take.title or ", ".join(clip.labels) or "Nothing sounds"
    return Card(title, path.read_bytes(), poster, take.text or _sentence(clip.caption), tuple(facts_in_words(clip)))


def _drawn(take: Take, seed: int, size: int) -> Rendered:
    choices = dict(take.choices)
    own = seed + choices.pop("seed", 0)
    return render(scene(resolve(take.preset, size=size, **choices), "test", take.index, own))


def _of_track(letter: str) -> tuple[Take, ...]:
    """The first clips of a track, with the classes one after the other."""
    if letter == "A":
        return tuple(Take(place, {"labelling": "multi", "level": 1, "ambiguous": 0.0}) for place in range(OF_A_TRACK))
    return tuple(Take(place, {"track": letter, "level": 1}) for place in range(OF_A_TRACK))


def _described(name: str) -> str:
    """What a class looks and sounds like: the first sentence of its file."""
    module = importlib.import_module(f"seehear.world.classes.{name.replace(' ', '_')}")
    first = (module.__doc__ or "").split("\n")[0]
    return _sentence(first.split(": ", 1)[-1])


def _hard(number: int) -> str:
    own = LEVELS[number]
    bodies = f"{own.bodies[0]} to {own.bodies[1]} bodies" if own.bodies[1] > 1 else "one body"
    moves = {0: "", 1: ", the camera pans or zooms", 2: ", the camera pans and zooms, one cut, a board in the way"}
    return f"{bodies.capitalize()}, noise {own.snr_db[1]:g} to {own.snr_db[0]:g} dB below{moves[own.camera_moves]}."


def _spaced(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
