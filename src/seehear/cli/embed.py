"""`seehear embed`: add a model's vectors to a table of clips, from a folder if need be."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seehear.cli.console import Console
from seehear.cli.interruption import restartable
from seehear.cli.options import Positional, named, parse
from seehear.cli.pack import show_skips
from seehear.cli.progress import duration
from seehear.clips.pieces import Modality

if TYPE_CHECKING:
    from seehear.clips import PackProgress
    from seehear.search.embed_report import EmbedProgress, EmbedReport

EXAMPLES = (
    "seehear embed avsiam-world clips.lance",
    "seehear embed runs/mine my_videos --keep-video",
    "seehear embed runs/mine lectures.lance --windows mean --precision bf16 --name mine_bf16",
)


@dataclass(frozen=True)
class Options:
    """Add a model's vectors to a table of clips: columns audio_NAME, image_NAME and audiovisual_NAME.

    A folder, a manifest or WebDataset tars are packed into a table first, in clips of the length that the model hears.
    What was stopped goes on when the same command is started again, and nothing is done twice. Clips that cannot be
    decoded get no vector, are counted by reason, and are listed beside the table.
    """

    model: Annotated[Positional[str], named("MODEL")]
    """a packaged model, a run folder, a model folder, released weights, or a model on the Hugging Face Hub"""
    data: Annotated[Positional[str], named("DATA")]
    """a table (path or object-store URI), or a folder, manifest or tars to pack first"""
    name: str = ""
    """what to call the model in the columns; by default its own name"""
    precision: Literal["fp32", "bf16", "int8"] = "fp32"
    """of linear layers"""
    windows: Literal["first", "mean"] = "first"
    """of clips longer than the model hears: their beginning, or the mean over all windows"""
    engine: Literal["local", "ray"] = "local"
    """ray spreads the work over a Ray cluster (pip install 'seehear[scale]')"""
    device: str = "cpu"
    """where the network runs, for example cuda"""
    overwrite: bool = False
    """replace vectors of other weights or settings under the same name"""
    table: str | None = None
    """the table to pack a folder into; by default beside it, with .lance after its name"""
    clip_seconds: float | None = None
    """length of a clip when packing; by default what the model hears"""
    hop: float | None = None
    """when packing, seconds from the beginning of a clip to that of the next; by default the clip's length"""
    modality: Modality = "any"
    """when packing, what every clip must have; any takes what there is"""
    keep_video: bool = False
    """when packing, keep the moving pictures as well"""
    manifest: Path | None = None
    """when packing, CSV, JSONL or Parquet; by default manifest.* in the folder"""
    workers: int | None = None
    """when packing, decoding processes; by default one per core"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Embed the collection and say what was embedded, and what was not."""
    options = parse(Options, arguments, "embed", EXAMPLES)
    import seehear
    from seehear.search.embedding import Settings, embed

    model = str(Path(options.model).resolve()) if Path(options.model).exists() else options.model
    encoder = seehear.load(options.model, device=options.device)
    settings = Settings(
        name=options.name,
        model=model,
        precision=options.precision,
        windows=options.windows,
        engine=options.engine,
        overwrite=options.overwrite,
    )
    with restartable(), _Bars(console) as bars:
        report = embed(
            encoder,
            options.data,
            settings,
            packing=_packing(options, bars.packing),
            progress=bars.embedding,
            tell=console.note,
        )
    _show(report, console)
    return report.to_dict()


def _packing(options: Options, progress: Any) -> Any:
    from seehear.search.collecting import Packing

    return Packing(
        table=options.table,
        clip_seconds=options.clip_seconds,
        hop=options.hop,
        modality=options.modality,
        keep_video=options.keep_video,
        manifest=options.manifest,
        workers=options.workers,
        progress=progress,
    )


class _Bars:
    """A bar for packing, then one for embedding; each begins when it is first told of."""

    def __init__(self, console: Console):
        self._console = console
        self._label = ""
        self._open: Any = None
        self._bar: Any = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *leaving: Any) -> None:
        if self._open is not None:
            self._open.__exit__(*leaving)

    def packing(self, now: "PackProgress") -> None:
        """How far packing is."""
        self._show("packing", "files", now.files_done, now.files_total, f"{now.clips} clips, {now.skipped} skipped")

    def embedding(self, now: "EmbedProgress") -> None:
        """How far embedding is."""
        self._show("embedding", "clips", now.done, now.total, f"{now.skipped} skipped" if now.skipped else "")

    def _show(self, label: str, unit: str, done: int, total: int, note: str) -> None:
        if label != self._label:
            self.__exit__(None, None, None)
            self._open = self._console.progress(label, unit=unit)
            self._bar, self._label = self._open.__enter__(), label
        self._bar(done, total, note)


def _show(report: "EmbedReport", console: Console) -> None:
    vectors = ", ".join(f"{count} {modality}" for modality, count in report.vectors.items())
    if report.packed is not None:
        console.line(f"{report.packed.clips} clips packed in {report.table}")
        show_skips(report.packed.skips, console, "not packed")
    if report.already:
        console.line(f"{report.table} has the vectors of {report.model} ({report.weights}) already: nothing to do")
    elif report.resumed:
        console.line(f"went on with an earlier run, which had done {report.resumed} clips")
    console.line(f"{report.clips} clips in {report.table}, version {report.version}: {vectors} vectors")
    console.line(f"columns {', '.join(report.columns.values())}")
    show_skips(report.skips, console, "without vectors")
    if report.skips and report.skip_list:
        console.line(f"all of it: {report.skip_list}")
    for note in report.notes:
        console.line(note)
    if report.embedded:
        console.line(f"took {duration(report.seconds)}, {report.clips_per_second:.3g} clips/s")
    console.line(f"next: seehear search {report.table} --help")
