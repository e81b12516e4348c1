"""Retrieval figures: right against metrics by hand, with floors and ceilings, for every odd set of clips."""

import numpy as np
import pytest

from seehear.contracts import Figure
from seehear.errors import DataError, UsageError
from seehear.metrics import cosine_ranks, recall_at, wilson_lower_bound
from seehear.tasks import Galleries, retrieval
from seehear.tasks.galleries import deal_galleries
from tests.tasks.tasks_toys import class_like, embeddings


def by_name(figures) -> dict[str, Figure]:
    found = list(figures)
    names = {f.name: f for f in found}
    assert len(names) == len(found)
    return names


DIRECTIONS = ("audio-to-image", "image-to-audio")


def test_one_gallery_by_hand():
    clips = class_like(60, 4, 0.5, seed=0)
    figures = by_name(retrieval(clips))
    expected = {f"retrieval/{d}/{f}" for d in DIRECTIONS for f in ("R@1", "R@5", "R@10", "median rank")} | {
        f"neighbours/{d}/agreement@{k}" for d in (*DIRECTIONS, "audio-to-audio", "image-to-image") for k in (1, 10)
    }
    assert set(figures) == expected
    r10 = figures["retrieval/audio-to-image/R@10"]
    assert r10.value == recall_at(cosine_ranks(clips.audio, clips.image), 10)
    assert r10.chance == pytest.approx(10 / 60)
    assert r10.ceiling == pytest.approx(10 / 15)
    assert r10.lower_bound == pytest.approx(wilson_lower_bound(r10.value, 60))
    assert r10.note == "1 gallery of 60 clips"
    assert figures["retrieval/image-to-audio/median rank"].chance == 30.5
    assert figures["retrieval/image-to-audio/median rank"].ceiling == 8.0
    assert figures["neighbours/audio-to-image/agreement@1"].chance == pytest.approx(0.25)
    assert figures["neighbours/audio-to-audio/agreement@1"].chance == pytest.approx(14 / 59)


def test_class_knowledge_alone_reaches_the_class_ceiling():
    figures = by_name(retrieval(class_like(400, 4, 0.1, seed=1)))
    for direction in DIRECTIONS:
        figure = figures[f"retrieval/{direction}/R@10"]
        assert figure.value == pytest.approx(figure.ceiling, abs=0.05)
        assert figures[f"neighbours/{direction}/agreement@10"].value == 1.0


def test_perfect_pairs_pass_the_class_ceiling():
    points = np.random.default_rng(0).normal(size=(30, 8))
    figures = by_name(retrieval(embeddings(points, points, np.arange(30) % 3)))
    assert figures["retrieval/audio-to-image/R@1"].value == 1.0
    assert figures["retrieval/audio-to-image/R@1"].ceiling == pytest.approx(0.1)
    assert figures["retrieval/audio-to-image/median rank"].value == 1.0


@pytest.mark.parametrize("count", [2, 30])
def test_constant_embeddings_score_chance_or_worse(count):
    constant = np.ones((count, 8))
    for figure in retrieval(embeddings(constant, constant, np.arange(count) % 2)):
        worse = figure.value <= figure.chance + 1e-9 if figure.higher_is_better else figure.value >= figure.chance
        assert worse, figure


def test_figures_do_not_depend_on_the_order_of_clips():
    rng = np.random.default_rng(3)
    audio, image, which = rng.normal(size=(50, 6)), rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
    ids = rng.permutation(1000)[:50].astype(np.int64)
    order = rng.permutation(50)
    galleries = Galleries(2, 20)
    one = by_name(retrieval(embeddings(audio, image, which, ids=ids), galleries=galleries))
    other = embeddings(audio[order], image[order], which[order], ids=ids[order])
    for figure in retrieval(other, galleries=galleries):
        assert figure.value == pytest.approx(one[figure.name].value, abs=1e-9)
        assert figure.ceiling == pytest.approx(one[figure.name].ceiling)


