"""Queries: sound, pictures and clips from files or bytes, and clips of the table itself, as vectors to search with.

A file longer than the model hears is cut into windows of its length, one after the other, the last ending with the
file, as `Encoder.encode_files` and `seehear embed --windows mean` cut; their vectors are averaged and normalised, or
the window at a given second is taken alone. Windows of digital silence say nothing and are left out.

Legend: W windows, T frames, S samples, H W picture, D width.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from seehear import signals
from seehear.contracts import Batch, Modality, Needs
from seehear.errors import DataError, MediaError, SkipReason, UsageError
from seehear.media import Limits, MediaInfo, Pool, probe
from seehear.search.columns import MODALITIES
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.reading import Read, Wanted, read
from seehear.weights import Embedder, Encoder
from seehear.weights.file_windows import covering, window_seconds

Kind = Literal["audio", "image", "clip"]
_LATEST_SECONDS = 1e9
_BEST_FIRST: tuple[Modality, ...] = ("audiovisual", "audio", "image")


@dataclass(frozen=True, eq=False)
class Query:
    """What to search with.

    Attributes:
        modality: what the vector was made of.
        vector: float32 `[D]`, L2-normalised.
        clip: the clip of the table that it is, or None.
        seconds: where in its file the window is; None for all of it.
    """

    modality: Modality
    vector: NDArray[np.float32]
    clip: str | None = None
    seconds: float | None = None


def query_of_file(
    encoder: Encoder,
    source: str | Path | bytes,
    kind: Kind,
    *,
    at: float | None = None,
    limits: Limits | None = None,
    pool: Pool | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> list[Query]:
    """The queries that a file gives: the one to use first, of a clip with sound and pictures then each alone.

    Args:
        encoder: the model that embedded the table.
        source: a path, or the bytes of a file.
        kind: what to make of it: its sound, its picture, or both as far as it has them.
        at: take the window that begins at this second; None for the mean over all windows.
        limits: of decoding; by default those for one's own media (`Limits.for_strangers()` for uploads).
        pool: decoding processes; None for one of its own.
        tell: is told where the sound of a clip is left out, as digital silence.

    Raises:
        MediaError: for a file that is broken, empty, over a limit, or has not what `kind` asks for.
        DataError: for sound that is digital silence throughout.
        UsageError: for what the model does not read.
    """
    needs, limits = _needs(encoder, kind, at), limits or Limits()
    with Pool(1, limits=limits) if pool is None else nullcontext(pool) as processes:
        info = processes.submit(probe, source, limits=limits).result()
        _check(info, needs, kind, at)
        wanted = _wanted(info, needs, kind, at, limits)
        found: Read = processes.submit(read, source, info, wanted, limits).result()
    silent = found.sound is not None and not (found.samples > 0).any()
    if kind == "clip" and silent and found.frames is not None:
        tell(f"{info.path or 'the sound'}: digital silence, so that its picture alone is asked with")
    return _queries(encoder, found, info.path, kind, at)


def query_of_clip(table: EmbeddedTable, clip: str, model: str | None = None) -> list[Query]:
    """The queries that a clip of the table gives, from its own vectors; the one to use first.

    Raises:
        UsageError: if there is no such clip.
        DataError: if it has no vector.
    """
    row, columns = table.row(clip), table.columns_of(model)
    found = {modality: table.vectors_at(column, np.array([row])).of(row) for modality, column in columns.items()}
    present = {modality: vector for modality, vector in found.items() if vector is not None}
    if not present:
        raise DataError(
            f"clip {clip!r} has no vector",
            cause="it has neither sound nor pictures that the model reads, or could not be decoded",
            cure=f"seehear embed MODEL {table.uri} embeds what is missing",
        )
    return [Query(modality, vector, table.names[row]) for modality, vector in _best_first(present)]


def _best_first(vectors: dict[Modality, NDArray[np.float32]]) -> Iterator[tuple[Modality, NDArray[np.float32]]]:
    """Both together first; where the model has no vector of both, their normalised mean stands for it."""
    if "audio" in vectors and "image" in vectors and "audiovisual" not in vectors:
        vectors = {**vectors, "audiovisual": unit(vectors["audio"] + vectors["image"])}
    yield from ((modality, vectors[modality]) for modality in _BEST_FIRST if modality in vectors)


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """The vector at length one, float32 `[D]`."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return (vector / (length or 1.0)).astype(np.float32)


