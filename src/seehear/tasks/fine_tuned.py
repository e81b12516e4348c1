"""What a fine-tuned classifier is worth: by sound, by picture, by both; what each adds, and what a wrong partner does.

Clips with one label each are scored by top-1 accuracy, others by mAP, AUC, d' and top-1 hit (any of the labels). Clips
that lack a label, or the modality at hand, are left out and counted in the note, as are classes without test clips.

Modality confusion and the shuffled pairs follow VGGSounder (arXiv 2508.08237) and AVSiam's robustness to a missing
modality (arXiv 2403.19638).

Legend: N clips, C classes, k pictures of a clip.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from seehear.contracts import Classifies, Figure, Modality
from seehear.errors import DataError
from seehear.metrics import modality_confusion, top_k_correct
from seehear.tasks.class_scores import area_and_d_prime, mean_ap, top_1
from seehear.tasks.floors import with_floors
from seehear.tasks.predictions import Predictions, WrongPairs

NAMES: dict[Modality, str] = {"audio": "audio", "image": "image", "audiovisual": "both"}


@dataclass(frozen=True)
class Answers:
    """What a network says of the test clips, and of wrong pairs of them, where these were shown to it."""

    clips: Predictions
    pairs: WrongPairs | None = None


@dataclass(frozen=True)
class Protocol:
    """How to score.

    Attributes:
        single_label: whether every clip has one class.
        train_counts: `[C]`, training clips of each class.
        weights: which weights were tested, for the note.
    """

    single_label: bool
    train_counts: np.ndarray
    weights: str

    @classmethod
    def of(cls, classifier: Classifies, train_counts: np.ndarray) -> "Protocol":
        """That of a classifier."""
        return cls(classifier.single_label, train_counts, classifier.weights_in_use)

    def headline(self, name: str, scores: np.ndarray, labels: np.ndarray, note: str, bounded: bool = False) -> Figure:
        """The figure that counts for these labels."""
        if self.single_label:
            return top_1(f"{name}/top-1", scores, labels, self.train_counts, note)
        return mean_ap(f"{name}/mAP", scores, labels, note, bounded)


def fine_tuned(found: Answers, protocol: Protocol, untrained: Answers | None = None) -> Iterator[Figure]:
    """Every figure of a classifier, named `fine-tuned/...`.

    - `<audio|image|both>/<top-1|mAP|AUC|d'>`;
    - `<image|both>, one picture/...`: the middle picture instead of the mean over k;
    - `drop without <image|audio>/...`: what leaving a modality out costs, on clips that have both (lower is better);
    - `modality-confusion/<audio|image|each>`: right by that modality alone, wrong by both;
    - `wrong pairs, label of the <sound|picture>/...`: a sound with the pictures of another clip.

    Args:
        found: by the network.
        protocol: how to score.
        untrained: by the network before any training.

    Raises:
        DataError: if no clip can be scored.
    """
    if not any((found.clips.has(m) & found.clips.labelled()).any() for m in found.clips.scores):
        raise DataError(
            f"none of {len(found.clips)} clips has a label and what the network reads", expected="labelled test clips"
        )
    yield from with_floors(partial(_measure, protocol=protocol), found, untrained)


def _measure(found: Answers, protocol: Protocol) -> Iterator[Figure]:
    yield from _by_modality(found.clips, protocol)
    yield from _one_picture(found.clips, protocol)
    yield from _both_against_each(found.clips, protocol)
    if found.pairs is not None:
        yield from _wrong_pairs(found.pairs, protocol)


def _by_modality(clips: Predictions, protocol: Protocol) -> Iterator[Figure]:
    for modality, scores in clips.scores.items():
        rows = clips.has(modality) & clips.labelled()
        if not rows.any():
            continue
        name, note = f"fine-tuned/{NAMES[modality]}", _note(clips, modality, protocol)
        yield protocol.headline(name, scores[rows], clips.labels[rows], note, bounded=True)
        if not protocol.single_label:
            yield from area_and_d_prime(name, scores[rows], clips.labels[rows], note)
            yield top_1(f"{name}/top-1", scores[rows], clips.labels[rows], protocol.train_counts, note)


def _one_picture(clips: Predictions, protocol: Protocol) -> Iterator[Figure]:
    for modality, scores in clips.one_picture.items():
        rows = clips.has(modality) & clips.labelled()
        if rows.any():
            note = f"{_note(clips, modality, protocol, pictures=1)} (the middle one of {clips.pictures})"
            name = f"fine-tuned/{NAMES[modality]}, one picture"
            yield protocol.headline(name, scores[rows], clips.labels[rows], note)


def _both_against_each(clips: Predictions, protocol: Protocol) -> Iterator[Figure]:
    """What a lost modality costs, and clips that fusing loses."""
    rows = clips.has("audiovisual") & clips.labelled()
    if len(clips.scores) < len(NAMES) or not rows.any():
        return
    labels, note = clips.labels[rows], _note(clips, "audiovisual", protocol)
    figures = {m: protocol.headline(NAMES[m], s[rows], labels, note) for m, s in clips.scores.items()}
    kind = "top-1" if protocol.single_label else "mAP"
    given: Modality
    for missing, given in (("image", "audio"), ("audio", "image")):
        lost = figures["audiovisual"].value - figures[given].value
        yield Figure(f"fine-tuned/drop without {missing}/{kind}", lost, ceiling=0.0, higher_is_better=False, note=note)
    correct = {m: top_k_correct(s[rows], labels) for m, s in clips.scores.items()}
    confusion = modality_confusion(correct["audio"], correct["image"], correct["audiovisual"])
    for name in ("audio", "image", "each"):
        yield Figure(
            f"fine-tuned/modality-confusion/{name}",
            getattr(confusion, name),
            ceiling=0.0,
            higher_is_better=False,
            note=f"{note}: right by that modality alone, wrong by both",
        )


def _wrong_pairs(pairs: WrongPairs, protocol: Protocol) -> Iterator[Figure]:
    for name, labels in (("sound", pairs.sound_labels), ("picture", pairs.picture_labels)):
        note = f"{len(labels)} sounds with pictures of other clips, {protocol.weights}"
        yield protocol.headline(f"fine-tuned/wrong pairs, label of the {name}", pairs.scores, labels, note)


def _note(clips: Predictions, modality: Modality, protocol: Protocol, pictures: int | None = None) -> str:
    labelled, has = clips.labelled(), clips.has(modality)
    count = clips.pictures if pictures is None else pictures
    seen = "" if modality == "audio" else f", {count} picture{'s' * (count > 1)} each"
    lacking = {"audio": "sound", "image": "pictures", "audiovisual": "sound or pictures"}[modality]
    left_out = [(int((~labelled).sum()), "a label"), (int((labelled & ~has).sum()), lacking)]
    without = "".join(f", {number} left out without {what}" for number, what in left_out if number)
    return f"{int((labelled & has).sum())} clips{seen}{without}, {protocol.weights}"
