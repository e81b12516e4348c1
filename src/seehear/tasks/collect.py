"""Gathers the rows that batches yield into `Embeddings`, in the order of sample ids, each clip once.

Legend: B batch, N clips, D width, C classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from seehear.contracts import Batch
from seehear.errors import DataError
from seehear.tasks.embeddings import Embeddings

Vectors = tuple[Tensor, Tensor]  # embedding [B, D] and pooled [B, D]
MODALITIES = ("audio", "image")


@dataclass
class Collector:
    """Collects batch by batch; `finish` puts it together."""

    ids: list[np.ndarray] = field(default_factory=list)
    labels: list[np.ndarray] = field(default_factory=list)
    present: dict[str, list[np.ndarray]] = field(default_factory=lambda: {m: [] for m in MODALITIES})
    vectors: dict[str, list[tuple[np.ndarray, np.ndarray] | None]] = field(
        default_factory=lambda: {m: [] for m in MODALITIES}
    )

    def add(self, batch: Batch, features: Mapping[str, Vectors]) -> None:
        """Take the features of one batch, under "audio" and "image" where there are any."""
        self.ids.append(batch.sample_ids.cpu().numpy())
        if "labels" in batch:
            self.labels.append(batch["labels"].cpu().numpy())
        for modality in MODALITIES:
            present = (
                has_modality(batch, modality) if modality in features else torch.zeros(len(batch), dtype=torch.bool)
            )
            self.present[modality].append(present.cpu().numpy())
            pair = features.get(modality)
            self.vectors[modality].append(None if pair is None else (_rows(pair[0], present), _rows(pair[1], present)))

    def finish(self, names: Mapping[int, str] | None, label_names: Sequence[str]) -> Embeddings:
        """Everything collected.

        Raises:
            DataError: if there was no clip, only some batches had labels, or a feature is not finite.
        """
        if not self.ids:
            raise DataError("there is no clip to embed", expected="at least one batch")
        ids, rows = np.unique(np.concatenate(self.ids), return_index=True)
        labels = self._labels(rows)
        if labels is not None and label_names and len(label_names) != labels.shape[1]:
            raise DataError(f"{len(label_names)} label names for {labels.shape[1]} classes")
        audio, audio_pooled = self._vectors("audio", rows)
        image, image_pooled = self._vectors("image", rows)
        return Embeddings(
            sample_ids=ids,
            has_audio=np.concatenate(self.present["audio"])[rows],
            has_image=np.concatenate(self.present["image"])[rows],
            audio=audio,
            image=image,
            audio_pooled=audio_pooled,
            image_pooled=image_pooled,
            labels=labels,
            names=tuple((names or {}).get(int(i), str(i)) for i in ids),
            label_names=tuple(label_names) if labels is not None else (),
            duplicates=sum(map(len, self.ids)) - len(ids),
        )

    def _labels(self, rows: np.ndarray) -> np.ndarray | None:
        if self.labels and len(self.labels) != len(self.ids):
            raise DataError(f"{len(self.labels)} of {len(self.ids)} batches carry labels", expected="all or none")
        if not self.labels or self.labels[0].shape[1] == 0:
            return None
        return np.concatenate(self.labels)[rows].astype(np.float32)

    def _vectors(self, modality: str, rows: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        pairs = self.vectors[modality]
        known = next((pair for pair in pairs if pair is not None), None)
        if known is None or not np.concatenate(self.present[modality])[rows].any():
            return None, None
        whole = [
            np.concatenate(
                [
                    np.zeros((len(ids), known[part].shape[1]), np.float32) if pair is None else pair[part]
                    for pair, ids in zip(pairs, self.ids, strict=True)
                ]
            )[rows]
            for part in (0, 1)
        ]
        return whole[0], whole[1]


def has_modality(batch: Batch, modality: str) -> Tensor:
    """Which clips of a batch have a modality, `[B]` bool; without a word on it in the batch: all."""
    name = f"has_{modality}"
    return batch[name] if name in batch else torch.ones(len(batch), dtype=torch.bool, device=batch.sample_ids.device)


def _rows(vectors: Tensor, present: Tensor) -> np.ndarray:
    """Float32 on the CPU, zero for clips that lack the modality."""
    return torch.where(present.to(vectors.device)[:, None], vectors.float(), 0.0).cpu().numpy()
