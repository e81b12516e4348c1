"""Building a world on disk: real mp4 files with a manifest per split, by a pool of processes, resumable.

```
root/DATASHEET.json  classes.json  {split}/manifest.jsonl  {split}/clips/{id}.mp4  {split}/arrays/{id}.npz
```

A clip counts as finished when its record is in the journal under the same scene hash and its files have the recorded
sizes; files appear by rename. Starting the same build again makes only what is missing.
"""

import dataclasses
import errno
import multiprocessing
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from seehear.errors import SeeHearError, StorageError, UsageError
from seehear.media import write_video
from seehear.media.atomic import atomic_file
from seehear.media.encoders import H264_ENCODERS
from seehear.world import VERSION
from seehear.world.disk import checking, datasheet, manifest
from seehear.world.disk.audit import audit, refuse_failed
from seehear.world.disk.baselines import baselines
from seehear.world.fingerprints import fingerprint
from seehear.world.presets import Preset, resolve
from seehear.world.rendering import Rendered, render
from seehear.world.sampling import scene
from seehear.world.tracks import track
from seehear.world.truth.arrays import check_choice, packed, steps, truth_arrays

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
    arrays: Collection[str] | None = None,
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
        arrays: truth arrays to store, of "masks" and "stems" (default: those that the track is made for).
        progress: called with (clips done, clips in all).
        choices: replace the preset's: fields of `presets.Choices`, such as `level=2, size=128, track="L"`.

    Raises:
        UsageError: on an unknown preset or option, or if the folder holds another preset or seed.
        StorageError: if the folder cannot be written, is full, or holds another version or other things.
        DataError: if a check of what was written fails, or the audit finds a leak.
    """
    begun = time.monotonic()
    chosen = resolve(preset, **choices)
    if workers is not None and workers < 1:
        raise UsageError(f"{workers} workers", expected="at least 1")
    stored = check_choice(track(chosen.track).arrays if arrays is None else arrays)
    root = Path(root)
    jobs = dict(chosen.clips)
    sheet = datasheet.check_folder(root, chosen, seed, stored)
    total = sum(jobs.values())
    if sheet is not None and sheet.get("complete") and _whole(root, jobs):
        _refuse(sheet)
        return BuildReport(root, total, 0, total, time.monotonic() - begun, sheet)
    try:
        return _build(root, _World(chosen, seed, stored), workers or usable_cores(), progress or _silent, begun)
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


@dataclass(frozen=True)
class _World:
    """What is built."""

    preset: Preset
    seed: int
    arrays: tuple[str, ...]


def _build(root: Path, world: _World, workers: int, progress: Callable[[int, int], None], begun: float) -> BuildReport:
    preset, seed = world.preset, world.seed
    for split in preset.clips:
        for kind in ("clips", "arrays") if world.arrays else ("clips",):
            (root / split / kind).mkdir(parents=True, exist_ok=True)
    _sweep(root)
    marked = {"fingerprint": fingerprint(preset, seed)}
    datasheet.write(root, preset, seed, marked | {"complete": False}, world.arrays)
    missing: list[Job] = []
    for split, count in preset.clips.items():
        hashes = [scene(preset, split, index, seed).hash(VERSION) for index in range(count)]
        finished = _finished(root / split, hashes)
        missing += [(split, index, hashes[index]) for index in range(count) if hashes[index] not in finished]
    total = sum(preset.clips.values())
    done = reused = total - len(missing)
    progress(done, total)
    for split, records in _made(root, world, missing, workers):
        manifest.append(root / split / manifest.JOURNAL, records)
        done += len(records)
        progress(done, total)
    everything = _close_journals(root, preset)
    found = marked | {
        "complete": True,
        "clip_count": total,
        "encoder": _encoders(everything),
        "checks": checking.check_records(root, preset, seed, everything),
        "audit": audit(everything),
        "baselines": baselines(preset, everything),
    }
    sheet = datasheet.write(root, preset, seed, found, world.arrays)
    _refuse(sheet)
    return BuildReport(root, total, len(missing), reused, time.monotonic() - begun, sheet)


def _refuse(sheet: dict[str, Any]) -> None:
    """Raise where the checks or the audit of a build failed."""
    checking.refuse_failed(sheet["checks"])
    refuse_failed(sheet["audit"])


def _sweep(root: Path) -> None:
    """Remove what a killed build had begun to write."""
    for path in root.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def _encoders(records: list[dict[str, Any]]) -> dict[str, int]:
    """Clips by the encoder of their pictures; a warning where one is not H.264."""
    found = dict(Counter(item["encoder"] for item in records))
    others = {name: count for name, count in found.items() if name not in H264_ENCODERS}
    if others:
        said = ", ".join(f"{count} clips with {name}" for name, count in others.items())
        warnings.warn(
            f"PyAV has no encoder for H.264: {said}, which browsers do not play (DATASHEET.json says so under encoder)",
            stacklevel=4,
        )
    return found


def _whole(root: Path, jobs: Mapping[str, int]) -> bool:
    """Whether a folder that says it is complete has all its files."""
    for split, count in jobs.items():
        records = manifest.read(root / split / manifest.MANIFEST)
        if len(records) != count or not all(manifest.whole(root / split, item) for item in records):
            return False
    return True


def _finished(folder: Path, hashes: list[str]) -> set[str]:
    """Scene hashes whose clips are on disk and recorded; the journal holds their records afterwards."""
    journal = folder / manifest.JOURNAL
    manifest.heal(journal)
    known = {item["scene_hash"]: item for item in manifest.read(journal) + manifest.read(folder / manifest.MANIFEST)}
    good = {key: known[key] for key in hashes if key in known and manifest.whole(folder, known[key])}
    (folder / manifest.MANIFEST).unlink(missing_ok=True)
    manifest.write(journal, good.values())
    return set(good)


def _made(root: Path, world: _World, missing: list[Job], workers: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Make the missing clips; yields (split, records) as chunks are finished."""
    chunks = [
        [job for job in missing[k : k + CHUNK] if job[0] == split]
        for k in range(0, len(missing), CHUNK)
        for split in dict.fromkeys(job[0] for job in missing[k : k + CHUNK])
    ]
    if workers == 1 or len(missing) < PROCESSES_FROM:
        yield from (_make(root, world, chunk) for chunk in chunks)
        return
    methods = multiprocessing.get_all_start_methods()
    sent = dataclasses.replace(world, preset=_plain(world.preset))
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        try:
            waiting: set[Future] = set()
            for chunk in chunks:
                waiting.add(pool.submit(_make, root, sent, chunk))
                if len(waiting) >= CHUNKS_AHEAD * workers:
                    ready, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ready)
            yield from (future.result() for future in as_completed(waiting))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """Let a worker end when the build is killed, instead of waiting for ever for more work."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _plain(preset: Preset) -> Preset:
    """A preset that can be sent to another process."""
    return resolve(preset, clips=dict(preset.clips))


def _make(root: Path, world: _World, jobs: list[Job]) -> tuple[str, list[dict[str, Any]]]:
    """Render and write some clips of one split; runs in a worker."""
    records = []
    for split, index, scene_hash in jobs:
        clip = render(scene(world.preset, split, index, world.seed))
        path = manifest.clip_path(root / split, clip.id)
        rate = Fraction(*clip.scene.format.frames_per_second)
        written = write_video(path, clip.pixels, rate, steps(clip.waveform).astype(np.int16))
        arrays = _write_arrays(root / split, clip, world.arrays)
        records.append(manifest.record(clip, scene_hash, path.stat().st_size, written.video_codec, arrays))
    return jobs[0][0], records


def _write_arrays(folder: Path, clip: Rendered, which: tuple[str, ...]) -> int | None:
    """Write a clip's truth arrays, if any are asked for; returns their size in bytes."""
    if not which:
        return None
    data = packed(truth_arrays(clip, which))
    with atomic_file(manifest.arrays_path(folder, clip.id)) as file:
        file.write(data)
    return len(data)


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
