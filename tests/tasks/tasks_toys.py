"""Small clips, networks and embeddings for the tests of tasks."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear.contracts import AudioNeed, Batch, Features, FrameNeed, Method, Needs, Reconstruction
from seehear.randomness import Randomness, stable_hash, unique_integers
from seehear.tasks import Embeddings

SAMPLES, SIDE = 3200, 16


class ToyMethod(Method):
    """One linear layer per modality, seeded; reconstructs by drawing zeros."""

    Config = dict

    def __init__(self, seed: int = 0, width: int = 8):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.audio = nn.Parameter(torch.randn(SAMPLES, width, generator=generator) / SAMPLES**0.5)
        self.image = nn.Parameter(torch.randn(3 * SIDE * SIDE, width, generator=generator) / SIDE)
        self.dropout = nn.Dropout(0.5)

    @property
    def needs(self) -> Needs:
        return Needs(AudioNeed(SAMPLES / 16000), FrameNeed(1, SIDE, SIDE))

    def encode(self, batch: Batch) -> dict[str, Features]:
        found = {}
        if "waveform" in batch:
            found["audio"] = self._features(batch["waveform"].float() / 32768, self.audio)
        if "frames" in batch:
            found["image"] = self._features(batch["frames"].float().flatten(1) / 255, self.image)
        return found

    def _features(self, values: Tensor, weight: Tensor) -> Features:
        pooled = self.dropout(values) @ weight
        return Features(pooled[:, None], (1,), pooled, F.normalize(pooled, dim=-1))

    def reconstruct(self, batch: Batch, randomness: Randomness) -> dict[str, Reconstruction]:
        keys = randomness.keys(batch.positions, batch.sample_ids)
        original = batch["frames"][:, 0].float() / 255
        hidden = unique_integers(keys, 16, "toy").argsort(dim=1) < 12
        mask = hidden.view(-1, 1, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3).expand_as(original)
        return {"image": Reconstruction(original, torch.where(mask, self.draw(original), original), mask, (4, 4))}

    def draw(self, original: Tensor) -> Tensor:
        return torch.zeros_like(original)


def clips(count: int, classes: int = 3, seed: int = 0) -> dict[str, Tensor]:
    """Fields of `count` clips with one label each; a class shows in sound and in picture."""
    rng = np.random.default_rng(seed)
    which = np.arange(count) % classes
    sounds = np.random.default_rng(99).normal(size=(classes, SAMPLES))
    looks = np.random.default_rng(98).uniform(60, 190, size=(classes, 1, 3, SIDE, SIDE))
    waveform = 3000 * (sounds[which] + rng.normal(size=(count, SAMPLES)))
    frames = looks[which] + rng.normal(size=(count, 1, 3, SIDE, SIDE)) * 20
    return {
        "sample_ids": torch.tensor([stable_hash(f"clip {seed}/{i}") for i in range(count)]),
        "waveform": torch.from_numpy(waveform.clip(-32768, 32767)).to(torch.int16),
        "waveform_samples": torch.full((count,), SAMPLES),
        "frames": torch.from_numpy(frames.clip(0, 255)).to(torch.uint8),
        "has_audio": torch.ones(count, dtype=torch.bool),
        "has_image": torch.ones(count, dtype=torch.bool),
        "labels": torch.eye(classes)[torch.from_numpy(which)],
    }


def in_batches(fields: dict[str, Tensor], size: int, order: Sequence[int] | None = None) -> Iterator[Batch]:
    """The clips as batches of `size`, the last one shorter."""
    rows = list(range(len(fields["sample_ids"]))) if order is None else list(order)
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        carried = {n: v[part] for n, v in fields.items() if n != "sample_ids"}
        yield Batch(fields["sample_ids"][part], torch.arange(start, start + len(part)), carried)


def embeddings(
    audio: np.ndarray | None,
    image: np.ndarray | None,
    classes: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    ids: np.ndarray | None = None,
    has_audio: np.ndarray | None = None,
    has_image: np.ndarray | None = None,
) -> Embeddings:
    """Embeddings from plain arrays `[N, D]`, pooled features the same; rows are sorted by id."""
    known = audio if audio is not None else image
    assert known is not None
    count = len(known)
    if classes is not None:
        labels = np.eye(int(classes.max()) + 1, dtype=np.float32)[classes]
    order = np.arange(count) if ids is None else np.argsort(ids)

    def rows(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[order].astype(np.float32)

    def unit(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        return rows(values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12))

    return Embeddings(
        sample_ids=np.arange(count, dtype=np.int64) if ids is None else np.sort(ids),
        has_audio=np.full(count, audio is not None) if has_audio is None else has_audio[order],
        has_image=np.full(count, image is not None) if has_image is None else has_image[order],
        audio=unit(audio),
        image=unit(image),
        audio_pooled=rows(audio),
        image_pooled=rows(image),
        labels=rows(labels),
        names=tuple(str(i) for i in order),
    )


def class_like(count: int, classes: int, noise: float, seed: int, width: int = 16) -> Embeddings:
    """Sound and picture embeddings around shared class centres."""
    rng = np.random.default_rng(seed)
    which = np.arange(count) % classes
    centres = np.random.default_rng(7).normal(size=(classes, width))
    audio, image = (centres[which] + noise * rng.normal(size=(count, width)) for _ in range(2))
    return embeddings(audio, image, which, ids=rng.permutation(10 * count)[:count].astype(np.int64))
