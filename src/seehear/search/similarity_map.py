"""Where in a picture a sound seems to be: the cosine of the sound's vector with each token of the picture.

Source: Chen et al., "Localizing Visual Sounds the Hard Way" (CVPR 2021), section 3.1: the similarity map between one
sound vector and a picture's local features. Deviation: tokens of a transformer, not a convolution's cells. It needs a
model whose picture vector is the mean of the tokens, L2-normalised: then the vector's cosine is a weighted mean of the
map. Legend: N tokens in R rows and C columns, D width.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seehear.contracts import Features
from seehear.errors import UsageError

_SAME = 0.999  # cosine above which the vector counts as the normalised mean of the tokens


def similarity_map(vector: NDArray[np.floating], features: Features) -> NDArray[np.float32]:
    """Cosines `[R, C]` of a vector `[D]` with the tokens of one picture.

    Args:
        vector: of a sound.
        features: of one picture, `[1, N, D]` tokens on a grid of R x C.

    Raises:
        UsageError: if the tokens lie on no such grid, or the model compares through a projection.
    """
    tokens, grid = _array(features.tokens)[0], features.grid
    if len(grid) != 2 or grid[0] * grid[1] != len(tokens) or vector.shape != tokens.shape[1:]:
        raise UsageError(
            f"{len(tokens)} tokens {tokens.shape[1]} wide on a grid of {grid}, a vector {vector.shape[-1]} wide",
            expected="tokens in rows and columns, as wide as the vector",
        )
    if float(_unit(tokens.mean(axis=0)) @ _unit(_array(features.embedding)[0])) < _SAME:
        raise UsageError(
            "this model compares through a projection, where its tokens do not lie",
            expected="a model whose vector is the mean of its tokens",
        )
    return (_unit(tokens) @ _unit(np.asarray(vector, np.float64))).reshape(grid).astype(np.float32)


def _array(tensor: Any) -> NDArray[np.float64]:
    return tensor.detach().float().cpu().numpy().astype(np.float64)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    return values / np.where(lengths > 0, lengths, 1.0)
