"""`seehear separate`: the sounds of a clip by regions of its picture, or of two clips added up by their pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import UsageError

if TYPE_CHECKING:
    from seehear.runs.separating import Separated

EXAMPLES = (
    "seehear separate duet.mp4 --model runs/oneavm -o duet",
    "seehear separate duet.mp4 --model runs/oneavm --halves -o duet",
    "seehear separate --mix cello.mp4 flute.mp4 --model runs/oneavm -o demonstration",
)


@dataclass(frozen=True)
class Options:
    """Write one WAV file for each source of sound in a clip, with the region of the picture that it belongs to.

    Only a model that takes sounds apart by pictures will do: a run or model of OneAVM that was trained with separation.
    Beside the sounds lie their regions (.png), a sheet with spectrograms, and everything in numbers (.json). With
    --mix, the sounds of two clips are added up, cut to the shorter, and taken apart again by the two pictures; as the
    true sounds are known then, each SDR is printed with that of the mixture itself. At most 600 s at a time.
    """

    clip: Annotated[Positional[Path | None], named("CLIP")] = None
    """a video with sound"""
    mix: tuple[Path, Path] | None = None
    """two videos to add up and take apart, in place of CLIP"""
    model: str = ""
    """a run folder, a model folder, released weights, or a model on the Hugging Face Hub"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("separated")
    """the folder to write to"""
    halves: bool = False
    """of CLIP, take the left and the right half as the sources; by default the peaks of the model's own map"""
    sources: int = 2
    """how many peaks"""
    from_seconds: float = 0.0
    """where to begin in each clip"""
    to_seconds: float | None = None
    """where to end; by default the clip's end"""
    device: str = "cpu"
    """where the network runs, for example cuda"""
    overwrite: bool = False
    """replace files that exist"""


def run(arguments: list[str], console: Console) -> "Separated":
    """Take the sounds apart, write them and say how well it went where that is known."""
    options = parse(Options, arguments, "separate", EXAMPLES)
    clips = _clips(options)
    if not options.model:
        raise UsageError("no model is named", expected="--model RUN of OneAVM", cure="seehear separate --help")
    import seehear
    from seehear.runs.separating import separate

    found = separate(
        seehear.load(options.model, device=options.device),
        clips,
        options.out,
        console,
        regions="halves" if options.halves else "peaks",
        count=options.sources,
        from_seconds=options.from_seconds,
        to_seconds=options.to_seconds,
        overwrite=options.overwrite,
    )
    _show(found, console)
    return found


def _clips(options: Options) -> tuple[Path, ...]:
    if (options.clip is None) == (options.mix is None):
        found = "neither a clip nor --mix" if options.clip is None else "both a clip and --mix"
        raise UsageError(found, expected="CLIP, or --mix A B", cure="seehear separate --help")
    if options.mix is not None and (options.halves or options.sources != 2):
        raise UsageError("--mix with --halves or --sources", expected="a source for each of its two clips")
    return options.mix or ((options.clip,) if options.clip is not None else ())


def _show(found: "Separated", console: Console) -> None:
    rows: list[tuple[Any, ...]] = [
        (source.sound, Path(source.clip).name, ", ".join(f"{x:.0%}" for x in source.region), *_figures(source))
        for source in found.sources
    ]
    columns = ["sound", "picture", "left, top, right, bottom"]
    columns += ["SDR", "mixture's SDR"] if found.variant else []
    title = f"{len(rows)} sources of {found.seconds:.2f} s" + (f"; in dB, {found.variant}" if found.variant else "")
    console.table(title, columns, [row[: len(columns)] for row in rows])
    for note in found.notes:
        console.line(note)
    console.line(f"written: {found.mixture}, {found.sheet}, {found.document}")
    if found.knows:
        console.note(f"{found.model}: {found.knows}")


def _figures(source: Any) -> tuple[float | None, float | None]:
    return source.sdr, source.mixture_sdr
