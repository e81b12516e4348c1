"""`seehear world`: generate the procedural audio-visual world into a folder."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.cli.pack import counted
from seehear.cli.progress import duration

EXAMPLES = (
    "seehear world data/tiny",
    "seehear world data/unit --preset unit --seed 7",
    "seehear world data/hard --preset multi --clips 1000 --size 128",
)


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
    seed: int = 0
    """another seed is another world of the same kind"""
    level: int | None = None
    """difficulty, 0 to 3; by default the preset's"""
    size: int | None = None
    """width and height of the pictures in pixels; by default the preset's"""
    seconds: float | None = None
    """length of a clip; by default the preset's"""
    clips: int | None = None
    """clips in all, shared out among the splits as in the preset"""
    workers: int | None = None
    """processes; by default one per core"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Build the world and say what was built."""
    options = parse(Options, arguments, "world", EXAMPLES)
    from seehear import world

    chosen = {name: getattr(options, name) for name in ("seed", "level", "size", "seconds", "clips", "workers")}
    with console.progress("generating") as bar:
        report = world.build(options.out, options.preset, progress=bar, **chosen)
    _show(report, console)
    return asdict(report)


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
