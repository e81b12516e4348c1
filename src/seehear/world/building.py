"""Building a world on disk: real mp4 files with a manifest per split, by a pool of processes, resumable.

```
root/DATASHEET.json  classes.json  {split}/manifest.jsonl  {split}/clips/{id}.mp4
```

A clip counts as finished when its record is in the journal under the same scene hash and its file has the recorded
size; files appear by rename. Starting the same build again makes only what is missing.
"""

import errno
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from seehear.errors import SeeHearError, StorageError, UsageError
from seehear.media import write_video
from seehear.world import VERSION, datasheet, manifest
from seehear.world.audit import audit, refuse_failed
from seehear.world.fingerprints import fingerprint
from seehear.world.presets import Preset, resolve
from seehear.world.rendering import render
from seehear.world.sampling import scene

CHUNK, CHUNKS_AHEAD = 8, 3  # clips per task, and tasks per worker that are handed out in advance
PROCESSES_FROM = 48  # fewer missing clips are made in this process: starting others would take longer
Job = tuple[str, int, str]


@dataclass(frozen=True)
class BuildReport:
    """What a build did: clips in all, made now and taken over; `datasheet` as written."""

    root: Path
    clips: int
    made: int
    reused: int
    seconds: float
    datasheet: dict[str, Any]


def build(
    root: str | Path,
    preset: str | Preset = "tiny",
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    **choices: Any,
) -> BuildReport:
    """Build a world into a folder, or finish one that was begun there.

    Args:
        root: the folder; new, empty, or holding the same world.
        preset: a name of `PRESETS`, or a preset.
        seed: root seed; another seed is another world of the same kind.
        workers: processes (default: one per usable core). With more than one, a script must keep its own work
            under `if __name__ == "__main__"`, as for any use of processes.
        progress: called with (clips done, clips in all).
        choices: replace the preset's: fields of `presets.Choices`, such as `level=2, size=128, track="L"`.

    Raises:
        UsageError: on an unknown preset or option, or if the folder holds another preset or seed.
        StorageError: if the folder cannot be written, is full, or holds another version or other things.
        DataError: if the audit finds a leak.
    """
    begun = time.monotonic()
    chosen = resolve(preset, **choices)
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers", expected="at least 1")
    root = Path(root)
    jobs = dict(chosen.clips)
    sheet = datasheet.check_folder(root, chosen, seed)
    total = sum(jobs.values())
    if sheet is not None and sheet.get("complete") and _whole(root, jobs):
        refuse_failed(sheet["audit"])
        return BuildReport(root, total, 0, total, time.monotonic() - begun, sheet)
    try:
        return _build(root, chosen, seed, workers or usable_cores(), progress or _silent, begun)
    except BrokenProcessPool as error:
        raise SeeHearError(
            "a process of the build ended without a word",
            cause="out of memory, or ended from outside",
            cure="start the same build again (finished clips are kept), with fewer workers",
        ) from error
    except OSError as error:
        raise _storage_error(root, error) from error


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _silent(done: int, total: int) -> None:
    del done, total


def _storage_error(root: Path, error: OSError) -> StorageError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(
        f"{root}: {error.strerror or error}",
        cause="the disk is full" if full else "",
        cure=f"free some space (df -h {root}) and start the same build again" if full else "",
    )


def _build(
    root: Path, preset: Preset, seed: int, workers: int, progress: Callable[[int, int], None], begun: float
) -> BuildReport:
    for split in preset.clips:
        (root / split / "clips").mkdir(parents=True, exist_ok=True)
    marked = {"fingerprint": fingerprint(preset, seed)}
    datasheet.write(root, preset, seed, marked | {"complete": False})
    missing: list[Job] = []
    for split, count in preset.clips.items():
        hashes = [scene(preset, split, index, seed).hash(VERSION) for index in range(count)]
        finished = _finished(root / split, hashes)
        missing += [(split, index, hashes[index]) for index in range(count) if hashes[index] not in finished]
    total = sum(preset.clips.values())
    done = reused = total - len(missing)
    progress(done, total)
    for split, records in _made(root, preset, seed, missing, workers):
        manifest.append(root / split / manifest.JOURNAL, records)
        done += len(records)
        progress(done, total)
    everything = _close_journals(root, preset)
    found = marked | {"complete": True, "clip_count": total, "audit": audit(everything)}
    sheet = datasheet.write(root, preset, seed, found)
    refuse_failed(sheet["audit"])
    return BuildReport(root, total, len(missing), reused, time.monotonic() - begun, sheet)


def _whole(root: Path, jobs: Mapping[str, int]) -> bool:
    """Whether a folder that says it is complete has all its files."""
    for split, count in jobs.items():
        records = manifest.read(root / split / manifest.MANIFEST)
        if len(records) != count or not all(_on_disk(root / split, item) for item in records):
            return False
    return True


def _on_disk(folder: Path, item: dict[str, Any]) -> bool:
    path = folder / item["file"]
    return path.is_file() and path.stat().st_size == item["nuisance"]["bytes"]


def _finished(folder: Path, hashes: list[str]) -> set[str]:
    """Scene hashes whose clips are on disk and recorded; the journal holds their records afterwards."""
    journal = folder / manifest.JOURNAL
    manifest.heal(journal)
    known = {item["scene_hash"]: item for item in manifest.read(journal) + manifest.read(folder / manifest.MANIFEST)}
    good = {key: known[key] for key in hashes if key in known and _on_disk(folder, known[key])}
    (folder / manifest.MANIFEST).unlink(missing_ok=True)
    manifest.write(journal, good.values())
    return set(good)


def _made(
    root: Path, preset: Preset, seed: int, missing: list[Job], workers: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Make the missing clips; yields (split, records) as chunks are finished."""
    chunks = [
        [job for job in missing[k : k + CHUNK] if job[0] == split]
        for k in range(0, len(missing), CHUNK)
        for split in dict.fromkeys(job[0] for job in missing[k : k + CHUNK])
    ]
    if workers == 1 or len(missing) < PROCESSES_FROM:
        yield from (_make(root, preset, seed, chunk) for chunk in chunks)
        return
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            waiting: set[Future] = set()
            for chunk in chunks:
                waiting.add(pool.submit(_make, root, _plain(preset), seed, chunk))
                if len(waiting) >= CHUNKS_AHEAD * workers:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ready)
            yield from (future.result() for future in as_completed(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _plain(preset: Preset) -> Preset:
    """A preset that can be sent to another process."""
    return resolve(preset, clips=dict(preset.clips))


def _make(root: Path, preset: Preset, seed: int, jobs: list[Job]) -> tuple[str, list[dict[str, Any]]]:
    """Render and write some clips of one split; runs in a worker."""
    records = []
    for split, index, scene_hash in jobs:
        clip = render(scene(preset, split, index, seed))
        path = manifest.clip_path(root / split, clip.id)
        rate = Fraction(*clip.scene.format.frames_per_second)
        write_video(path, clip.pixels, rate, np.round(clip.waveform * 32767).astype(np.int16))
        records.append(manifest.record(clip, scene_hash, path.stat().st_size))
    return jobs[0][0], records


def _close_journals(root: Path, preset: Preset) -> list[dict[str, Any]]:
    """Turn every split's journal into its manifest; returns all records."""
    everything = []
    for split in preset.clips:
        journal = root / split / manifest.JOURNAL
        records = sorted(manifest.read(journal), key=lambda item: item["truth"]["index"])
        manifest.write(root / split / manifest.MANIFEST, records)
        journal.unlink()
        everything += records
    return everything
