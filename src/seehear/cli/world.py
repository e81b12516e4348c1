"""`seehear world`: generate the procedural audio-visual world into a folder, look at it, audit it, export it.

The first word decides: one of `VERBS` opens the file of that name (`world_show`, ...), anything else is the folder to
write. A folder that is called like one of them is written `./show`.
"""

import importlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.cli.pack import counted
from seehear.cli.progress import duration

VERBS = {
    "show": "a contact sheet of one clip: pictures, boxes, masks, sound, stems, onsets, facts",
    "gallery": "a page with playable clips of every class, track, level, style and intervention",
    "audit": "check a built world, look for shortcuts, train references against its ceilings",
    "export": "labels, boxes or pairs in the formats of AudioSet, VGG-SS and MUSIC",
}
EXAMPLES = (
    "seehear world data/tiny",
    "seehear world data/unit --preset unit --seed 7",
    "seehear world data/hard --preset multi --clips 1000 --size 128",
    "seehear world data/sketches --preset tiny --style sketch",
    "seehear world data/muted --preset tiny --intervention mute",
    "seehear world data/parts --preset base --track P --arrays stems masks",
    "seehear world data/tags --preset base --labelling multi --long-tail 50 --parent-labels --removed-labels 0.2",
)
CHOICES = (
    "level", "size", "seconds", "clips", "track", "labelling", "ambiguous", "style", "speech", "intervention",
    "long_tail", "removed_labels",
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """Generate the procedural audio-visual world: mp4 files, a manifest per split, the exact truth of every clip.

    A build that was stopped goes on where it stopped when the same command is started again.
    """

    out: Annotated[Positional[Path], named("OUT")]
    """the folder to write: new, empty, or holding the same world"""
    preset: str = "tiny"
    """unit (64 clips for tests), tiny (the demo's), small (more of it), multi (several objects per clip),
    base (20 classes), large (more of it)"""
    track: str | None = None
    """letter of the kind of clips: A (core), L (localisation), P (separation), J (joint), Y (sync), S (stream),
    K (speech), N (digits), I (interactions); by default the preset's"""
    level: int | None = None
    """difficulty, 0 to 3; by default the preset's"""
    size: int | None = None
    """width and height of the pictures in pixels; by default the preset's"""
    seconds: float | None = None
    """length of a clip; by default the preset's"""
    seed: int = 0
    """another seed is another world of the same kind"""
    clips: int | None = None
    """clips in all, shared out among the splits as in the preset"""
    labelling: Literal["single", "multi"] | None = None
    """one labelled class per clip, or every class that sounds; by default the preset's"""
    ambiguous: float | None = None
    """share of clips that sound alone, and of others that the picture alone, cannot tell, 0 to 0.5"""
    style: str | None = None
    """how pictures are painted: textured, flat, sketch or night"""
    speech: str | None = None
    """who speaks on tracks K and N: built-in, or espeak-ng where that command is installed"""
    intervention: str | None = None
    """a view of the same clips with one thing changed: mute, swap, shift, grey, shuffle or without_distractors"""
    long_tail: float | None = None
    """how many times as often training clips show the most frequent class as the rarest"""
    parent_labels: bool = False
    """the classes' groups are labels too"""
    removed_labels: float | None = None
    """share of the parent labels that training clips lack"""
    arrays: tuple[str, ...] | None = None
    """truth arrays to store beside the clips: masks, stems, both, or none; by default those of the track's task"""
    workers: int | None = None
    """processes; by default one per core"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Do what the first word says: build the world, or open one of `VERBS`."""
    if arguments and arguments[0] in VERBS:
        return importlib.import_module(f"seehear.cli.world_{arguments[0]}").run(arguments[1:], console)
    return _build(arguments, console)


def _build(arguments: list[str], console: Console) -> dict[str, Any]:
    """Build the world and say what was built."""
    options = parse(Options, arguments, "world", (*EXAMPLES, *_verbs()))
    from seehear import world

    chosen = {name: getattr(options, name) for name in ("seed", "workers", "arrays", *CHOICES)}
    with console.progress("generating") as bar:
        report = world.build(
            options.out, options.preset, progress=bar, parent_labels=options.parent_labels or None, **chosen
        )
    _show(report, console)
    return asdict(report)


def _verbs() -> list[str]:
    """The help's lines about what else there is."""
    width = max(map(len, VERBS))
    return ["", *(f"seehear world {verb:{width}} --help   {summary}" for verb, summary in VERBS.items())]


def _show(report: Any, console: Console) -> None:
    sheet = report.datasheet
    console.line(f"{counted(report.clips, sheet['preset']['clips'])} in {report.root}")
    if report.made:
        rate = f"{report.made / report.seconds:.1f} clips/s" if report.seconds else ""
        console.line(f"made {report.made} in {duration(report.seconds)} ({rate}), {report.reused} were there")
    else:
        console.line("all of them were there already")
    audit = sheet["audit"]
    console.line(f"shortcut audit: {audit['status']}" + (f" ({audit['reason']})" if "reason" in audit else ""))
    console.line(f"next: seehear pack {report.root} {report.root}.lance")
