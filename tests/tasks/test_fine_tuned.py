"""Figures of a fine-tuned classifier: by hand on toys, exclusions counted, bad input refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn

from seehear import tasks
from seehear.contracts import Batch, Classifies
from seehear.errors import DataError
from seehear.metrics import d_prime, jackknife_lower_bound, modality_gap
from seehear.tasks import Answers, Embeddings, Protocol, WrongPairs
from seehear.tasks.predictions import Predictions

CLASSES = ("bell", "dog", "rain")


def _predictions(**changes) -> Predictions:
    """Four clips: sound right for 0 and 1, picture for 1 and 2, both for 1 and 3."""
    right, wrong = np.eye(3), np.roll(np.eye(3), 1, axis=1)
    labels = np.eye(3, dtype=bool)[[0, 1, 2, 0]]

    def scores(*correct: int) -> np.ndarray:
        rows = [right[c] if i in correct else wrong[c] for i, c in enumerate((0, 1, 2, 0))]
        return np.array(rows) * 0.9 + 0.03

    values = {
        "sample_ids": np.arange(4),
        "labels": labels,
        "has_audio": np.ones(4, bool),
        "has_image": np.ones(4, bool),
        "scores": {"audio": scores(0, 1), "image": scores(1, 2), "audiovisual": scores(1, 3)},
        "one_picture": {"image": scores(1), "audiovisual": scores(1)},
        "pictures": 4,
    }
    return Predictions(**(values | changes))


SINGLE = Protocol(True, np.array([5, 3, 2]), "the last weights")


def _figures(found: Predictions, protocol: Protocol = SINGLE, pairs: WrongPairs | None = None) -> dict:
    return {f.name: f for f in tasks.fine_tuned(Answers(found, pairs), protocol)}


def test_figures_by_hand():
    pairs = WrongPairs(np.eye(3)[[0, 1]], np.eye(3, dtype=bool)[[0, 2]], np.eye(3, dtype=bool)[[1, 2]])
    found = _figures(_predictions(), pairs=pairs)
    values = {name: figure.value for name, figure in found.items()}
    assert values == pytest.approx(
        {
            "fine-tuned/audio/top-1": 0.5,
            "fine-tuned/image/top-1": 0.5,
            "fine-tuned/both/top-1": 0.5,
            "fine-tuned/image, one picture/top-1": 0.25,
            "fine-tuned/both, one picture/top-1": 0.25,
            "fine-tuned/drop without image/top-1": 0.0,
            "fine-tuned/drop without audio/top-1": 0.0,
            "fine-tuned/modality-confusion/audio": 0.25,
            "fine-tuned/modality-confusion/image": 0.25,
            "fine-tuned/modality-confusion/each": 0.0,
            "fine-tuned/wrong pairs, label of the sound/top-1": 0.5,
            "fine-tuned/wrong pairs, label of the picture/top-1": 0.0,
        }
    )
    top = found["fine-tuned/both/top-1"]
    assert (top.chance, top.ceiling, top.baselines) == (pytest.approx(1 / 3), 1.0, {"majority class": 0.5})
    assert 0 < top.lower_bound < 0.5
    assert top.note == "4 clips, 4 pictures each, the last weights"


def test_several_labels_are_scored_by_outside_oracles():
    rng = np.random.default_rng(0)
    labels = rng.random((60, 3)) < 0.3
    labels[~labels.any(axis=1), 0] = True
    scores = {m: rng.random((60, 3)) * 0.5 + 0.3 * labels for m in ("audio", "image", "audiovisual")}
    clips = _predictions(
        sample_ids=np.arange(60),
        labels=labels,
        has_audio=np.ones(60, bool),
        has_image=np.ones(60, bool),
        scores=scores,
        one_picture={},
        pictures=1,
    )
    found = _figures(clips, Protocol(False, np.ones(3), "w"))
    for name, modality in (("audio", "audio"), ("both", "audiovisual")):
        mean_ap = found[f"fine-tuned/{name}/mAP"]
        area = roc_auc_score(labels, scores[modality])
        assert mean_ap.value == pytest.approx(average_precision_score(labels, scores[modality]))
        assert mean_ap.chance == pytest.approx(labels.mean())
        assert mean_ap.lower_bound < mean_ap.value
        assert found[f"fine-tuned/{name}/AUC"].value == pytest.approx(area)
        assert found[f"fine-tuned/{name}/d'"].value == pytest.approx(d_prime(area))
    assert "fine-tuned/audio/top-1" in found


def test_what_cannot_be_scored_is_left_out_and_counted():
    clips = _predictions(has_audio=np.array([True, True, True, False]))
    clips.labels[0] = False
    found = _figures(clips)
    assert found["fine-tuned/audio/top-1"].value == 0.5
    told = "2 clips, 1 left out without a label, 1 left out without sound, the last weights"
    assert found["fine-tuned/audio/top-1"].note == told
    assert "3 clips" in found["fine-tuned/image/top-1"].note
    assert "1 left out without sound or pictures" in found["fine-tuned/both/top-1"].note


def test_classes_without_test_clips_do_not_count_and_are_named():
    labels = np.eye(3, dtype=bool)[[0, 1, 1, 0]]
    found = _figures(_predictions(labels=labels), Protocol(False, np.ones(3), "w"))
    assert "1 of 3 classes without test clips do not count" in found["fine-tuned/both/mAP"].note
    assert "1 of 3 classes that none or all test clips have" in found["fine-tuned/both/AUC"].note
    everywhere = _figures(_predictions(labels=np.tile([True, False, False], (4, 1))), Protocol(False, np.ones(3), "w"))
    assert "fine-tuned/both/AUC" not in everywhere
    assert everywhere["fine-tuned/both/mAP"].value == 1


def test_a_perfect_ranking_has_an_infinite_d_prime_which_is_said():
    labels = np.eye(3, dtype=bool)[[0, 1, 2, 0]]
    perfect = {"audio": labels * 0.9}
    found = _figures(_predictions(scores=perfect, one_picture={}), Protocol(False, np.ones(3), "w"))
    assert found["fine-tuned/audio/AUC"].value == 1
    assert "d' is infinite" in found["fine-tuned/audio/AUC"].note
    assert "fine-tuned/audio/d'" not in found
    tasks.to_json(found.values())


def test_nothing_to_score_is_refused():
    clips = _predictions(labels=np.zeros((4, 3), bool))
    with pytest.raises(DataError, match="none of 4 clips has a label"):
        _figures(clips)


def test_the_untrained_network_stands_beside():
    figures = tasks.fine_tuned(
        Answers(_predictions()), SINGLE, Answers(_predictions(scores=_predictions().one_picture, one_picture={}))
    )
    found = {f.name: f for f in figures}
    assert found["fine-tuned/image/top-1"].untrained == 0.25
    assert found["fine-tuned/audio/top-1"].untrained is None


# ----------------------------------------------------------------------------------------------- from batches
class Toy(nn.Module):
    """Names the class that the first sample, or the first pixel of a picture, is the number of."""

    classes, single_label, test_frames, weights_in_use = CLASSES, True, 3, "the last weights"

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(9.0))

    def classify(self, batch: Batch) -> dict:
        found = {}
        if "waveform" in batch:
            found["audio"] = self.scale * torch.eye(3)[batch["waveform"][:, 0].long()]
        if "frames" in batch:
            found["image"] = self.scale * torch.eye(3)[batch["frames"][:, :, 0, 0, 0].long()]
        if len(found) == 2:
            found["audiovisual"] = found["image"] + 0.5 * found["audio"][:, None]
        return found

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        scores = logits.softmax(dim=-1)
        return scores.mean(dim=1) if scores.ndim == 3 else scores


def _batch(ids: list[int], sounds: list[int], pictures: list[list[int]], labels: list[int]) -> Batch:
    frames = torch.zeros(len(ids), len(pictures[0]), 3, 2, 2, dtype=torch.uint8)
    frames[:, :, 0, 0, 0] = torch.tensor(pictures)
    waveform = torch.zeros(len(ids), 4, dtype=torch.int16)
    waveform[:, 0] = torch.tensor(sounds)
    fields = {
        "waveform": waveform,
        "waveform_samples": torch.full((len(ids),), 4),
        "frames": frames,
        "has_audio": torch.tensor([i != 5 for i in ids]),
        "labels": torch.eye(3)[labels],
    }
    return Batch(torch.tensor(ids), torch.arange(len(ids)), fields)


def test_predictions_are_put_in_order_and_pictures_are_averaged():
    toy = Toy().train()
    assert isinstance(toy, Classifies)
    batches = [_batch([7, 5], [0, 1], [[0, 0, 2], [1, 2, 1]], [0, 1]), _batch([2], [2], [[2, 1, 2]], [2])]
    found = tasks.predict(toy, batches)
    assert toy.training
    assert found.sample_ids.tolist() == [2, 5, 7]
    assert found.has_audio.tolist() == [True, False, True]
    assert found.labels.argmax(axis=1).tolist() == [2, 1, 0]
    assert found.pictures == 3
    assert found.scores["image"].argmax(axis=1).tolist() == [2, 1, 0]
    assert found.one_picture["image"].argmax(axis=1).tolist() == [1, 2, 0]
    assert found.scores["image"].sum(axis=1) == pytest.approx(np.ones(3))


def test_wrong_pairs_follow_the_picture_of_this_toy():
    sounds = [_batch([1, 2], [0, 1], [[0], [1]], [0, 1])]
    pictures = [_batch([2, 1], [1, 0], [[1], [0]], [1, 0])]
    found = tasks.predict_wrong_pairs(Toy(), sounds, pictures)
    assert found.scores.argmax(axis=1).tolist() == [1, 0]
    assert found.sound_labels.argmax(axis=1).tolist() == [0, 1]
    assert found.picture_labels.argmax(axis=1).tolist() == [1, 0]


def test_bad_batches_are_refused():
    with pytest.raises(DataError, match="no clip to classify"):
        tasks.predict(Toy(), [])
    batch = _batch([1], [0], [[0]], [0])
    batch.fields["labels"] = torch.zeros(1, 4)
    with pytest.raises(DataError, match="4 classes; expected the 3"):
        tasks.predict(Toy(), [batch])
    broken = Toy()
    broken.scale.data.fill_(float("nan"))
    with pytest.raises(DataError, match="NaN"):
        tasks.predict(broken, [_batch([1], [0], [[0]], [0])])
    two = _batch([1, 2], [0, 1], [[0], [1]], [0, 1])
    with pytest.raises(DataError, match="1 sounds with 2 pictures"):
        tasks.predict_wrong_pairs(Toy(), [_batch([1], [0], [[0]], [0])], [two])


# ----------------------------------------------------------------------------------------------- its small parts
def test_the_jackknife_of_a_mean_is_students_interval_of_group_means():
    values = np.random.default_rng(1).normal(3, 1, 400)
    groups = np.array([values[np.arange(400) % 20 == g].mean() for g in range(20)])
    expected = values.mean() - 2.0930 * groups.std(ddof=1) / np.sqrt(20)  # Student's t for 19 degrees of freedom
    found = jackknife_lower_bound(lambda rows: float(values[rows].mean()), 400)
    assert found == pytest.approx(expected, abs=1e-4)
    with pytest.raises(DataError, match="1 clips"):
        jackknife_lower_bound(lambda rows: 0.0, 1)


def test_the_modality_gap_counts_clips_that_have_both():
    rng = np.random.default_rng(0)
    sides = [rng.normal(size=(5, 4)).astype(np.float32) for _ in range(2)]
    sides = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in sides]
    has = np.array([True, True, True, False, True])
    clips = Embeddings(np.arange(5), has, np.ones(5, bool), *sides, names=tuple("abcde"))
    (figure,) = tasks.modality_gap(clips)
    assert figure.value == pytest.approx(modality_gap(sides[0][has], sides[1][has]))
    assert figure.note == "4 clips"
    assert list(tasks.modality_gap(replace(clips, image=None))) == []
