"""Naming the clips of a collection from a few labelled examples: logistic regression on their vectors.

How well it works is measured on the examples themselves, five times a fifth of them held out. Clips of one file are
held out together: windows of one recording are too alike to test each other.

Legend: N examples, M clips to name, D width, C classes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seehear.contracts import Figure, Modality
from seehear.errors import DataError, UsageError
from seehear.metrics import mean_average_precision, top_k_correct, wilson_lower_bound
from seehear.search.embedded_table import EmbeddedTable
from seehear.tasks.logistic import FIXED_REGULARISATION, LinearClassifier, fit_chosen, fit_logistic

By = Literal["audio", "image", "both"]
_MADE_OF: dict[By, tuple[Modality, ...]] = {"both": ("audio", "image"), "audio": ("audio",), "image": ("image",)}
FOLDS = 5
LIKELY = 0.5  # of several labels, those at least so probable are given


@dataclass(frozen=True)
class Examples:
    """Clips with labels.

    Attributes:
        vectors: `[N, D]`.
        labels: class names of each.
        files: the file that each was cut from.
    """

    vectors: np.ndarray
    labels: Sequence[Sequence[str]]
    files: Sequence[str]


@dataclass(frozen=True)
class Named:
    """What one clip seems to be: its label, or of several labels those above one half, likeliest first."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]


class Namer:
    """Learns classes from examples.

    Args:
        examples: at least two of each class.

    Attributes:
        classes: their names, `[C]`.
        several: some example has more than one label: classes are named independently of each other.
        quality: accuracy (mean average precision where there are several labels) on examples held out, with chance
            beside it; None where no class has examples from two files.

    Raises:
        DataError: if there are fewer than two classes, or a class has one example only.
    """

    def __init__(self, examples: Examples):
        self.classes = tuple(sorted({name for names in examples.labels for name in names}))
        if len(self.classes) < 2:
            raise DataError(
                f"the examples show {len(self.classes)} classes",
                expected="at least 2",
                cure="name them in the column `labels` of the manifest, some 20 clips of each",
            )
        members = np.array([[name in names for name in self.classes] for names in examples.labels])
        rare = [name for name, count in zip(self.classes, members.sum(axis=0), strict=True) if count < 2]
        if rare:
            raise DataError(f"one example only of {'; '.join(rare[:5])}", expected="at least 2, best some 20")
        self.several = bool((members.sum(axis=1) > 1).any())
        self._classifier = fit_chosen(examples.vectors, members, self.several)
        self.quality = _held_out(examples, members, self.several, self._classifier)

    def __call__(self, vectors: np.ndarray) -> list[Named]:
        """Names of clips with `vectors [M, D]`."""
        return [self._named(row) for row in _probabilities(self._classifier.scores(vectors), self.several)]

    def _named(self, row: np.ndarray) -> Named:
        order = np.argsort(-row, kind="stable")
        kept = [i for i in order if row[i] >= LIKELY] if self.several else order[:1]
        return Named(tuple(self.classes[i] for i in kept), tuple(float(row[i]) for i in kept))


def _probabilities(logits: np.ndarray, several: bool) -> np.ndarray:
    if several:
        return 0.5 * (1 + np.tanh(logits / 2))
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _held_out(examples: Examples, members: np.ndarray, several: bool, fitted: LinearClassifier) -> Figure | None:
    """Scores of every example by a classifier that never saw its file."""
    folds = _folds(examples.files)
    if len(np.unique(folds)) < 2:
        return None
    strength = fitted.regularisation if fitted.chosen_on else FIXED_REGULARISATION
    scores = np.empty(members.shape)
    for fold in np.unique(folds):
        test = folds == fold
        one = fit_logistic(examples.vectors[~test], members[~test], several, strength)
        scores[test] = one.scores(examples.vectors[test])
    note = f"{len(members)} examples, {len(np.unique(folds))} times some held out by file"
    shares = members.mean(axis=0)
    if several:
        value = mean_average_precision(scores, members).value
        return Figure("labelling/mAP", value, chance=float(shares.mean()), ceiling=1.0, note=note)
    value = float(top_k_correct(scores, members).mean())
    bound = wilson_lower_bound(value, len(members))
    return Figure("labelling/top-1", value, chance=float(shares.max()), ceiling=1.0, note=note, lower_bound=bound)


