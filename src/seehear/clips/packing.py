"""Packing: a folder of media, or any collection of clips, to one Lance table of clips.

Files are probed, cut, decoded and coded in parallel in disposable processes; rows keep the files' order. Every commit
carries the state, so after a kill the same call goes on where it stopped and ends with the same table.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from seehear.clips.clip import ClipSource
from seehear.clips.convert import Storing
from seehear.clips.feed import Feed, FolderFeed, SourceFeed
from seehear.clips.folder import nothing_usable
from seehear.clips.lance_files import is_uri, storage_failures, text_of
from seehear.clips.listing import list_folder
from seehear.clips.pieces import Cutting, Modality
from seehear.clips.report import PackProgress, PackReport
from seehear.clips.shards import shards_of
from seehear.clips.webdataset_in import WebDatasetFeed
from seehear.clips.writer import TableWriter
from seehear.errors import UsageError
from seehear.media import Limits


def pack(
    source: str | Path | ClipSource,
    table: str | Path,
    *,
    manifest: str | Path | None = None,
    clip_seconds: float = 10.0,
    hop: float | None = None,
    max_clips_per_file: int | None = None,
    frames: int = 10,
    size: int = 224,
    keep_video: bool = False,
    audio_codec: Literal["pcm_s16le", "flac"] = "pcm_s16le",
    modality: Modality = "audiovisual",
    workers: int | None = None,
    limits: Limits | None = None,
    overwrite: bool = False,
    progress: Callable[[PackProgress], None] | None = None,
    storage_options: dict[str, str] | None = None,
) -> PackReport:
    """Pack clips into a Lance table, or go on with a packing that was stopped.

    Args:
        source: a folder of media, one media file, WebDataset tars (one, a folder of them, or a pattern such as
            "shards/{000..011}.tar"), or a collection of clips (whose cutting is kept as it is).
        table: path or object-store URI of the table, best ending in ".lance".
        manifest: CSV, JSONL or Parquet; by default `manifest.*` in the folder or in its subfolders.
        clip_seconds: length of a clip; a tail shorter than half of it joins the clip before it.
        hop: seconds from the beginning of a clip to that of the next; None for `clip_seconds`.
        max_clips_per_file: at most so many clips of one file, spread evenly over it.
        frames: frames kept of each clip, evenly spread.
        size: shorter side of the frames in pixels; the aspect ratio is kept.
        keep_video: keep the moving pictures as well, in the column `video`.
        audio_codec: "pcm_s16le", or "flac" for half the space and slower reading.
        modality: what every clip must have, and what is kept of it; "any" keeps whatever there is.
        workers: decoding processes; None for one per core. The result does not depend on it.
        limits: on decoding; by default those for one's own media.
        overwrite: replace a finished table, or a packing with other settings.
        progress: is told after each clip how far the packing is.
        storage_options: settings of the object store, passed on to Lance.

    Returns:
        What was packed and what was not; written as `<table>.skipped.json` too, except beside an object store.

    Raises:
        DataError: if no clip can be packed; nothing is left behind then.
        UsageError: if there is a table that was packed with other settings, or an option is out of range.
        StorageError: on a full disk and the like; run the same again when there is room.
    """
    began = time.monotonic()
    cutting = Cutting(clip_seconds, hop, max_clips_per_file, frames, modality)
    storing = Storing(size, audio_codec, keep_video)
    feed = _feed(source, manifest, cutting, storing, workers, limits)
    writer = TableWriter(table, feed, overwrite, storage_options)
    resumed = writer.state.next_file if writer.state.clips else 0
    if not writer.state.complete:
        _fill(writer, feed, progress)
        writer.finish()
    return _report(writer, feed, resumed, time.monotonic() - began)


def _feed(
    source: str | Path | ClipSource,
    manifest: str | Path | None,
    cutting: Cutting,
    storing: Storing,
    workers: int | None,
    limits: Limits | None,
) -> Feed:
    if isinstance(source, str | Path):
        shards = shards_of(source) if manifest is None else []
        if shards:
            return WebDatasetFeed(text_of(source), shards, cutting, storing, workers, limits)
        return FolderFeed(list_folder(source, manifest), cutting, storing, workers, limits)
    if manifest is not None:
        raise UsageError("a collection of clips has no manifest", cure="leave it out, or pack the folder instead")
    return SourceFeed(source, cutting, storing)


def _fill(writer: TableWriter, feed: Feed, progress: Callable[[PackProgress], None] | None) -> None:
    """Move all rows that are left from the feed to the table.

    Raises:
        DataError: if there is none at all.
    """
    with closing(feed.rows(writer.state.next_file, writer.state.next_clip)) as rows:
        try:
            for packed in rows:
                writer.add(packed)
                if progress is not None:
                    state = writer.state
                    progress(PackProgress(packed.file, feed.files, state.clips, state.skipped, packed.name))
        except KeyboardInterrupt:
            writer.commit()  # what is ready need not be done again
            raise
    if writer.state.clips == 0:
        raise nothing_usable(feed.place, feed.missing + writer.skips)
    if progress is not None:
        progress(PackProgress(feed.files, feed.files, writer.state.clips, writer.state.skipped))


def _report(writer: TableWriter, feed: Feed, resumed: int, seconds: float) -> PackReport:
    with storage_failures(writer.uri):
        facts = writer.dataset.to_table(columns=["split", "audio_codec", "frame_seconds"])
    lengths = facts["frame_seconds"].combine_chunks().value_lengths().to_numpy(zero_copy_only=False)
    report = PackReport(
        table=writer.uri,
        version=int(writer.dataset.version),
        clips=writer.state.clips,
        files=feed.files + len(feed.missing),
        skips=tuple(feed.missing + writer.skips),
        skip_list=None if is_uri(writer.uri) else Path(writer.uri.rstrip("/") + ".skipped.json"),
        ignored=feed.ignored,
        splits=dict(sorted(Counter(facts["split"].to_pylist()).items())),
        with_audio=len(facts) - facts["audio_codec"].null_count,
        with_image=int((lengths > 0).sum()),
        resumed_files=resumed,
        seconds=seconds,
        settings=writer.state.settings,
    )
    report.write()
    return report
