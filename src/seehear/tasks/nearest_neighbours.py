"""Classification by nearest neighbours, without training: sound, picture, and both.

Both: the two L2-normalised embeddings side by side, so that the cosine is the mean of the two cosines.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from seehear.contracts import Figure
from seehear.metrics import knn_vote
from seehear.tasks.classification import Split, class_figures, problem
from seehear.tasks.embeddings import Embeddings
from seehear.tasks.floors import with_floors

NEIGHBOURS = 20
TEMPERATURE = 0.07  # DINO's


def nearest_neighbours(
    train: Embeddings,
    test: Embeddings,
    *,
    untrained: Split | None = None,
    baselines: Mapping[str, Split] | None = None,
    k: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> Iterator[Figure]:
    """Accuracy (or mAP) of `metrics.knn_vote` from `train` to `test`, figures `knn/<audio|image|both>/top-1`.

    Args:
        train: labelled clips that vote.
        test: labelled clips to classify.
        untrained: the same two sets by the untrained network.
        baselines: further floors, e.g. {"raw features": (raw train, raw test)}.
        k: neighbours that vote; all, where there are fewer.
        temperature: of the votes' weights.

    Raises:
        UsageError: if k is below 1 or the temperature is not positive.
        DataError: if there are no labels, or the two sets have other classes.
    """
    measure = partial(_measure, k=k, temperature=temperature)
    yield from with_floors(measure, (train, test), untrained, baselines)


def _measure(split: Split, k: int, temperature: float) -> Iterator[Figure]:
    for modality in ("audio", "image", "both"):
        task = problem(split, modality)
        if task is None:
            continue
        features = [joined_embeddings(side, modality) for side in (task.train, task.test)]
        scores = knn_vote(features[0], task.train.label_matrix(), features[1], k, temperature)
        note = f"{task.note}, k {min(k, len(task.train))}, temperature {temperature}"
        yield from class_figures(f"knn/{modality}", scores, task, note)


def joined_embeddings(clips: Embeddings, modality: str) -> np.ndarray:
    """Embeddings of one modality `[N, D]`, or of both side by side."""
    if modality == "both":
        return np.concatenate([joined_embeddings(clips, "audio"), joined_embeddings(clips, "image")], axis=1)
    return getattr(clips, modality)
