"""Small tables of world clips, embedded by writing the columns straight through Lance."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import torch

from seehear import clips, world
from seehear.clips import schema
from seehear.search.columns import MODALITIES, Embedded
from seehear.signals import waveform_to_int16
from seehear.weights import Embedder, Encoder, load

MODEL = "avsiam-world"
ONLY_SOUND, ONLY_PICTURE = "only sound", "only picture"


@cache
def encoder() -> Encoder:
    """The model that ships with the package."""
    return load(MODEL)


def world_clips(count: int, seed: int = 0, size: int = 48) -> list[clips.Clip]:
    """Clips of the world's unit preset, two of each file, alternating between train and test."""
    made = []
    for number, shown in enumerate(world.memory_clips("unit", "test", seed, count, size=size)):
        frames = shown.pixels[:: max(1, len(shown.pixels) // 2)][:2]
        sound = waveform_to_int16(torch.from_numpy(shown.waveform)).numpy()
        seconds = len(sound) / 16_000
        made.append(
            clips.Clip(
                f"clip{number:03}",
                source=f"videos/file{number // 2:03}.mp4",
                start_seconds=seconds * (number % 2),
                duration_seconds=seconds,
                split=("train", "test")[number % 4 > 1],
                labels=list(shown.labels),
                caption=shown.caption,
                frames=frames,
                frame_seconds=np.array([0.0, seconds / 2]),
                audio=sound,
            )
        )
    return made


def pack(made: Sequence[clips.Clip], table: Path) -> Path:
    """A table of these clips, without vectors."""
    clips.pack(clips.MemoryClips(made), table, frames=2, size=48, modality="any", workers=1)
    return table


def embed(table: Path, by: Encoder | None = None, name: str = MODEL) -> None:
    """Write the vectors of a model into a table."""
    network = by or encoder()
    source = clips.open(table)
    embedder = Embedder(network.method, modalities=MODALITIES)
    found: dict[str, list] = {modality: [] for modality in MODALITIES}
    for batch, vectors in embedder(clips.in_order(source, network.method.needs, 8)):
        for modality in MODALITIES:
            values = vectors.get(modality)
            none = [None] * len(batch)
            found[modality] += none if values is None else _lists(values.embedding.numpy(), values.present.numpy())
    write(table, found, network.about.weights, name)


def write(table: Path, vectors: Mapping[str, Sequence], weights: str, name: str = MODEL, slug: str = "") -> None:
    """Write lists of vectors (None where a clip has none) as a model's columns."""
    fields, arrays = [], []
    for modality, rows in vectors.items():
        width = next(len(row) for row in rows if row is not None)
        column = Embedded(slug or name.replace("-", "_"), name, weights, modality, width, "fp32", 3.2)
        field = column.field
        fields.append(field)
        arrays.append(pa.array([None if row is None else list(row) for row in rows], type=field.type))
    lance.dataset(str(table)).add_columns(pa.Table.from_arrays(arrays, schema=pa.schema(fields)).to_reader())


def _lists(values: np.ndarray, present: np.ndarray) -> list:
    return [row if there else None for row, there in zip(values, present, strict=True)]


def clustered(count: int, width: int = 32, seed: int = 0, clusters: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Sound and picture vectors of clips that fall into clusters, float32 `[N, D]` each, L2-normalised."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, width))[rng.integers(clusters, size=count)]
    both = [centres + 0.6 * rng.normal(size=(count, width)) for _ in range(2)]
    one, other = ((each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for each in both)
    return one, other


def light(count: int, start: int = 0) -> pa.Table:
    """Rows of a clip table without media."""
    rows = [
        schema.Row(f"c{i:06}", f"files/{i // 4:05}.wav", 1.0 * (i % 4), 1.0, ("train", "test")[i % 2], [f"l{i % 7}"])
        for i in range(start, start + count)
    ]
    return schema.to_table(rows, schema.schema())


def large(table: Path, count: int, width: int = 32, without: Sequence[int] = ()) -> Path:
    """A table of many clips with clustered vectors and no media; some clips have no picture vector."""
    lance.write_dataset(light(count), str(table))
    audio, image = clustered(count, width)
    pictures = [None if i in without else row for i, row in enumerate(image)]
    write(table, {"audio": list(audio), "image": pictures}, "w" * 16, "toy")
    return table


def append(table: Path, count: int) -> None:
    """More clips of the same kind at the end of a table that `large` made."""
    dataset = lance.dataset(str(table))
    audio, image = clustered(count, 32, seed=9)
    more = light(count, dataset.count_rows())
    for name, values in (("audio_toy", audio), ("image_toy", image)):
        field = dataset.schema.field(name)
        more = more.append_column(field, pa.array(list(map(list, values)), type=field.type))
    lance.write_dataset(more.select(dataset.schema.names).cast(dataset.schema), str(table), mode="append")
