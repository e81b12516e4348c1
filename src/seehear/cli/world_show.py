"""`seehear world show`: a contact sheet of one clip of the world."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import UsageError

if TYPE_CHECKING:
    from seehear.world import Rendered

EXAMPLES = (
    "seehear world show data/tiny/test/clips/test-A0-0-000003.mp4",
    "seehear world show data/tiny test-A0-0-000003 --out bell.png",
    "seehear world show --preset tiny --split test --index 3",
    "seehear world show --preset unit --track L --level 2 --style night",
)
CHOICES = ("track", "level", "size", "style", "intervention")


@dataclass(frozen=True)
class Options:
    """Draw a contact sheet of one clip: pictures, boxes, masks, sound, stems, onsets, facts.

    The clip is named by its file, by the folder of its world and its id, or, without any files, by --preset.
    """

    clip: Annotated[Positional[Path | None], named("CLIP")] = None
    """the clip's mp4 file in the folder of its world, or that folder"""
    id: Annotated[Positional[str], named("ID")] = ""
    """the clip's id, where CLIP is a folder"""
    preset: str | None = None
    """draw a clip of this preset in memory"""
    split: str = "test"
    """with --preset: train, val, test, test_iid or test_ood"""
    index: int = 0
    """with --preset: number of the clip in its split"""
    seed: int = 0
    """with --preset: root seed of the world"""
    track: str | None = None
    """with --preset: letter of the kind of clips"""
    level: int | None = None
    """with --preset: difficulty, 0 to 3"""
    size: int | None = None
    """with --preset: width and height of the pictures in pixels"""
    style: str | None = None
    """with --preset: textured, flat, sketch or night"""
    intervention: str | None = None
    """with --preset: mute, swap, shift, grey, shuffle or without_distractors"""
    out: Path | None = None
    """the PNG file to write; by default ID.png in the current folder"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Draw the sheet and say where it is."""
    options = parse(Options, arguments, "world show", EXAMPLES)
    clip = _clip(options)
    from seehear.media.atomic import atomic_file
    from seehear.reports.clip_facts import facts_in_words
    from seehear.reports.contact_sheet import contact_sheet

    out = options.out or Path(f"{clip.id}.png")
    with atomic_file(out) as file:
        file.write(contact_sheet(clip))
    for line in facts_in_words(clip):
        console.line(line)
    console.line(f"contact sheet: {out}")
    return {
        "id": clip.id, "sheet": out, "labels": clip.labels, "caption": clip.caption, "truth": clip.truth,
    }  # fmt: skip


def _clip(options: Options) -> "Rendered":
    from seehear.world import render, scene
    from seehear.world.disk.again import again
    from seehear.world.presets import resolve

    if (options.clip is None) == (options.preset is None):
        raise UsageError(
            "no clip is named" if options.clip is None else "a file and --preset",
            expected="the file of a clip, a folder and an id, or --preset",
            cure="seehear world show --help",
        )
    if options.clip is not None:
        return again(options.clip, options.id)
    chosen = resolve(str(options.preset), **{name: getattr(options, name) for name in CHOICES})
    return render(scene(chosen, options.split, options.index, options.seed))
