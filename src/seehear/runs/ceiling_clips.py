"""The clips that references learn from and are tested on: drawn in memory, kept as small views in a folder.

No video file is written or decoded: a clip is a pure function of its preset, split, index and seed, so these are the
very scenes of a built world, and more of them where more are asked for. Processes draw chunks of clips; a chunk is a
file that appears whole, so drawing goes on where it stopped.
"""

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seehear.errors import SeeHearError, UsageError
from seehear.media.atomic import atomic_file
from seehear.tasks.reference_views import Modality, picture_view, sound_view
from seehear.world.painting.picture import paint
from seehear.world.presets import Preset, resolve
from seehear.world.sampling import scene
from seehear.world.sounds.mixing import mix

CHUNK = 100
EVEN_TRACKS = ("A", "J")  # whose clips leave labels that are all equally likely, and to each modality on its own
MODALITIES: tuple[Modality, ...] = ("sound", "picture")


@dataclass(frozen=True)
class Told:
    """What the truth says of a clip.

    Attributes:
        label: its one label.
        ambiguous_in: the modality that alone cannot tell it, or None.
        candidates: per modality the labels that are left to it.
    """

    label: str
    ambiguous_in: str | None
    candidates: dict[str, list[str]]


@dataclass(frozen=True)
class DrawnClips:
    """Clips of one split in the order of their indices: per modality the views `[N, ...]`, and what is true of each."""

    views: dict[Modality, Tensor]
    told: list[Told]


def told(preset: Preset, split: str, index: int, seed: int) -> Told:
    """What the truth says of one clip, without drawing it.

    Raises:
        UsageError: if the world does not say which labels a modality leaves.
    """
    clip = scene(preset, split, index, seed)
    even = preset.track in EVEN_TRACKS and "candidates" in clip.facts
    if not even or len(clip.labels) != 1 or preset.intervention:
        raise UsageError(
            f"clips of preset {preset.name!r} do not say what each modality leaves",
            expected=f"ambiguous clips of one label on track {' or '.join(EVEN_TRACKS)}, as they were drawn",
            cause="without ambiguous clips either modality tells every clip: its ceiling is 1",
            cure="--preset base, or --ambiguous 0.4",
        )
    return Told(clip.labels[0], clip.facts["ambiguous_in"], clip.facts["candidates"])


def draw(
    preset: Preset,
    split: str,
    count: int,
    seed: int,
    folder: Path,
    *,
    workers: int,
    until: float = float("inf"),
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> DrawnClips:
    """The first `count` clips of a split; of fewer whole chunks, but at least one, where the time runs out.

    Args:
        preset: of the world.
        split: its name.
        count: N.
        seed: root seed.
        folder: where chunks are kept; those that are there already are not drawn again.
        workers: processes.
        until: the reading of `time.monotonic` after which no further chunk is begun.
        progress: called with (clips done, clips in all).

    Raises:
        UsageError: if the world does not say what each modality leaves.
        StorageError: if the folder cannot be written.
        SeeHearError: if a process ended without a word.
    """
    spans = [(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    paths = [folder / f"{split}-{start:06d}-{stop:06d}.npz" for start, stop in spans]
    missing = [(path, *span) for path, span in zip(paths, spans, strict=True) if not path.exists()]
    done = count - sum(stop - start for _, start, stop in missing)
    progress(done, count)
    for clips in _made(preset, split, seed, missing, workers, until):
        done += clips
        progress(done, count)
    there = next((k for k, path in enumerate(paths) if not path.exists()), len(paths))  # chunks in a row from the first
    return _read(paths[:there], spans[there - 1][1])


Chunk = tuple[Path, int, int]


def _made(preset: Preset, split: str, seed: int, chunks: Sequence[Chunk], workers: int, until: float) -> Iterator[int]:
    """Draw the missing chunks in order; yields the clips of each."""
    plain = resolve(preset, clips=dict(preset.clips))  # can be sent to another process
    if workers == 1 or len(chunks) < 2:
        for number, chunk in enumerate(chunks):
            if number and time.monotonic() > until:
                return
            yield _make(plain, split, seed, *chunk)
        return
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            waiting = [pool.submit(_make, plain, split, seed, *chunk) for chunk in chunks]
            for number, future in enumerate(waiting):
                yield future.result()
                if time.monotonic() > until:
                    for later in waiting[number + 1 :]:
                        later.cancel()
                    return
        except BrokenProcessPool as error:
            raise SeeHearError(
                "a process that drew clips ended without a word",
                cause="out of memory, or ended from outside",
                cure="start the same command again (finished clips are kept), with fewer workers",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _make(preset: Preset, split: str, seed: int, path: Path, start: int, stop: int) -> int:
    """Draw one chunk into a file; runs in a worker."""
    torch.set_num_threads(1)
    facts = [told(preset, split, index, seed) for index in range(start, stop)]
    drawn = [_views(preset, split, index, seed) for index in range(start, stop)]
    sounds, pictures = (torch.stack(views).numpy() for views in zip(*drawn, strict=True))
    with atomic_file(path) as file:
        np.savez(file, sound=sounds, picture=pictures, told=json.dumps([vars(one) for one in facts]))
    return stop - start


def _views(preset: Preset, split: str, index: int, seed: int) -> tuple[Tensor, Tensor]:
    clip = scene(preset, split, index, seed)
    waveform, _ = mix(clip)
    return sound_view(torch.from_numpy(waveform)[None])[0], picture_view(torch.from_numpy(paint(clip).pixels))


def _read(paths: Sequence[Path], count: int) -> DrawnClips:
    """All chunks as one; they are laid into place one after the other, so that memory holds them once."""
    views: dict[Modality, Tensor] = {}
    facts: list[Told] = []
    for path in paths:
        with np.load(path) as chunk:
            for modality in MODALITIES:
                part = torch.from_numpy(chunk[modality])
                whole = views.setdefault(modality, part.new_empty(count, *part.shape[1:]))
                whole[len(facts) : len(facts) + len(part)] = part
            facts += [Told(**one) for one in json.loads(str(chunk["told"]))]
    return DrawnClips(views, facts)
