"""The map's projection: both modalities in one plane, and sense in every small or degenerate case."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from seehear.errors import DataError, UsageError
from seehear.reports import project


def clusters(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two well separated classes, `[count, 8]` and their labels."""
    labels = np.arange(count) % 2
    return np.random.default_rng(seed).normal(size=(count, 8)) + 20 * labels[:, None], labels


def test_classes_meet_across_modalities():
    (audio, labels), (image, _) = clusters(24, 0), clusters(24, 1)
    sounds, pictures = project(audio, image)
    assert sounds.shape == pictures.shape == (24, 2)
    for label in (0, 1):
        centre = pictures[labels == label].mean(axis=0)
        distance = np.linalg.norm(sounds - centre, axis=1)
        assert distance[labels == label].max() < distance[labels != label].min()


def test_the_same_seed_gives_the_same_map():
    audio, image = np.random.default_rng(0).normal(size=(2, 20, 6))
    first, again, other = (np.concatenate(project(audio, image, seed)) for seed in (0, 0, 0))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize(
    ("sounds", "pictures"), [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (2, 2), (3, 3), (5, 0), (9, 4)]
)
def test_few_points(sounds, pictures):
    rng = np.random.default_rng(0)
    a, b = project(rng.normal(size=(sounds, 8)), rng.normal(size=(pictures, 8)))
    assert (a.shape, b.shape) == ((sounds, 2), (pictures, 2))
    both = np.concatenate([a, b])
    assert np.isfinite(both).all()
    assert len(np.unique(both, axis=0)) == sounds + pictures


def test_four_points_are_laid_out_by_pca():
    points = np.random.default_rng(3).normal(size=(4, 6))
    ours = np.concatenate(project(points[:2], points[2:]))
    np.testing.assert_allclose(np.abs(ours), np.abs(PCA(2).fit_transform(points)), atol=1e-5)


def test_missing_modality():
    audio = np.random.default_rng(0).normal(size=(8, 4))
    sounds, pictures = project(audio, None)
    assert sounds.shape == (8, 2)
    assert pictures.shape == (0, 2)
    np.testing.assert_array_equal(project(None, audio)[1], sounds)


def test_constant_embeddings_coincide():
    sounds, pictures = project(np.ones((30, 8)), np.ones((30, 8)))
    assert (np.concatenate([sounds, pictures]) == 0).all()


def test_duplicates_and_one_axis_only():
    line = np.repeat(np.arange(10.0), 4)[:, None]
    sounds, pictures = project(line, line)
    assert np.isfinite(sounds).all()
    assert np.isfinite(pictures).all()
    one_wide = project(np.arange(3.0)[:, None], None)[0]
    np.testing.assert_allclose(one_wide, [[-1, 0], [0, 0], [1, 0]], atol=1e-6)


def test_bad_embeddings_are_named():
    good, bad = np.zeros((4, 3)), np.zeros((4, 3))
    bad[1, 2] = np.nan
    with pytest.raises(DataError, match="1 of 4 image embeddings are not finite"):
        project(good, bad)
    with pytest.raises(UsageError, match="3 wide, image embeddings 5"):
        project(good, np.zeros((4, 5)))
    with pytest.raises(UsageError, match="shape"):
        project(np.zeros(4), None)
