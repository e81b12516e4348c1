"""Sound and picture embeddings in one plane: t-SNE (van der Maaten and Hinton, 2008) of both together.

Source: AVSiam, figure 4 (one map for both modalities). PCA gives the starting layout, after Kobak and Berens (2019).
Deviations: none known; the paper gives no settings. Legend: N sounds, M pictures, D width.
"""

from typing import Any

import numpy as np

from seehear.errors import DataError, UsageError

FEWEST = 5  # points below which neighbourhoods mean nothing: the plain PCA layout is returned


def project(
    audio: np.ndarray | None, image: np.ndarray | None, seed: int = 0, perplexity: float = 30
) -> tuple[np.ndarray, np.ndarray]:
    """Both modalities' embeddings in one plane.

    Args:
        audio: `[N, D]`, or None.
        image: `[M, D]`, or None.
        seed: of the descent; the same seed gives the same map.
        perplexity: effective number of neighbours; at most a third of the points is used.

    Returns:
        float32 `[N, 2]` and `[M, 2]`. Fewer than five distinct points are laid out by PCA; equal ones coincide.

    Raises:
        UsageError: if the widths differ or an array has not two axes.
        DataError: if an embedding is not finite.
    """
    parts = [_checked(audio, "audio"), _checked(image, "image")]
    widths = {part.shape[1] for part in parts if len(part)}
    if len(widths) > 1:
        raise UsageError(f"audio embeddings are {parts[0].shape[1]} wide, image embeddings {parts[1].shape[1]}")
    points = np.concatenate([part for part in parts if len(part)] or [np.zeros((0, 2))])
    plane = _plane(points, seed, perplexity).astype(np.float32)
    return plane[: len(parts[0])], plane[len(parts[0]) :]


def _checked(part: np.ndarray | None, name: str) -> np.ndarray:
    array = np.zeros((0, 2)) if part is None else np.asarray(part, dtype=np.float64)
    if array.ndim != 2:
        raise UsageError(f"{name} embeddings have shape {array.shape}", expected="[clips, width]")
    bad = int((~np.isfinite(array).all(axis=1)).sum())
    if bad:
        raise DataError(f"{bad} of {len(array)} {name} embeddings are not finite", cause="training diverged")
    return array


def _plane(points: np.ndarray, seed: int, perplexity: float) -> np.ndarray:
    """`[N, D]` -> `[N, 2]`."""
    layout = _principal(points)
    if len(np.unique(points, axis=0)) < FEWEST:
        return layout
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    start = layout / layout[:, 0].std() * 1e-4  # small, as the descent expects
    perplexity = max(1.0, min(perplexity, (len(points) - 1) / 3))
    descent = TSNE(2, perplexity=perplexity, init=start.astype(np.float32), random_state=seed)
    with threadpool_limits(1):  # small matrices: more threads wait for each other, and may change the last bits
        plane: Any = descent.fit_transform(points)  # pyrefly: ignore[bad-argument-type]
    return np.asarray(plane)


def _principal(points: np.ndarray) -> np.ndarray:
    """The two directions of largest variance, `[N, D]` -> `[N, 2]`, with the signs fixed by the largest loading."""
    if not len(points):
        return np.zeros((0, 2))
    centred = points - points.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:2]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1, keepdims=True), axis=1)
    plane = np.zeros((len(points), 2))
    plane[:, : len(directions)] = centred @ (directions * np.where(largest < 0, -1, 1)).T
    return plane
