"""`seehear doctor`: what this machine has, and what a folder of media or a table of clips holds."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.cli.pack import counted, show_ignored, show_skips
from seehear.cli.progress import duration
from seehear.clips.pieces import Modality

if TYPE_CHECKING:
    from seehear.cli.holdings import FileFacts

FILES_SHOWN = 40
EXAMPLES = (
    "seehear doctor",
    "seehear doctor videos",
    "seehear doctor videos --modality image --json",
    "seehear doctor clips.lance",
)


@dataclass(frozen=True)
class Options:
    """Say what this machine has, and what a folder of media holds.

    For a folder: counts, durations and tracks, and what `seehear pack` would skip, and why. For a table of clips: what
    it holds. Nothing is written.
    """

    folder: Annotated[Positional[Path | None], named("FOLDER")] = None
    """a folder of media, one file, or a table of clips; by default the machine only"""
    modality: Modality = "audiovisual"
    """what every clip must have, as for pack"""
    clip_seconds: float = 10.0
    """length of a clip, as for pack"""
    hop: float = 10.0
    """seconds from the beginning of a clip to that of the next, as for pack"""
    manifest: Path | None = None
    """CSV, JSONL or Parquet; by default manifest.* in the folder or in its subfolders"""
    workers: int | None = None
    """decoding processes; by default one per core"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Look, and say what was found."""
    options = parse(Options, arguments, "doctor", EXAMPLES)
    from seehear.cli.machine import machine_facts, warnings
    from seehear.clips.lance_files import looks_like_table

    document: dict[str, Any] = {"machine": machine_facts(Path.cwd())}
    document["machine"]["warnings"] = warnings(document["machine"])
    _show_machine(document["machine"], console)
    if options.folder is not None and looks_like_table(options.folder):
        document["table"] = _table(options.folder, console)
    elif options.folder is not None:
        document["folder"] = _folder(options, options.folder, console)
    return document


def _table(path: Path, console: Console) -> dict[str, Any]:
    from seehear.cli.holdings import table_facts

    facts = table_facts(str(path))
    _show_table(facts, console)
    return facts


def _folder(options: Options, folder: Path, console: Console) -> dict[str, Any]:
    from seehear.cli.holdings import folder_facts, summary
    from seehear.clips import Cutting, list_folder

    cutting = Cutting(options.clip_seconds, options.hop, modality=options.modality)
    listing = list_folder(folder, options.manifest)
    with console.progress("probing", unit="files") as bar:
        files = folder_facts(listing, cutting, options.workers, bar)
    _show_folder(facts := summary(files, listing, cutting), files, folder, console)
    return {"folder": folder, **facts, "each": [item.to_dict() for item in files]}


def _show_machine(facts: dict[str, Any], console: Console) -> None:
    memory = gigabytes(facts["memory_bytes"])
    if "free_memory_bytes" in facts:
        memory += f", {gigabytes(facts['free_memory_bytes'])} free"
    rows = [("seehear", facts["seehear"]), ("python", facts["python"]), ("system", facts["system"])]
    rows += [(d["device"], _device(d)) for d in facts["devices"]]
    rows += [
        ("cores", str(facts["cores"])),
        ("memory", memory),
        ("free disk", f"{gigabytes(facts['free_disk_bytes'])} in {Path.cwd()}"),
        ("encoders", ", ".join(facts["media"]["encoders"])),
        ("containers", ", ".join(facts["media"]["containers"])),
        ("codecs", f"{len(facts['media']['codecs'])} can be read (--json names them)"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in facts["libraries"].items())),
    ]
    console.table("this machine", ("what", "found"), rows)
    for warning in facts["warnings"]:
        console.line(f"warning: {warning}")


def _device(facts: dict[str, Any]) -> str:
    more = f", {gigabytes(facts['memory_bytes'])}" if "memory_bytes" in facts else ""
    return facts["name"] + more + (f", {facts['threads']} threads" if "threads" in facts else "")


def _show_table(facts: dict[str, Any], console: Console) -> None:
    rows = [
        ("holds", counted(facts["clips"], facts["splits"])),
        ("with sound", str(facts["with_audio"])),
        ("with pictures", f"{facts['with_image']}, up to {facts['most_frames']} of each clip"),
        ("duration", duration(facts["total_seconds"])),
        ("classes", f"{len(facts['classes'])}: {'; '.join(facts['classes'][:20])}" if facts["classes"] else "none"),
        ("hash of the clips", facts["subset_hash"]),
    ]
    console.table(f"the table {facts['table']}", ("what", "found"), rows)


def _show_folder(facts: dict[str, Any], files: "list[FileFacts]", folder: Path, console: Console) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in facts["tracks"].items())
    rows = [("files", f"{facts['files']}, of which {facts['readable']} can be read"), ("tracks", kinds or "none")]
    if facts["readable"]:
        lengths = f"{facts['shortest_seconds']:.4g} s to {facts['longest_seconds']:.4g} s"
        rows.append(("duration", f"{duration(facts['total_seconds'])} in all, {lengths} each"))
    rows += [(f"clips with --modality {name}", str(count)) for name, count in facts["clips_by_modality"].items()]
    console.table(f"the folder {folder}", ("what", "found"), rows)
    if len(files) <= FILES_SHOWN:
        columns = ("file", "kind", "seconds", "pictures", "sound", "clips")
        console.table("its files", columns, [_file_row(item) for item in files])
    show_skips(facts["skips"], console, f"skipped for {facts['modality']} clips")
    show_ignored(facts["left_aside"], console)


def _file_row(facts: "FileFacts") -> tuple[object, ...]:
    info = facts.info
    if info is None:
        return (facts.entry.name, "unreadable", None, None, None, facts.clips)
    pictures, sound = "none", "none"
    if info.video is not None:
        video = info.video
        pictures = f"{video.codec} {video.width}x{video.height}"
        if info.kind == "video":
            rate = f"{video.frames} frames at {video.frames_per_second:.4g}/s"
            pictures += f", {rate}, the last at {video.last_frame_seconds:.2f} s"
    if info.audio is not None:
        audio = info.audio
        sound = f"{audio.codec} {audio.sample_rate} Hz x{audio.channels}, {audio.duration_seconds:.3f} s"
    return (facts.entry.name, info.kind, f"{info.duration_seconds:.3f}", pictures, sound, facts.clips)


def gigabytes(count: int) -> str:
    """Bytes as gigabytes, for people."""
    return f"{count / 1e9:.1f} GB"
