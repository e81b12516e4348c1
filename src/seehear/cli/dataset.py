"""`seehear dataset`: what of a published data set's list is on this disk, as a manifest that `seehear pack` reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from seehear.cli.console import Console, one_line
from seehear.cli.options import Positional, named, parse

if TYPE_CHECKING:
    from seehear.clips.published import DatasetReport

SHOWN = 20
EXAMPLES = (
    "seehear dataset audioset eval_segments.csv --labels class_labels_indices.csv --media eval --out eval.csv",
    "seehear dataset vggsound vggsound.csv --media vggsound --split test --per-class 5 --check --out gallery.csv",
    "seehear dataset cav-mae audioset_eval.json --labels class_labels_indices.csv --media eval --subset retrieval.json",
)


@dataclass(frozen=True)
class Options:
    """Say what of a published list is there, and write a manifest of it.

    Clips are looked up in a folder of media by their usual names. The report names what is missing, listed twice, there
    twice under two names, and with --check what is broken, without sound or pictures, or silent. Its hash tells two
    subsets apart. `seehear pack FOLDER TABLE --manifest OUT` then packs what is there.
    """

    kind: Annotated[Positional[Literal["audioset", "vggsound", "cav-mae"]], named("KIND")]
    """audioset: a segment CSV; vggsound: its CSV; cav-mae: a JSON data file"""
    list_file: Annotated[Positional[Path], named("LIST")]
    """the list"""
    media: Path
    """the folder that holds the clips, in subfolders too"""
    labels: Path | None = None
    """the class list (index,mid,display_name); VGGSound's labels do without"""
    split: str = ""
    """vggsound: train or test only; other lists: the split that their clips get"""
    subset: Path | None = None
    """take the clips that this CSV or JSON file names, such as a published 5-per-class list"""
    per_class: int | None = None
    """draw so many clips of each class from those that can be used"""
    seed: int = 0
    """of that draw"""
    files: Literal["auto", "cut", "whole"] = "auto"
    """what a file named after its video holds: the segment (cut), all of the video (whole), or by its length (auto)"""
    check: bool = False
    """decode everything"""
    silence_db: float = -60.0
    """with --check: sound whose peak is below so many decibels of full scale counts as silent"""
    leave_out_silent: bool = False
    """with --check: keep no silent clip"""
    out: Path | None = None
    """the manifest to write, .csv or .jsonl; the report goes beside it"""
    workers: int | None = None
    """decoding processes; by default one per core"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Read the list, look for its clips, and tell."""
    options = parse(Options, arguments, "dataset", EXAMPLES)
    from seehear.clips.published import Wishes, assemble, read_list, write_manifest
    from seehear.clips.published.writing import check_manifest_name

    wishes = Wishes(**{name: getattr(options, name) for name in Wishes.__dataclass_fields__})
    if options.out is not None:
        check_manifest_name(options.out)
    listed = read_list(options.kind, options.list_file, options.labels)
    with console.progress("looking at", unit="clips") as bar:

        def show(what: str, done: int, total: int) -> None:
            bar(done, total, what)

        assembled = assemble(listed, options.media, wishes, show)
    report = assembled.report
    _show(report, console)
    if options.out is not None:
        report = write_manifest(options.out, assembled.entries, report)
        console.line(f"{report.kept} clips in {options.out}")
        console.line(f"next: seehear pack {options.media} clips.lance --manifest {options.out}")
    return report.to_dict()


def _show(report: "DatasetReport", console: Console) -> None:
    console.table(f"the list {report.list_file}", ("what", "found"), _counts(report))
    _names("missing", report.listed, (gone.id for gone in report.missing), console)
    _names("in the subset, but not in the list", None, report.unlisted, console)
    _names("listed more than once", None, (f"{r.id} (rows {_joined(r.rows)})" for r in report.repeated), console)
    _names("the same bytes under several names", None, map(" = ".join, report.same_content), console)
    _names("with further files of the same name", None, report.several_files, console)
    if report.broken:
        rows = [(one.id, one.file, one.reason, one.detail) for one in report.broken[:SHOWN]]
        title = f"broken: {len(report.broken)}" + (f", the first {SHOWN}" if len(report.broken) > SHOWN else "")
        console.table(title, ("clip", "file", "reason", "found"), rows)
    _names("without sound", None, report.without_sound, console)
    _names("without pictures", None, report.without_picture, console)
    _names("silent", None, (_peak(name, peak) for name, peak in report.silent.items()), console)
    short = (f"{name} ({count})" for name, count in report.short_classes.items() if count)
    _names(f"classes with fewer than {report.per_class} clips", None, short, console)
    _names("classes without a clip", len(report.classes.names), report.empty_classes, console)


def _counts(report: "DatasetReport") -> Iterable[tuple[str, object]]:
    yield "rows", report.rows
    yield "clips looked for", report.listed
    yield "found", report.found
    yield "missing", len(report.missing)
    yield "listed more than once", len(report.repeated)
    yield "the same bytes under several names", len(report.same_content)
    yield "broken", len(report.broken) if report.checked else f"{len(report.broken)} so far; --check decodes all"
    if report.checked:
        yield "without sound", len(report.without_sound)
        yield "without pictures", len(report.without_picture)
        left = ", left out" if report.silent_left_out else ""
        yield f"silent (peak below {report.silence_db:g} dB)", f"{len(report.silent)}{left}"
    yield "kept", report.kept
    yield "classes", f"{len(report.classes.names)}, of which {len(report.empty_classes)} without a clip"
    yield "subset hash", report.subset_hash
    if report.subset_hash != report.listed_hash:
        yield "hash of all that were looked for", report.listed_hash


def _names(title: str, total: int | None, names: Iterable[str], console: Console) -> None:
    """Name the first of something, if there are any."""
    found = list(names)
    if not found:
        return
    count = f"{len(found)} of {total}" if total is not None else str(len(found))
    more = "; ..." if len(found) > SHOWN else ""
    console.line(one_line(f"{title}: {count}: {'; '.join(found[:SHOWN])}{more}"))  # names of classes hold commas


def _joined(rows: Iterable[int]) -> str:
    return ", ".join(map(str, rows))


def _peak(name: str, peak: float | None) -> str:
    return f"{name} ({'digital silence' if peak is None else f'{peak:.0f} dB'})"
