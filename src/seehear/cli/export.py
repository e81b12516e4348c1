"""`seehear export`: a network as programs or as a folder for the hub, or a table as tars for other loaders."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import StorageError, UsageError

if TYPE_CHECKING:
    from seehear.weights.exported_example import Format
    from seehear.weights.publishing import Published

MEBIBYTE = 1 << 20
EXAMPLES = (
    "seehear export avsiam-world programs --onnx --pt2",
    "seehear export runs/first picture --onnx --entry image",
    "seehear export runs/first model --hub --name my-model --licence apache-2.0",
    "seehear export clips.lance tars --webdataset",
)


@dataclass(frozen=True)
class Options:
    """Hand a network or a table on to other software.

    Programs (--pt2, --onnx) take plain sound and pictures and run without this package; each is held against the
    network before it is written, and an example lies beside it. --hub writes what `seehear.load` and the Hugging Face
    Hub read: configuration, weights, figures and a model card. --webdataset writes a table of clips as tars.
    """

    source: Annotated[Positional[str], named("MODEL_OR_TABLE")]
    """a run, a checkpoint, a model's name or folder, a released file; or a table of clips"""
    out: Annotated[Positional[Path], named("OUT")]
    """the folder to write: new or empty"""
    pt2: bool = False
    """programs of torch.export, for torch alone"""
    onnx: bool = False
    """programs in ONNX, for onnxruntime and others (needs the extra `export`)"""
    hub: bool = False
    """the network with its model card"""
    webdataset: bool = False
    """the table's clips as tars"""
    entry: tuple[Literal["audio", "image", "joint"], ...] = ()
    """programs to write: audio, image, joint; by default all that the network has"""
    name: str = ""
    """of the model; by default the run's"""
    licence: str = ""
    """of the weights, as the hub spells it, such as apache-2.0; for the card of a run"""
    knows: str = ""
    """one sentence on what the model knows, where that is only some kind of media; for the card of a run"""
    notes: Path | None = None
    """a Markdown file on how the run was made; for its card"""
    shard_size: int = 1024
    """MiB of a tar"""
    overwrite: bool = False
    """replace the tars of an earlier export"""


def run(arguments: Sequence[str], console: Console) -> dict[str, Any]:
    """Write what is asked for, and say what to do with it."""
    options = parse(Options, arguments, "export", EXAMPLES)
    programs = options.pt2 or options.onnx or options.hub
    if options.webdataset and programs:
        raise UsageError(
            "--webdataset beside --pt2, --onnx or --hub", expected="a table, or a network", cure="one command for each"
        )
    if options.webdataset:
        return _table(options, console)
    if Path(options.source).suffix == ".lance" and Path(options.source).is_dir():
        raise UsageError(f"{options.source} is a table of clips", expected="--webdataset, for a table")
    return _network(options, console)


def _table(options: Options, console: Console) -> dict[str, Any]:
    from seehear import clips

    with console.progress("writing tars") as bar:
        report = clips.export_webdataset(
            options.source,
            options.out,
            shard_bytes=options.shard_size * MEBIBYTE,
            overwrite=options.overwrite,
            progress=bar,
        )
    console.line(f"{report.clips} clips in {report.shards} tars of {report.folder}, {report.bytes / MEBIBYTE:.1f} MiB")
    if report.skips:
        told = ", ".join(f"{count} {reason}" for reason, count in report.skipped.items())
        console.line(f"left out: {told}")
    return asdict(report)


def _network(options: Options, console: Console) -> dict[str, Any]:
    from seehear.weights.card import NOT_STATED, CardWords
    from seehear.weights.publishing import publish

    words = CardWords(options.name, options.knows, options.licence or NOT_STATED, _read(options.notes))
    formats: list[Format] = [*(["pt2"] if options.pt2 else []), *(["onnx"] if options.onnx else [])]
    if formats:
        console.note("translating and holding against the network: this takes some seconds for each program")
    found = publish(
        options.source,
        options.out,
        hub=options.hub,
        formats=formats,
        entries=options.entry or None,
        words=None if words == CardWords("") else words,
    )
    _show(found, options, console)
    return {
        "folder": found.folder,
        "name": found.about.name,
        "weights": found.about.weights,
        "knows": found.about.knows,
        "files": found.files,
        "signature": found.signature,
    }


def _show(found: "Published", options: Options, console: Console) -> None:
    if found.about.knows:
        console.line(found.about.knows)
    rows = [
        (f"{name}.{kind}", ", ".join(entry["inputs"]), ", ".join(entry["outputs"]), f"{difference:.1g}")
        for name, entry in found.signature.get("entries", {}).items()
        for kind, difference in entry["difference"].items()
    ]
    if rows:
        console.table(f"programs in {found.folder}", ("file", "takes", "gives", "differs by"), rows)
        for kind in ("pt2", "onnx"):
            if getattr(options, kind):
                console.line(f"try: python {found.folder}/example_{kind}.py sound.wav picture.jpg")
    if options.hub:
        console.line(f'try: python -c "import seehear; seehear.load({str(found.folder)!r})"')
        console.line(f"upload: hf upload OWNER/NAME {found.folder}")


def _read(path: Path | None) -> str:
    try:
        return "" if path is None else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{path} cannot be read ({error})", expected="a Markdown file") from error
