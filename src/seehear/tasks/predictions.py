"""What a classifier says of some clips: by their sound, their pictures, both, and by pairs that do not belong together.

Legend: B batch, N clips, C classes, k pictures of a clip.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seehear.contracts import Batch, Classifies, Modality
from seehear.errors import DataError
from seehear.metrics.arrays import LABEL_THRESHOLD
from seehear.tasks.collect import has_modality
from seehear.weights.precision import device_of, evaluating

Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores of N clips, in the order of their sample ids (which is as good as random).

    Attributes:
        sample_ids: `[N]` int64, rising.
        labels: `[N, C]` bool.
        has_audio: `[N]` bool.
        has_image: `[N]` bool.
        scores: by modality `[N, C]`, of all pictures; what the clips lack has scores too, which mean nothing.
        one_picture: by modality `[N, C]`, of the middle picture alone; only where k is above 1.
        pictures: k.
    """

    sample_ids: NDArray[np.int64]
    labels: NDArray[np.bool_]
    has_audio: NDArray[np.bool_]
    has_image: NDArray[np.bool_]
    scores: dict[Modality, Scores]
    one_picture: dict[Modality, Scores]
    pictures: int

    def __len__(self) -> int:
        return len(self.sample_ids)

    def has(self, modality: Modality) -> NDArray[np.bool_]:
        """`[N]` bool: the clips that carry a modality."""
        both = self.has_audio & self.has_image
        return {"audio": self.has_audio, "image": self.has_image, "audiovisual": both}[modality]

    def labelled(self) -> NDArray[np.bool_]:
        """`[N]` bool: the clips that carry a label."""
        return np.asarray(self.labels.any(axis=1))


@dataclass(frozen=True, eq=False)
class WrongPairs:
    """Scores of sounds with pictures of other clips: `scores [M, C]`, and labels `[M, C]` bool of either."""

    scores: Scores
    sound_labels: NDArray[np.bool_]
    picture_labels: NDArray[np.bool_]


@dataclass
class _Rows:
    """Rows that batches bring, by name."""

    parts: dict[Any, list[np.ndarray]] = field(default_factory=dict)

    def add(self, name: Any, rows: Tensor) -> None:
        self.parts.setdefault(name, []).append(rows.cpu().numpy())

    def joined(self, name: Any, order: np.ndarray) -> np.ndarray:
        return np.concatenate(self.parts[name])[order]


def predict(classifier: Classifies, batches: Iterable[Batch]) -> Predictions:
    """Classify all clips of `batches` (with labels, and several frames where pictures are to be averaged).

    Raises:
        DataError: if there is no clip, its labels are of other classes, or a score is not finite.
    """
    rows, modalities, pictures = _Rows(), [], 1
    for batch in batches:
        _check_labels(classifier, batch)
        rows.add("ids", batch.sample_ids)
        rows.add("labels", batch["labels"] >= LABEL_THRESHOLD)
        for modality in ("audio", "image"):
            rows.add(f"has {modality}", has_modality(batch, modality) & _carries(batch, modality))
        logits = _logits(classifier, batch)
        modalities = list(logits)
        for modality, values in logits.items():
            rows.add(("all", modality), classifier.scores(values).double())
            if values.ndim == 3:
                pictures = values.shape[1]
                rows.add(("one", modality), classifier.scores(values[:, pictures // 2]).double())
    if not rows.parts:
        raise DataError("there is no clip to classify", expected="at least one batch")
    ids, order = np.unique(np.concatenate(rows.parts["ids"]), return_index=True)
    found = Predictions(
        sample_ids=ids,
        labels=rows.joined("labels", order),
        has_audio=rows.joined("has audio", order),
        has_image=rows.joined("has image", order),
        scores={m: rows.joined(("all", m), order) for m in modalities},
        one_picture={m: rows.joined(("one", m), order) for m in modalities if ("one", m) in rows.parts},
        pictures=pictures,
    )
    for modality, values in found.scores.items():
        if not np.isfinite(values).all():
            raise DataError(f"scores by {modality} hold NaN or infinity", cause="a network that diverged")
    return found


def predict_wrong_pairs(
    classifier: Classifies, sounds: Iterable[Batch], pictures: Iterable[Batch]
) -> WrongPairs | None:
    """Classify each sound with the pictures of the other stream's clip at its place; None without a head for both.

    Raises:
        DataError: if labels are of other classes, or the streams are of unequal length.
    """
    rows = _Rows()
    for heard, seen in zip(sounds, pictures, strict=True):
        if len(heard) != len(seen):
            raise DataError(f"{len(heard)} sounds with {len(seen)} pictures", expected="as many of both")
        _check_labels(classifier, heard)
        fields = {name: heard[name] for name in ("waveform", "waveform_samples")} | {"frames": seen["frames"]}
        logits = _logits(classifier, Batch(heard.sample_ids, heard.positions, fields)).get("audiovisual")
        if logits is None:
            return None
        rows.add("scores", classifier.scores(logits).double())
        rows.add("sound", heard["labels"] >= LABEL_THRESHOLD)
        rows.add("picture", seen["labels"] >= LABEL_THRESHOLD)
    if not rows.parts:
        return None
    return WrongPairs(*(np.concatenate(rows.parts[name]) for name in ("scores", "sound", "picture")))


def _logits(classifier: Any, batch: Batch) -> dict[Modality, Tensor]:
    with evaluating(classifier), torch.inference_mode():
        return classifier.classify(batch.to(device_of(classifier)))


def _carries(batch: Batch, modality: str) -> bool:
    return ("waveform" if modality == "audio" else "frames") in batch


def _check_labels(classifier: Classifies, batch: Batch) -> None:
    if batch["labels"].shape[1] != len(classifier.classes):
        raise DataError(
            f"clips are labelled with {batch['labels'].shape[1]} classes",
            expected=f"the {len(classifier.classes)} that the network names",
            cure="source.with_classes(method.classes)",
        )
