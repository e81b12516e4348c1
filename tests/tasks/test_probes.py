"""kNN, linear probes and missing modality: against scikit-learn, on easy, hopeless and odd sets of clips."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from seehear.errors import DataError, UsageError
from seehear.tasks import embed, linear_probe, missing_modality, nearest_neighbours, raw_features
from seehear.tasks.linear_probe import other_clips
from seehear.tasks.logistic import fit_chosen, fit_logistic
from seehear.tasks.missing_modality import shared
from tests.tasks.tasks_toys import ToyMethod, class_like, clips, embeddings, in_batches

TASKS = {"knn": nearest_neighbours, "linear-probe": linear_probe, "missing-modality": missing_modality}


def by_name(figures):
    return {f.name: f for f in figures}


def separable(seed: int):
    return class_like(60, 4, 0.3, seed)


@pytest.mark.parametrize("name", TASKS)
def test_classes_that_lie_apart_are_all_right(name):
    figures = by_name(TASKS[name](separable(1), separable(2)))
    for given in ("audio only", "image only", "both") if name == "missing-modality" else ("audio", "image", "both"):
        figure = figures[f"{name}/{given}/top-1"]
        assert figure.value == 1.0
        assert figure.chance == pytest.approx(0.25)
        assert figure.baselines["majority class"] == pytest.approx(0.25)
        assert figure.ceiling == 1.0
        assert 0.9 < figure.lower_bound < 1.0
        assert figure.note.startswith("60 clips to learn from, 60 to test on")


@pytest.mark.parametrize("name", TASKS)
def test_constant_features_score_chance_or_worse(name):
    def constant(seed: int):
        return embeddings(np.full((40, 8), 0.7), np.full((40, 8), -0.2), np.arange(40) % 4)

    figures = by_name(TASKS[name](constant(0), constant(1)))
    scored = [f for n, f in figures.items() if n.startswith(name) and f.higher_is_better]
    assert scored
    assert all(f.value <= f.chance for f in scored)


@pytest.mark.parametrize("name", TASKS)
def test_noise_scores_about_chance(name):
    figures = by_name(TASKS[name](class_like(300, 4, 1e4, 1), class_like(300, 4, 1e4, 2)))
    assert figures[f"{name}/both/top-1"].value == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize("name", TASKS)
def test_order_of_the_clips_does_not_matter(name):
    def make(order: np.ndarray, seed: int):
        rng = np.random.default_rng(seed)
        audio, image, which = rng.normal(size=(60, 5)), rng.normal(size=(60, 5)), np.arange(60) % 3
        audio[:, 0] += which
        ids = rng.permutation(999)[:60].astype(np.int64)
        return embeddings(audio[order], image[order], which[order], ids=ids[order])

    straight, mixed = np.arange(60), np.random.default_rng(9).permutation(60)
    expected = by_name(TASKS[name](make(straight, 1), make(straight, 2)))
    for figure in TASKS[name](make(mixed, 1), make(mixed, 2)):
        assert figure.value == pytest.approx(expected[figure.name].value, abs=1e-6)
        assert figure.note == expected[figure.name].note


@pytest.mark.parametrize("regularisation", [1.0, 1e-2, 1e-3])
def test_multinomial_regression_equals_scikit_learn(regularisation):
    rng = np.random.default_rng(0)
    which = rng.integers(0, 3, 90)
    x = rng.normal(size=(90, 6)) * [1, 10, 0.1, 1, 1, 1] + 0.7 * which[:, None]
    found = fit_logistic(x, np.eye(3, dtype=bool)[which], False, regularisation)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    oracle = LogisticRegression(C=1 / (regularisation * 90), tol=1e-10, max_iter=5000).fit(standard, which)
    np.testing.assert_allclose(found.weight.T, oracle.coef_, atol=1e-4)
    logits = found.scores(x)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, oracle.predict_proba(standard), atol=1e-4)


def test_one_vs_rest_regression_equals_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 5))
    labels = (x @ rng.normal(size=(5, 4)) + rng.normal(size=(80, 4))) > 0.3
    found = fit_logistic(x, labels, True, 0.01)
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    oracle = OneVsRestClassifier(LogisticRegression(C=1 / 0.8, tol=1e-10, max_iter=5000)).fit(standard, labels)
    np.testing.assert_allclose(found.scores(x), oracle.decision_function(standard), atol=1e-4)


def test_regularisation_is_chosen_on_clips_held_out():
    """Three informative features among many of noise: the strongest fit to the training clips is not chosen."""
    rng = np.random.default_rng(2)
    which = np.arange(60) % 2
    x = rng.normal(size=(60, 150))
    x[:, :3] += 1.5 * which[:, None]
    found = fit_chosen(x, np.eye(2, dtype=bool)[which], False)
    assert found.chosen_on == 12
    assert found.regularisation > 1e-4
    assert "chosen on 12 clips held out" in found.note
    few = fit_chosen(x[:24], np.eye(2, dtype=bool)[which[:24]], False)
    assert few.note == "regularisation 0.1 (fixed)"


def test_a_feature_that_does_not_vary_counts_for_nothing():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.normal(size=(30, 2)), 5 + 1e-8 * rng.normal(size=(30, 1))], axis=1)
    found = fit_logistic(x, np.eye(2, dtype=bool)[np.arange(30) % 2], False, 0.1)
    assert found.scale[2] == 0
    assert np.isfinite(found.scores(x)).all()


def test_wrong_pairs_fall_where_the_probe_needs_that_modality():
    """The class shows in the picture only: other pictures destroy it, other sounds do not."""

    def make(seed: int):
        good = class_like(80, 4, 0.2, seed)
        noise = np.random.default_rng(seed + 100).normal(size=good.audio_pooled.shape).astype(np.float32)
        return replace(good, audio_pooled=noise)

    figures = by_name(linear_probe(make(1), make(2)))
    assert figures["linear-probe/both/top-1"].value > 0.9
    assert figures["linear-probe/both with other images/top-1"].value < 0.5
    assert figures["linear-probe/both with other sounds/top-1"].value > 0.9
    assert figures["linear-probe/audio/top-1"].value < 0.5


def test_nobody_is_their_own_other_clip():
    for count in (2, 3, 10, 11):
        assert (other_clips(count) != np.arange(count)).all()
        assert sorted(other_clips(count)) == list(range(count))


def test_modality_confusion_counts_what_fusing_loses():
    figures = by_name(linear_probe(separable(1), separable(2)))
    assert [figures[f"modality-confusion/{m}"].value for m in ("audio", "image", "each")] == [0.0, 0.0, 0.0]
    noisy = by_name(linear_probe(class_like(80, 4, 2.0, 1), class_like(80, 4, 2.0, 2)))
    lost = 1 - noisy["linear-probe/both/top-1"].value
    assert 0 < noisy["modality-confusion/audio"].value <= lost
    assert noisy["modality-confusion/each"].value <= noisy["modality-confusion/image"].value


def test_aligned_modalities_lose_nothing_and_shifted_ones_much():
    figures = by_name(missing_modality(separable(1), separable(2)))
    assert figures["missing-modality/drop without image/top-1"].value == 0.0

    def shifted(seed: int):
        """The picture of a class lies where the sound of the next class does."""
        rng, which = np.random.default_rng(seed), np.arange(80) % 4
        centres = np.random.default_rng(7).normal(size=(4, 16))
        noise = 0.05 * rng.normal(size=(2, 80, 16))
        return embeddings(centres[which] + noise[0], centres[(which + 1) % 4] + noise[1], which)

    figures = by_name(missing_modality(shifted(1), shifted(2)))
    assert figures["missing-modality/both/top-1"].value == 1.0
    alone = figures["missing-modality/image only/top-1"].value
    assert 0.1 < alone < 0.8
    assert 0.1 < figures["missing-modality/audio only/top-1"].value < 0.8
    assert figures["missing-modality/drop without audio/top-1"].value == pytest.approx(1 - alone)


def test_shared_features_are_normalised_means():
    clips_ = embeddings(np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 5.0], [0.0, 3.0]]))
    half = 0.5**0.5
    np.testing.assert_allclose(shared(clips_), [[half, half], [0.0, 1.0]], atol=1e-6)
    np.testing.assert_allclose(shared(clips_, ("image",)), [[0.0, 1.0], [0.0, 1.0]], atol=1e-6)


def test_a_shared_space_is_needed_for_missing_modality():
    wide = replace(separable(1), image=np.ones((60, 3), np.float32))
    with pytest.raises(DataError, match="16 and 3 wide"):
        list(missing_modality(wide, wide))


@pytest.mark.parametrize("name", TASKS)
def test_several_labels_per_clip_are_scored_by_mean_average_precision(name):
    def make(seed: int):
        rng = np.random.default_rng(seed)
        labels = (rng.random((120, 5)) < 0.35).astype(np.float32)
        labels[:, 4] = 0  # never occurs
        labels[~labels.any(axis=1), 0] = 1
        points = labels @ np.random.default_rng(1).normal(size=(5, 12)) + 0.05 * rng.normal(size=(120, 12))
        return embeddings(points, points, labels=labels)

    figures = by_name(TASKS[name](make(1), make(2)))
    figure = figures[f"{name}/both/mAP"]
    prevalence = make(2).labels[:, :4].mean()
    assert figure.chance == pytest.approx(prevalence, abs=1e-6)
    assert figure.value > figure.chance + 0.3
    assert "1 of 5 classes without test clips do not count" in figure.note
    assert figures[f"{name}/both/top-1"].value > 0.8


def test_classes_never_shown_lower_the_ceiling():
    train, test = separable(1), separable(2)
    train, test = train.select(train.labels[:, 3] == 0), test.select(test.labels[:, 0] == 0)
    figure = by_name(linear_probe(train, test))["linear-probe/audio/top-1"]
    assert figure.ceiling == pytest.approx(2 / 3)
    assert figure.chance == pytest.approx(2 / 9)  # one of three named, right for two thirds of the clips at most
    assert figure.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", TASKS)
def test_one_class_and_one_clip(name):
    one = embeddings(np.ones((1, 4)), np.ones((1, 4)), np.zeros(1, int))
    figure = by_name(TASKS[name](one, one))[f"{name}/both/top-1"]
    assert (figure.value, figure.chance) == (1.0, 1.0)


def test_floors_stand_beside():
    data = [clips(24, seed=s) for s in (1, 2)]
    trained = [embed(ToyMethod(0), in_batches(d, 8)) for d in data]
    untrained = [embed(ToyMethod(1), in_batches(d, 8)) for d in data]
    raw = [raw_features(in_batches(d, 8)) for d in data]
    floors = {"untrained": tuple(untrained), "baselines": {"raw features": tuple(raw)}}
    alone = by_name(linear_probe(*untrained))
    raw_alone = by_name(linear_probe(*raw))
    for figure in linear_probe(*trained, **floors):
        assert figure.untrained == alone[figure.name].value
        assert figure.baselines["raw features"] == raw_alone[figure.name].value
    assert all("raw features" in f.baselines for f in nearest_neighbours(*trained, **floors))


def test_clips_without_sound_count_for_the_picture_only():
    train, test = separable(1), separable(2)
    some = np.arange(60) % 3 != 0
    train = replace(train, has_audio=some)
    figures = by_name(linear_probe(train, test))
    assert "40 clips to learn from" in figures["linear-probe/audio/top-1"].note
    assert "20 left out" in figures["linear-probe/both/top-1"].note
    assert "60 clips to learn from" in figures["linear-probe/image/top-1"].note
    silent = replace(train, has_audio=np.zeros(60, bool), audio=None, audio_pooled=None)
    figures = by_name(linear_probe(silent, test))
    assert set(figures) == {"linear-probe/image/top-1"}


@pytest.mark.parametrize("name", TASKS)
def test_bad_sets_are_refused(name):
    train, test = separable(1), separable(2)
    with pytest.raises(DataError, match=r"the 60 clips carry no labels.*manifest"):
        list(TASKS[name](replace(train, labels=None), test))
    with pytest.raises(DataError, match="4 classes, test clips 3"):
        list(TASKS[name](train, replace(test, labels=test.labels[:, :3])))
    with pytest.raises(DataError, match="NaN"):
        replace(train, audio_pooled=np.full((60, 16), np.nan, np.float32))


def test_bad_options_are_refused():
    with pytest.raises(UsageError, match="k is 0"):
        list(nearest_neighbours(separable(1), separable(2), k=0))
    with pytest.raises(UsageError, match="temperature"):
        list(nearest_neighbours(separable(1), separable(2), temperature=0))
