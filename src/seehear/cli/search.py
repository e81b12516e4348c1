"""`seehear search`: the clips of an embedded table that go with a sound, a picture or a clip; and near-duplicates."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from seehear.cli.console import Console
from seehear.cli.options import Positional, parse
from seehear.errors import UsageError

if TYPE_CHECKING:
    from seehear.contracts import Modality
    from seehear.search import Filter, Group, Hit, Query, Searcher

EXAMPLES = (
    "seehear search clips.lance --audio bell.wav --for image",
    "seehear search clips.lance --image photo.jpg --label dog --label cat -k 20",
    "seehear search clips.lance --clip talk.mp4 --at 12.5 --where \"duration_seconds > 2 AND caption LIKE '%dog%'\"",
    "seehear search clips.lance --id videos/first.mp4 --by audio --for image --json",
    "seehear search clips.lance --duplicates --for image --threshold 0.99",
)
Which = Literal["audio", "image", "both"]
SHOWN_GROUPS = 50


@dataclass(frozen=True)
class Options:
    """Find clips by their vectors: the higher the score (a cosine, up to 1), the better they go together.

    Name one query. Scores are for comparing hits of one search, not searches with each other.
    """

    table: Positional[str]
    """a table that a model has embedded (seehear embed)"""
    audio: Path | None = None
    """search with the sound of this file"""
    image: Path | None = None
    """search with this picture, or the middle frame of this video"""
    clip: Path | None = None
    """search with this file, its sound and picture together as far as it has them"""
    id: str | None = None
    """search with a clip of the table"""
    target: Annotated[Which | None, tyro.conf.arg(name="for")] = None
    """what of the clips must fit: their sound, their picture, or both; by default the same as the query's"""
    by: Which | None = None
    """of a clip, what to search with; by default both"""
    at: float | None = None
    """take the file's window from this second on; by default the mean over all of it"""
    k: Annotated[int, tyro.conf.arg(aliases=["-k"])] = 10
    """how many hits"""
    label: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """only clips of this class (or of any of several)"""
    split: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """only clips of this split"""
    source: str = ""
    """only clips of files whose name fits this pattern, with * and ?"""
    from_seconds: float | None = None
    """only clips that end after this second of their file"""
    to_seconds: float | None = None
    """only clips that begin before this second of their file"""
    where: str = ""
    """only clips that meet this SQL condition on the table's columns"""
    exact: bool = False
    """compare with every clip even where there is an index"""
    duplicates: bool = False
    """list groups of clips that are nearly the same"""
    threshold: float = 0.98
    """with --duplicates: least cosine of a pair"""
    overlapping: bool = False
    """with --duplicates: also windows of one file that overlap in time"""
    model: str | None = None
    """whose vectors, where the table holds several models'"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Search, or list duplicates."""
    options = parse(Options, arguments, "search", EXAMPLES)
    _check(options)
    from seehear.search import Filter, Searcher

    where = Filter(
        options.label, options.split, options.source, options.from_seconds, options.to_seconds, options.where
    )
    searcher = Searcher(options.table, options.model)
    found = (_duplicates if options.duplicates else _search)(options, searcher, where, console)
    if searcher.about.knows:
        console.note(f"{searcher.about.model}: {searcher.about.knows}")
    return found


def _check(options: Options) -> None:
    if options.k < 1:
        raise UsageError(f"-k {options.k}", expected="at least 1 hit")
    asked = [f"--{name}" for name in ("audio", "image", "clip", "id") if getattr(options, name) is not None]
    if options.duplicates:
        asked.append("--duplicates")
    if len(asked) != 1:
        raise UsageError(
            f"{len(asked)} queries{': ' if asked else ''}{', '.join(asked)}",
            expected="one of --audio FILE, --image FILE, --clip FILE, --id CLIP, --duplicates",
            cure="seehear search --help",
        )
    if options.by is not None and options.id is None and options.clip is None:
        raise UsageError("--by without a clip to choose of", expected="--clip FILE or --id CLIP beside it")
    if options.at is not None and (options.id is not None or options.duplicates):
        raise UsageError("--at without a file", expected="--audio, --image or --clip beside it")


