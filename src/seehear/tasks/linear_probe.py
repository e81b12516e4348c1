"""Linear probes on frozen features: sound, picture, and both; what fusing them loses; and a control with wrong pairs.

Features are the pooled tokens, standardised by the training clips; "both" is their concatenation. The control tests the
probe on both with each clip's picture (or sound) replaced by that of another clip: what it falls by is what the probe
draws from that modality.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from seehear.contracts import Figure
from seehear.metrics import modality_confusion, top_k_correct
from seehear.tasks.classification import Problem, Split, class_figures, members, problem
from seehear.tasks.embeddings import Embeddings
from seehear.tasks.floors import with_floors
from seehear.tasks.logistic import LinearClassifier, fit_chosen


def linear_probe(
    train: Embeddings,
    test: Embeddings,
    *,
    untrained: Split | None = None,
    baselines: Mapping[str, Split] | None = None,
) -> Iterator[Figure]:
    """Accuracy (or mAP) of logistic regression, figures `linear-probe/<audio|image|both>/top-1`.

    Also `linear-probe/both with other <images|sounds>/...` (the control) and, with clips that have both,
    `modality-confusion/<audio|image|each>`: right by that modality's probe, wrong by the probe on both.

    Args:
        train: labelled clips to learn from; the regularisation is chosen on a fifth of them.
        test: labelled clips to test on.
        untrained: the same two sets by the untrained network.
        baselines: further floors, e.g. {"raw features": (raw train, raw test)}.

    Raises:
        DataError: if there are no labels, or the two sets have other classes.
    """
    yield from with_floors(_measure, (train, test), untrained, baselines)


def _measure(split: Split) -> Iterator[Figure]:
    fitted: dict[str, LinearClassifier] = {}
    for modality in ("audio", "image", "both"):
        task = problem(split, modality)
        if task is None:
            continue
        features = joined_features(task.train, modality)
        classifier = fitted[modality] = fit_chosen(features, members(task.train), task.multi_label)
        scores = classifier.scores(joined_features(task.test, modality))
        yield from class_figures(f"linear-probe/{modality}", scores, task, f"{task.note}, {classifier.note}")
        if modality == "both":
            yield from _wrong_pairs(classifier, task)
            yield from _confusion(fitted, task)


def joined_features(clips: Embeddings, modality: str, partners: np.ndarray | None = None) -> np.ndarray:
    """Pooled features of one modality `[N, D]`, or of both side by side, the pictures those of `partners [N]`."""
    if modality != "both":
        return getattr(clips, f"{modality}_pooled")
    audio, image = joined_features(clips, "audio"), joined_features(clips, "image")
    return np.concatenate([audio, image if partners is None else image[partners]], axis=1)


def other_clips(count: int) -> np.ndarray:
    """Another clip for each of `count`: half the way round in the order of sample ids, `[N]`."""
    return np.roll(np.arange(count), count // 2)


def _wrong_pairs(classifier: LinearClassifier, task: Problem) -> Iterator[Figure]:
    if len(task.test) < 2:
        return
    partners = other_clips(len(task.test))
    scores = classifier.scores(joined_features(task.test, "both", partners))
    note = f"{task.note}, control: sound of the clip, picture of another"
    yield from class_figures("linear-probe/both with other images", scores, task, note)
    back = np.argsort(partners)  # the same mixtures, judged by their picture
    note = f"{task.note}, control: picture of the clip, sound of another"
    yield from class_figures("linear-probe/both with other sounds", scores[back], task, note)


def _confusion(fitted: Mapping[str, LinearClassifier], task: Problem) -> Iterator[Figure]:
    labels = members(task.test)
    correct = {m: top_k_correct(c.scores(joined_features(task.test, m)), labels) for m, c in fitted.items()}
    found = modality_confusion(correct["audio"], correct["image"], correct["both"])
    for name in ("audio", "image", "each"):
        yield Figure(
            f"modality-confusion/{name}",
            getattr(found, name),
            ceiling=0.0,
            higher_is_better=False,
            note=f"{task.note}: right by that linear probe alone, wrong by the probe on both",
        )