def _folds(files: Sequence[str]) -> np.ndarray:
    """A fold for each example, `[N]`: files dealt in the order of their hashes."""
    distinct = sorted(set(files), key=lambda name: hashlib.blake2b(name.encode(), digest_size=8).digest())
    of_file = {name: number % FOLDS for number, name in enumerate(distinct)}
    return np.array([of_file[name] for name in files])


# ------------------------------------------------------------------------------------------------------------ a table
@dataclass(frozen=True)
class Labelling:
    """What became of a table's clips.

    Attributes:
        by: what they were named by: "audio", "image" or "both".
        classes: names of the classes.
        examples: clips with labels that were learnt from.
        rows: int64 `[M]`, the clips without labels that were named.
        named: their names, `[M]`.
        left_out: clips, with a label or without, that lack what they would be named by.
        quality: see `Namer`.
    """

    by: By
    classes: tuple[str, ...]
    examples: int
    rows: np.ndarray
    named: list[Named]
    left_out: int
    quality: Figure | None


def label(table: EmbeddedTable, model: str | None = None, by: By | None = None) -> Labelling:
    """Name the clips of a table that have no label, from those that have.

    Args:
        table: with vectors.
        model: whose; None where there is one only.
        by: "audio", "image", or "both" vectors side by side; by default what every labelled clip has, both first.

    Raises:
        UsageError: if the table has no such vectors.
        DataError: if there are no labels, or nothing to name, or the examples are too few (see `Namer`).
    """
    labelled = np.array([bool(names) for names in table.labels])
    if not labelled.any():
        raise DataError(
            f"none of the {len(table)} clips of {table.uri} has a label",
            expected="some 20 labelled clips of each class",
            cause="the folder's manifest names no labels",
            cure="a manifest.csv with the columns file and labels in the folder, then pack and embed it again",
        )
    by = by or _shared(table, model, labelled)
    vectors, present = _vectors(table, model, by)
    learn, rest = np.flatnonzero(labelled & present), np.flatnonzero(~labelled & present)
    if not len(rest):
        raise DataError(f"no clip of {table.uri} is without a label and can be named by {by}", expected="at least one")
    namer = Namer(Examples(vectors[learn], [table.labels[i] for i in learn], [table.sources[i] for i in learn]))
    left_out = len(table) - len(learn) - len(rest)
    return Labelling(by, namer.classes, len(learn), rest, namer(vectors[rest]), left_out, namer.quality)


def _shared(table: EmbeddedTable, model: str | None, labelled: np.ndarray) -> By:
    """What every labelled clip has vectors of, or else what most have."""
    columns = table.columns_of(model)
    counts: dict[By, int] = {}
    for by, wanted in _MADE_OF.items():
        if all(modality in columns for modality in wanted):
            counts[by] = int(_vectors(table, model, by)[1][labelled].sum())
    if not counts:
        raise UsageError(f"{table.uri} has {', '.join(columns)} vectors", expected="those of sound or of pictures")
    return max(counts, key=lambda by: counts[by])


def _vectors(table: EmbeddedTable, model: str | None, by: By) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of all clips side by side `[N, D]`, zero where absent, and which clips have them `[N]`."""
    columns, parts, present = table.columns_of(model), [], np.ones(len(table), bool)
    for modality in _MADE_OF[by]:
        if modality not in columns:
            raise UsageError(f"{table.uri} has no {modality} vectors", expected=f"one of {', '.join(columns)}")
        found = table.vectors(columns[modality])
        whole = np.zeros((len(table), found.values.shape[1]), np.float32)
        whole[found.rows] = found.values
        parts.append(whole)
        present &= np.isin(np.arange(len(table)), found.rows)
    return np.concatenate(parts, axis=1), present
