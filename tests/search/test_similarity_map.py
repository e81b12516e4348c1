"""The similarity map against a slow loop, and what it refuses."""

import numpy as np
import pytest
import torch

from seehear.contracts import Features
from seehear.errors import UsageError
from seehear.search.similarity_map import similarity_map


def _features(rows: int, columns: int, width: int, seed: int = 0) -> Features:
    tokens = torch.randn(1, rows * columns, width, generator=torch.Generator().manual_seed(seed))
    pooled = tokens.mean(dim=1)
    return Features(tokens, (rows, columns), pooled, torch.nn.functional.normalize(pooled, dim=-1))


@pytest.mark.parametrize(("rows", "columns", "width"), [(1, 1, 4), (3, 5, 8), (14, 14, 32)])
def test_it_is_the_cosine_with_each_token(rows: int, columns: int, width: int) -> None:
    features = _features(rows, columns, width)
    vector = np.random.default_rng(1).normal(size=width)
    found = similarity_map(vector, features)
    assert found.shape == (rows, columns)
    for row in range(rows):
        for column in range(columns):
            token = features.tokens[0, row * columns + column].double().numpy()
            product = sum(a * b for a, b in zip(token, vector, strict=True))
            lengths = sum(a * a for a in token) ** 0.5 * sum(b * b for b in vector) ** 0.5
            assert found[row, column] == pytest.approx(product / lengths, abs=1e-6)


def test_the_cosine_with_the_whole_is_the_tokens_weighted_mean() -> None:
    """cos(a, mean of t) = sum of |t| cos(a, t) / (N |mean of t|): the map says where the score of a hit comes from."""
    features = _features(4, 6, 16)
    vector = np.random.default_rng(2).normal(size=16)
    lengths = features.tokens[0].norm(dim=-1).double().numpy()
    found = similarity_map(vector, features).astype(float).reshape(-1)
    whole = float(features.embedding[0].double().numpy() @ (vector / np.linalg.norm(vector)))
    mean = float(features.pooled[0].double().norm())
    assert (lengths * found).sum() / len(found) / mean == pytest.approx(whole, abs=1e-6)


def test_the_map_of_one_token_is_brightest_there() -> None:
    features = _features(3, 3, 64)
    found = similarity_map(features.tokens[0, 5].numpy(), features)
    assert np.unravel_index(found.argmax(), found.shape) == (1, 2)
    assert found.max() == pytest.approx(1.0, abs=1e-6)


def test_other_shapes_and_projections_are_refused() -> None:
    features = _features(2, 2, 8)
    with pytest.raises(UsageError, match="8 wide on a grid"):
        similarity_map(np.ones(9), features)
    with pytest.raises(UsageError, match="grid"):
        similarity_map(np.ones(8), Features(features.tokens, (4,), features.pooled, features.embedding))
    with pytest.raises(UsageError, match="projection"):
        similarity_map(np.ones(8), Features(features.tokens, (2, 2), features.pooled, features.embedding.flip(-1)))
