"""Queries: sound, pictures and clips from files or bytes, and clips of the table itself, as vectors to search with.

A file longer than the model hears is cut into windows of its length, one after the other (the last ends with the
file); their vectors are averaged and normalised, or the window at a given second is taken alone. Windows of digital
silence say nothing and are left out. Legend: W windows, T frames, S samples, H W picture, D width.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from seehear import signals
from seehear.contracts import Batch, Modality
from seehear.errors import DataError, UsageError
from seehear.media import Limits, Pool
from seehear.search.embedded_table import EmbeddedTable
from seehear.search.reading import Read, Wanted, read
from seehear.weights import Embedder, Encoder

Kind = Literal["audio", "image", "clip"]
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
) -> list[Query]:
    """The queries that a file gives: the one to use first, of a clip with sound and pictures then each alone.

    Args:
        encoder: the model that embedded the table.
        source: a path, or the bytes of a file.
        kind: what to make of it: its sound, its picture, or both as far as it has them.
        at: take the window that begins at this second; None for the mean over all windows.
        limits: of decoding; by default those for one's own media (`Limits.for_strangers()` for uploads).
        pool: decoding processes; None for one of its own.

    Raises:
        MediaError: for a file that is broken, empty, over a limit, or has not what `kind` asks for.
        DataError: for sound that is digital silence throughout.
        UsageError: for what the model does not read.
    """
    wanted = _wanted(encoder, kind, at)
    limits = limits or Limits()
    if pool is not None:
        found: Read = pool.submit(read, source, wanted, limits).result()
    else:
        with Pool(1, limits=limits) as own:
            found = own.submit(read, source, wanted, limits).result()
    return _queries(encoder, found, kind, at)


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
    return [Query(modality, vector, clip) for modality, vector in _best_first(present)]


def _best_first(vectors: dict[Modality, NDArray[np.float32]]) -> Iterator[tuple[Modality, NDArray[np.float32]]]:
    """Both together first; where the model has no vector of both, their normalised mean stands for it."""
    if "audio" in vectors and "image" in vectors and "audiovisual" not in vectors:
        vectors = {**vectors, "audiovisual": unit(vectors["audio"] + vectors["image"])}
    yield from ((modality, vectors[modality]) for modality in _BEST_FIRST if modality in vectors)


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """The vector at length one, float32 `[D]`."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return (vector / (length or 1.0)).astype(np.float32)


def _wanted(encoder: Encoder, kind: Kind, at: float | None) -> Wanted:
    needs = encoder.method.needs
    if kind not in ("audio", "image", "clip"):
        raise UsageError(f"query of kind {kind!r}", expected="audio, image or clip")
    if at is not None and not 0 <= at < 1e9:
        raise UsageError(f"a window at {at} s", expected="0 s or more")
    audio = needs.audio.seconds if needs.audio is not None and kind != "image" else 0.0
    frames = needs.frames.count if needs.frames is not None and kind != "audio" else 0
    if not audio and not frames:
        what = {"audio": "sound", "image": "pictures", "clip": "clips"}[kind]
        raise UsageError(f"{encoder.about.name} reads no {what}", cure="ask with what it reads")
    side = max(needs.frames.height, needs.frames.width) if needs.frames is not None else 0
    return Wanted(kind, audio, frames, side, at)


def _queries(encoder: Encoder, found: Read, kind: Kind, at: float | None) -> list[Query]:
    heard = None if found.sound is None else found.samples > 0
    if heard is not None and not heard.any() and (kind == "audio" or found.frames is None):
        raise DataError(
            f"{found.name or 'the sound'}: digital silence{f' from {at:g} s on' if at is not None else ''}",
            expected="something to hear",
            cause="a muted or empty track",
            cure="ask with another file, another second (--at), or the picture",
        )
    pooled: dict[Modality, NDArray[np.float32]] = {}
    modalities: tuple[Modality, ...] = ("audio", "image", "audiovisual")
    embedder = Embedder(encoder.method, modalities=modalities, fill=False)
    batch = _batch(encoder, found)
    for _, vectors in embedder([batch]):
        for modality, values in vectors.items():
            present = np.ones(len(batch), bool)
            if modality != "image" and heard is not None:
                present &= heard
            pooled[modality] = unit(values.embedding.float().cpu().numpy()[present].mean(axis=0))
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