def _needs(encoder: Encoder, kind: Kind, at: float | None) -> Needs:
    """What the model reads of such a query."""
    if kind not in ("audio", "image", "clip"):
        raise UsageError(f"query of kind {kind!r}", expected="audio, image or clip")
    if at is not None and not 0 <= at < _LATEST_SECONDS:
        raise UsageError(f"a window at {at} s", expected="0 s or more")
    needs = encoder.method.needs
    audio, frames = needs.audio if kind != "image" else None, needs.frames if kind != "audio" else None
    if audio is None and frames is None:
        what = {"audio": "sound", "image": "pictures", "clip": "clips"}[kind]
        raise UsageError(f"{encoder.about.name} reads no {what}", cure="ask with what it reads")
    return Needs(audio, frames)


def _check(info: MediaInfo, needs: Needs, kind: Kind, at: float | None) -> None:
    """Refuse a file that has not what is wanted of it."""
    if info.audio is None and (info.video is None or needs.frames is None):
        found = "a picture" if info.kind == "image" else "a video without sound"
        cure = "ask with its picture: --image"
        raise MediaError(SkipReason.NO_AUDIO, found, path=info.path, expected="a file with sound", cure=cure)
    if info.video is None and (info.audio is None or needs.audio is None):
        expected, cure = "a picture or video", "ask with its sound: --audio"
        raise MediaError(SkipReason.NO_VIDEO, "sound only", path=info.path, expected=expected, cure=cure)
    if at is not None and info.duration_seconds > 0 and at >= info.duration_seconds:
        raise MediaError(
            SkipReason.OUT_OF_RANGE,
            f"second {at:g} of {info.duration_seconds:.6g}",
            path=info.path,
            expected="a second before its end",
        )


def _wanted(info: MediaInfo, needs: Needs, kind: Kind, at: float | None, limits: Limits) -> Wanted:
    """The windows to read: the one at a second, the middle frame of a video asked for its picture, or all."""
    length = info.duration_seconds
    seconds = needs.audio.seconds if needs.audio is not None else 0.0
    window = seconds or window_seconds(needs)
    if at is not None:
        starts = (at,)
        window = 0.0 if kind == "image" else window
    elif kind == "image" or (info.kind == "image" and info.audio is None):
        starts, window = (0.0,), length
    elif length > limits.decoded_seconds:
        raise MediaError(
            SkipReason.OVER_LIMIT,
            f"{length:.6g} s",
            path=info.path,
            expected=f"at most {limits.decoded_seconds:g} s to average over",
            cure="name the second to ask with: --at SECONDS",
        )
    else:
        starts = tuple(span.start_seconds for span in covering(length, window, window))
    frames, side = 0, 0
    if needs.frames is not None:
        frames, side = needs.frames.count, max(needs.frames.height, needs.frames.width)
    return Wanted(starts, window, seconds, frames, side)


def _queries(encoder: Encoder, found: Read, path: str, kind: Kind, at: float | None) -> list[Query]:
    heard = None if found.sound is None else found.samples > 0
    if heard is not None and not heard.any() and found.frames is None:
        raise DataError(
            f"{path or 'the sound'}: digital silence{f' from {at:g} s on' if at is not None else ''}",
            expected="something to hear",
            cause="a muted or empty track",
            cure="ask with another file, another second (--at), or the picture",
        )
    pooled: dict[Modality, NDArray[np.float32]] = {}
    batch = _batch(encoder, found)
    embedder = Embedder(encoder.method, modalities=MODALITIES, fill=False)
    for _, vectors in embedder([batch]):
        for modality, values in vectors.items():
            pooled[modality] = unit(values.embedding[values.present].double().mean(dim=0).numpy())
    return [Query(modality, vector, None, at) for modality, vector in _best_first(pooled)]


def _batch(encoder: Encoder, found: Read) -> Batch:
    """The windows as a batch: `waveform [W, S]`, `frames [W, T, 3, H, W]`."""
    fields, needs = {}, encoder.method.needs
    windows = len(found.sound) if found.sound is not None else len(found.frames) if found.frames is not None else 0
    if found.sound is not None:
        samples = torch.from_numpy(found.samples)
        fields |= {"waveform": torch.from_numpy(found.sound), "waveform_samples": samples, "has_audio": samples > 0}
    if found.frames is not None and needs.frames is not None:
        pictures = torch.from_numpy(found.frames).flatten(0, 1).permute(0, 3, 1, 2)
        fitted = signals.fit_pictures(pictures, needs.frames.height, needs.frames.width, needs.frames.fit)
        fields["frames"] = fitted.unflatten(0, (windows, -1))
    numbers = torch.arange(windows)
    return Batch(numbers, numbers, fields)
