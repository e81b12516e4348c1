"""`seehear localize`: where in a clip's picture its sound seems to come from, as a heat map over time."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse

if TYPE_CHECKING:
    from seehear.runs.localizing import Localized

EXAMPLES = (
    "seehear localize first.mp4 --model avsiam-world -o heat.mp4",
    "seehear localize concert.mp4 --model runs/mine --from-seconds 60 --to-seconds 90 --hop 0.25",
    "seehear localize street.mp4 --model ez-vsl:ezvsl_full.pth -o street_heat.mp4 --json",
)
SHOWN = 12


@dataclass(frozen=True)
class Options:
    """Write a clip with a heat map over time of where its sound seems to come from, and its sound.

    Beside the video lie a sheet of pictures (.png) and every place and score (.json). Any model of sound and pictures
    whose picture has tokens in rows and columns will do (AVSiam, CAV-MAE, MAViL), and those made for it (EZ-VSL,
    OneAVM). At most 600 s at a time.
    """

    clip: Annotated[Positional[Path], named("CLIP")]
    """a video, or one picture with sound in a video file"""
    model: str
    """a packaged model, a run folder, a model folder, released weights, or a model on the Hugging Face Hub"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """the video to write; by default CLIP_heat.mp4 in this folder"""
    hop: float = 0.5
    """seconds from one map to the next; between them maps are interpolated"""
    from_seconds: float = 0.0
    """where to begin in the clip"""
    to_seconds: float | None = None
    """where to end; by default the clip's end"""
    size: int = 480
    """shorter side of the video in pixels; smaller clips keep their size"""
    device: str = "cpu"
    """where the network runs, for example cuda"""
    overwrite: bool = False
    """replace files that exist"""


def run(arguments: list[str], console: Console) -> "Localized":
    """Find the places, draw them and say where they are."""
    options = parse(Options, arguments, "localize", EXAMPLES)
    import seehear
    from seehear.runs.localizing import localize

    found = localize(
        seehear.load(options.model, device=options.device),
        options.clip,
        options.out or Path(f"{options.clip.stem}_heat.mp4"),
        console,
        hop=options.hop,
        shorter_side=options.size,
        from_seconds=options.from_seconds,
        to_seconds=options.to_seconds,
        overwrite=options.overwrite,
    )
    _show(found, console)
    return found


def _show(found: "Localized", console: Console) -> None:
    step = max(1, -(-len(found.tiles) // SHOWN))
    rows = [
        (f"{tile.middle_seconds:.2f}", *(("silent", "", "") if tile.peak is None else _place(tile.peak, tile.score)))
        for tile in found.tiles[::step]
    ]
    grid = f"{found.grid[0]} x {found.grid[1]} places"
    title = f"{len(found.tiles)} maps of {grid}, one every {found.hop_seconds:g} s, each of the sound around it"
    title += f" ({found.window_seconds:g} s)" + (f"; one in {step} is listed" if step > 1 else "")
    console.table(title, ("second", "from left", "from top", "score"), rows)
    for note in found.notes:
        console.line(note)
    console.line(f"written: {found.video}, {found.picture}, {found.document}")
    if found.knows:
        console.note(f"{found.model}: {found.knows}")


def _place(peak: tuple[float, float], score: float | None) -> tuple[str, str, float | None]:
    return f"{peak[0]:.0%}", f"{peak[1]:.0%}", score