def _search(options: Options, searcher: "Searcher", where: "Filter", console: Console) -> dict[str, Any]:
    query = _query(options, searcher, console)
    target = _target(options, searcher, query)
    hits = searcher.search(query, target, options.k, where, exact=options.exact)
    note = "" if options.exact else searcher.note(target)
    if note:
        console.note(note)
    index = None if options.exact else searcher.index(target)
    measured = None if index is None else index.measured
    title = f"the nearest {len(hits)} of {len(searcher.table)} clips in {options.table}: "
    title += f"their {_said(target)}, by this {_said(query.modality)}"
    rows = [_row(hit) for hit in hits]
    if rows:
        console.table(title, ("rank", "score", "clip", "file", "second", "labels", "caption"), rows)
    else:
        console.line("no clip meets the conditions and has a vector")
    return {
        "table": searcher.table.uri,
        "model": searcher.about.slug,
        "knows": searcher.about.knows,
        "by": query.modality,
        "for": target,
        "at": query.seconds,
        "index": None if measured is None else {"kind": measured.kind, "recall": measured.recall},
        "note": note,
        "hits": hits,
    }


def _query(options: Options, searcher: "Searcher", console: Console) -> "Query":
    from seehear.search import query_of_clip, query_of_file

    if options.id is not None:
        queries = query_of_clip(searcher.table, options.id, searcher.about.slug)
    elif options.audio is not None:
        queries = query_of_file(searcher.encoder, options.audio, "audio", at=options.at)
    elif options.image is not None:
        queries = query_of_file(searcher.encoder, options.image, "image", at=options.at)
    else:
        queries = query_of_file(searcher.encoder, options.clip or "", "clip", at=options.at, tell=console.note)
    if options.by is None:
        return queries[0]
    for query in queries:
        if query.modality == _modality(options.by):
            return query
    raise UsageError(
        f"--by {options.by}: this clip has no such vector",
        expected=f"one of {', '.join(_said(query.modality) for query in queries)}",
        cause="no track, or digital silence",
    )


def _target(options: Options, searcher: "Searcher", query: "Query") -> "Modality":
    if options.target is not None:
        return _modality(options.target)
    return query.modality if query.modality in searcher.modalities else searcher.modalities[0]


def _modality(which: Which) -> "Modality":
    return "audiovisual" if which == "both" else which


def _said(modality: "Modality") -> str:
    return {"audio": "sound", "image": "picture", "audiovisual": "sound and picture"}[modality]


def _row(hit: "Hit") -> tuple[object, ...]:
    second = f"{hit.start_seconds:.1f}"
    return hit.rank, f"{hit.score:.4f}", hit.id, hit.source, second, ", ".join(hit.labels), hit.caption


def _duplicates(options: Options, searcher: "Searcher", where: "Filter", console: Console) -> dict[str, Any]:
    from seehear.search import duplicates

    table = searcher.table
    wanted = () if options.target is None else ("audio", "image") if options.target == "both" else (options.target,)
    allowed = where.rows(table) if where else None
    with console.progress("comparing", len(table), "clips") as bar:
        groups = duplicates(
            table,
            wanted,
            options.threshold,
            model=searcher.about.slug,
            allowed=allowed,
            overlapping=options.overlapping,
            progress=bar,
        )
    described = [_described(group, searcher) for group in groups]
    clips = sum(len(group.rows) for group in groups)
    title = f"{clips} clips in {len(groups)} groups of near-duplicates (cosine {options.threshold:g} or more)"
    if len(groups) > SHOWN_GROUPS:
        title += f", the first {SHOWN_GROUPS} groups"
    rows = [
        (number, f"{group['score']:.4f}", clip["id"], clip["source"], f"{clip['start_seconds']:.1f}")
        for number, group in enumerate(described[:SHOWN_GROUPS], start=1)
        for clip in group["clips"]
    ]
    if rows:
        console.table(title, ("group", "nearest", "clip", "file", "second"), rows)
    else:
        console.line(f"no two clips are near-duplicates (cosine {options.threshold:g} or more)")
    return {
        "table": table.uri,
        "model": searcher.about.slug,
        "knows": searcher.about.knows,
        "threshold": options.threshold,
        "groups": described,
    }


def _described(group: "Group", searcher: "Searcher") -> dict[str, Any]:
    table = searcher.table
    clips = [
        {"id": table.names[row], "source": table.sources[row], "start_seconds": float(table.start_seconds[row])}
        for row in group.rows
    ]
    pairs = [
        {"one": table.names[pair.one], "other": table.names[pair.other], "score": pair.score} for pair in group.pairs
    ]
    return {"score": group.score, "clips": clips, "pairs": pairs}
