"""Missing modality: one classifier of the shared space, tested with both modalities and with either alone.

The classifier is trained on the mean of a clip's two L2-normalised embeddings (itself normalised). At test a missing
modality is left out of the mean. This asks whether sound and picture of a class lie in one place; a modality gap costs.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from seehear.contracts import Figure
from seehear.errors import DataError
from seehear.metrics.arrays import unit_rows
from seehear.tasks.classification import Split, class_figures, members, problem
from seehear.tasks.embeddings import Embeddings
from seehear.tasks.floors import with_floors
from seehear.tasks.logistic import fit_chosen


def missing_modality(
    train: Embeddings,
    test: Embeddings,
    *,
    untrained: Split | None = None,
    baselines: Mapping[str, Split] | None = None,
) -> Iterator[Figure]:
    """Accuracy (or mAP) of one classifier with both, sound only and picture only, and what each loss costs.

    Figures are `missing-modality/<both|audio only|image only>/top-1` and `missing-modality/drop without
    <image|audio>/top-1` (the figure with both minus the figure without; lower is better). Nothing is yielded if either
    set has no labelled clip with both.

    Args:
        train: labelled clips to learn from.
        test: labelled clips to test on.
        untrained: the same two sets by the untrained network.
        baselines: further floors, whose sound and picture embeddings must be equally wide.

    Raises:
        DataError: if there are no labels, other classes in the two sets, or embeddings of unequal width.
    """
    yield from with_floors(_measure, (train, test), untrained, baselines)


def _measure(split: Split) -> Iterator[Figure]:
    task = problem(split, "both")
    if task is None:
        return
    classifier = fit_chosen(shared(task.train), members(task.train), task.multi_label)
    note = f"{task.note}, one classifier for all three, {classifier.note}"
    figures: dict[str, list[Figure]] = {}
    for given, modalities in (("both", ("audio", "image")), ("audio only", ("audio",)), ("image only", ("image",))):
        scores = classifier.scores(shared(task.test, modalities))
        figures[given] = list(class_figures(f"missing-modality/{given}", scores, task, note))
        yield from figures[given]
    for missing, given in (("image", "audio only"), ("audio", "image only")):
        for whole, part in zip(figures["both"], figures[given], strict=True):
            yield _drop(missing, whole, part)


def shared(clips: Embeddings, modalities: tuple[str, ...] = ("audio", "image")) -> np.ndarray:
    """Mean of the normalised embeddings of `modalities`, normalised, `[N, D]` float64.

    Raises:
        DataError: if the embeddings are of unequal width.
    """
    parts = [unit_rows(getattr(clips, m), f"{m} embeddings") for m in modalities]
    if len({part.shape[1] for part in parts}) > 1:
        raise DataError(
            f"embeddings are {' and '.join(str(p.shape[1]) for p in parts)} wide", expected="one shared space"
        )
    return unit_rows(np.mean(parts, axis=0), "mean embeddings")


def _drop(missing: str, whole: Figure, part: Figure) -> Figure:
    return Figure(
        name=f"missing-modality/drop without {missing}/{whole.name.rsplit('/', 1)[1]}",
        value=whole.value - part.value,
        ceiling=0.0,
        higher_is_better=False,
        note=whole.note,
    )
