"""`seehear pack`: cut a folder of media into a table of clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seehear.cli.console import Console
from seehear.cli.interruption import restartable
from seehear.cli.options import Positional, named, parse
from seehear.cli.progress import duration
from seehear.clips.pieces import Modality

if TYPE_CHECKING:
    from seehear.clips import PackReport, Skip

SKIPS_SHOWN = 20
EXAMPLES = (
    "seehear pack videos clips.lance",
    "seehear pack lectures lectures.lance --clip-seconds 10 --hop 30 --max-clips-per-file 60",
    "seehear pack photos photos.lance --modality image --size 256",
    "seehear pack 'shards/{000..011}.tar' clips.lance --modality any",
)


@dataclass(frozen=True)
class Options:
    """Cut a folder of media into a table of clips to train on.

    Files that cannot be used are skipped with a reason, counted, and listed beside the table. A packing that was
    stopped goes on where it stopped when the same command is started again. `seehear doctor FOLDER` says beforehand
    what would be skipped. WebDataset tars are read too: FOLDER may be a tar, a folder of tars, or a pattern.
    """

    folder: Annotated[Positional[Path], named("FOLDER")]
    """the folder of media, or one file"""
    table: Annotated[Positional[str], named("TABLE")]
    """the table to write: a path that ends in .lance, or the URI of an object store"""
    clip_seconds: float = 10.0
    """length of a clip; a tail shorter than half of it joins the clip before it"""
    hop: float = 10.0
    """seconds from the beginning of a clip to that of the next"""
    max_clips_per_file: int | None = None
    """at most so many clips of one file, spread evenly over it"""
    frames: int = 10
    """pictures kept of each clip, evenly spread"""
    size: int = 224
    """shorter side of the pictures in pixels; the aspect ratio is kept"""
    keep_video: bool = False
    """keep the moving pictures as well"""
    audio_codec: Literal["pcm_s16le", "flac"] = "pcm_s16le"
    """flac takes half the space and is slower to read"""
    modality: Modality = "audiovisual"
    """what every clip must have; any takes what there is"""
    manifest: Path | None = None
    """CSV, JSONL or Parquet; by default manifest.* in the folder or in its subfolders"""
    workers: int | None = None
    """decoding processes; by default one per core"""
    overwrite: bool = False
    """replace a table that is there"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Pack the folder and say what was packed, and what was not."""
    options = parse(Options, arguments, "pack", EXAMPLES)
    from seehear import clips

    settings = {name: value for name, value in vars(options).items() if name not in ("folder", "table")}
    with restartable(), console.progress("packing", unit="files") as bar:

        def show(now: clips.PackProgress) -> None:
            bar(now.files_done, now.files_total, f"{now.clips} clips, {now.skipped} skipped")

        report = clips.pack(options.folder, options.table, progress=show, **settings)
    _show(report, console)
    return report.to_dict()


def _show(report: "PackReport", console: Console) -> None:
    console.line(f"{counted(report.clips, report.splits)} in {report.table}, version {report.version}")
    console.line(f"{report.with_audio} with sound, {report.with_image} with pictures, from {report.files} files")
    if report.resumed_files:
        console.line(f"went on with an earlier packing, which had finished {report.resumed_files} files")
    show_skips(report.skips, console)
    show_ignored(report.ignored, console)
    if report.skips and report.skip_list:
        console.line(f"all of it: {report.skip_list}")
    console.line(f"took {duration(report.seconds)}")


def counted(clips: int, splits: dict[str, int]) -> str:
    """A number of clips in words, with its splits where there are any."""
    parts = ", ".join(f"{count} {split or 'in no split'}" for split, count in splits.items())
    return f"{clips} clips ({parts})" if any(splits) else f"{clips} clips"


def show_skips(skips: "Sequence[Skip]", console: Console, title: str = "skipped") -> None:
    """Say what cannot be used: how often for which reason, and the first of them by name."""
    if not skips:
        return
    reasons = [skip.reason for skip in skips]
    counts = ", ".join(f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons))
    first = f", the first {SKIPS_SHOWN}" if len(skips) > SKIPS_SHOWN else ""
    rows = [(skip.file, skip.reason, skip.detail) for skip in skips[:SKIPS_SHOWN]]
    console.table(f"{title}: {counts}{first}", ("file", "reason", "found"), rows)


def show_ignored(ignored: dict[str, int], console: Console) -> None:
    """Say which files were left aside because of their names."""
    if ignored:
        kinds = ", ".join(
            f"{count} {'.' + suffix if suffix else 'without suffix'}" for suffix, count in ignored.items()
        )
        console.line(f"left aside by name: {kinds}")