def test_galleries_are_disjoint_balanced_and_averaged():
    clips = class_like(100, 4, 0.7, seed=2)
    galleries = deal_galleries(clips, Galleries(3, 32))
    ids = np.concatenate([g.sample_ids for g in galleries])
    assert len(set(ids.tolist())) == 96
    assert all(g.labels.sum(axis=0).tolist() == [8, 8, 8, 8] for g in galleries)
    figures = by_name(retrieval(clips, galleries=Galleries(3, 32)))
    figure = figures["retrieval/audio-to-image/R@5"]
    values = [recall_at(cosine_ranks(g.audio, g.image), 5) for g in galleries]
    assert figure.value == pytest.approx(np.mean(values))
    assert (figure.chance, figure.ceiling) == (pytest.approx(5 / 32), pytest.approx(5 / 8))
    assert figure.lower_bound == pytest.approx(wilson_lower_bound(figure.value, 96))
    assert figure.note.startswith("3 galleries of 32 clips, 95 % over galleries from ")


def test_too_few_clips_for_the_galleries_is_said():
    clips = class_like(25, 4, 0.7, seed=2)
    note = by_name(retrieval(clips, galleries=Galleries(5, 20)))["retrieval/audio-to-image/R@1"].note
    assert note == "1 gallery of 20 clips (5 of 20 asked for)"
    note = by_name(retrieval(clips, galleries=Galleries(5, 200)))["retrieval/audio-to-image/R@1"].note
    assert note == "1 gallery of 25 clips (5 of 200 asked for)"


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_clips_than_k(count):
    points = np.eye(count, 4)
    figures = by_name(retrieval(embeddings(points, points)))
    figure = figures["retrieval/audio-to-image/R@10"]
    assert (figure.value, figure.chance) == (1.0, 1.0)
    assert figure.ceiling is None  # no labels
    assert not any(name.startswith("neighbours") for name in figures)


def test_the_untrained_network_stands_beside():
    clips, untrained = class_like(40, 4, 0.3, seed=5), class_like(40, 4, 50.0, seed=5)
    floor = by_name(retrieval(untrained))
    for figure in retrieval(clips, untrained):
        assert figure.untrained == floor[figure.name].value
    with pytest.raises(DataError, match="differ in sample_ids"):
        list(retrieval(clips, class_like(40, 4, 1.0, seed=6)))


def test_clips_without_a_modality_are_left_out_and_counted():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(10, 6))
    has_image = np.arange(10) != 4
    image = np.where(has_image[:, None], points, 0.0)
    figures = by_name(retrieval(embeddings(points, image, np.arange(10) % 2, has_image=has_image)))
    figure = figures["retrieval/audio-to-image/R@1"]
    assert figure.value == 1.0
    assert figure.chance == pytest.approx(1 / 9)
    assert figure.note == "1 gallery of 9 clips, 1 of 10 clips lack a modality"
    assert figures["neighbours/audio-to-audio/agreement@1"].note == "1 gallery of 10 clips"


def test_pictures_alone_give_neighbour_agreement_only():
    figures = by_name(retrieval(embeddings(None, np.eye(8), np.arange(8) % 2)))
    assert set(figures) == {"neighbours/image-to-image/agreement@1", "neighbours/image-to-image/agreement@10"}


def test_clips_without_labels_are_no_queries():
    labels = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    labels[:2] = 0
    points = np.repeat(np.eye(2), 4, axis=0)[np.arange(8) // 2 + 4 * (np.arange(8) % 2) - np.arange(8) // 2]
    figures = by_name(retrieval(embeddings(points, points, labels=labels)))
    figure = figures["neighbours/audio-to-image/agreement@1"]
    assert "2 clips without a label are no queries" in figure.note
    assert figure.chance == pytest.approx(3 / 8)


def test_one_class_leaves_no_room_above_chance():
    figures = by_name(retrieval(embeddings(np.eye(6), np.eye(6), np.zeros(6, int))))
    agreement = figures["neighbours/audio-to-image/agreement@1"]
    assert (agreement.value, agreement.chance, agreement.ceiling) == (1.0, 1.0, 1.0)
    assert figures["retrieval/audio-to-image/R@1"].ceiling == pytest.approx(1 / 6)


def test_nothing_to_measure_is_an_error():
    with pytest.raises(DataError, match="none of 3 clips has both sound and picture"):
        list(retrieval(embeddings(np.eye(3), None)))
    with pytest.raises(UsageError, match="0 galleries"):
        Galleries(0, 5)
