"""Logistic regression by (SciPy's) L-BFGS in float64: multinomial, or one-vs-rest for several labels per clip.

Minimises mean cross-entropy + regularisation / 2 * |W|^2 from W = 0 (scikit-learn's C = 1 / (regularisation * N); the
bias is free). Features are standardised by the training clips; a feature that does not vary there counts for nothing.
The regularisation is chosen on clips held out from training, then all of them are fitted.

Legend: N clips, D features, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seehear.metrics import label_groups, mean_average_precision, top_k_correct

REGULARISATIONS = (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4)
FIXED_REGULARISATION = 0.1  # where there is nothing to choose it on
_HELD_OUT = 5  # every fifth clip
_FEWEST_CLIPS = 25  # to hold any out
_CONSTANT = 1e-6  # a spread this small beside the mean is rounding
_ITERATIONS, _TOLERANCE = 500, 1e-8


@dataclass(frozen=True)
class LinearClassifier:
    """A fitted classifier.

    Attributes:
        weight: `[D, C]` on standardised features.
        bias: `[C]`.
        mean: `[D]` of the training features.
        scale: `[D]`, one over their spread, zero where there is none.
        regularisation: as chosen.
        chosen_on: clips that it was chosen on, 0 where it was fixed.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    regularisation: float
    chosen_on: int = 0

    def scores(self, features: np.ndarray) -> NDArray[np.float64]:
        """Logits `[N, C]` of `features [N, D]`."""
        return (features - self.mean) * self.scale @ self.weight + self.bias

    @property
    def note(self) -> str:
        """How the regularisation came about, in words."""
        chosen = f"chosen on {self.chosen_on} clips held out from training" if self.chosen_on else "fixed"
        return f"regularisation {self.regularisation:g} ({chosen})"


def fit_chosen(
    features: np.ndarray,
    labels: np.ndarray,
    multi_label: bool,
    regularisations: Sequence[float] = REGULARISATIONS,
) -> LinearClassifier:
    """Fit with the regularisation that scores best on every fifth clip (equal: of least entropy).

    Args:
        features: `[N, D]`, in a fixed order (that of sample ids), as it says which clips are held out.
        labels: `[N, C]` bool.
        multi_label: one-vs-rest, chosen by mAP; else multinomial, chosen by accuracy.
        regularisations: to choose from.
    """
    held_out = _held_out(labels)
    if not held_out.any() or len(regularisations) == 1:
        fixed = regularisations[0] if len(regularisations) == 1 else FIXED_REGULARISATION
        return fit_logistic(features, labels, multi_label, fixed)
    best, best_quality, current = regularisations[0], (-1.0, 0.0), None
    for strength in sorted(regularisations, reverse=True):
        current = fit_logistic(features[~held_out], labels[~held_out], multi_label, strength, start=current)
        quality = _quality(current.scores(features[held_out]), labels[held_out], multi_label)
        if quality > best_quality:
            best, best_quality = strength, quality
    fitted = fit_logistic(features, labels, multi_label, best)
    return LinearClassifier(
        fitted.weight, fitted.bias, fitted.mean, fitted.scale, fitted.regularisation, int(held_out.sum())
    )


def fit_logistic(
    features: np.ndarray,
    labels: np.ndarray,
    multi_label: bool,
    regularisation: float,
    start: LinearClassifier | None = None,
) -> LinearClassifier:
    """Fit `features [N, D]` to `labels [N, C]` (bool) at one strength of regularisation, from `start` or from zero."""
    x = np.asarray(features, dtype=np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    varies = spread > _CONSTANT * (np.abs(mean) + np.abs(x).max())
    scale = np.where(varies, 1 / np.where(varies, spread, 1.0), 0.0)
    first = np.zeros((x.shape[1] + 1, labels.shape[1])) if start is None else np.vstack([start.weight, start.bias])
    found = _minimise((x - mean) * scale, labels.astype(np.float64), first, multi_label, regularisation)
    return LinearClassifier(found[:-1], found[-1], mean, scale, regularisation)


def _minimise(
    inputs: np.ndarray, targets: np.ndarray, first: np.ndarray, multi_label: bool, regularisation: float
) -> NDArray[np.float64]:
    """The best weights and, in the last row, bias, `[D + 1, C]`, starting from `first`."""
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weight, bias = flat.reshape(first.shape)[:-1], flat.reshape(first.shape)[-1]
        entropy, slope = _entropy(inputs @ weight + bias, targets, multi_label)
        gradient = np.vstack([inputs.T @ slope + regularisation * weight, slope.sum(axis=0)])
        return entropy + 0.5 * regularisation * float(np.square(weight).sum()), gradient.ravel()

    options = {"maxiter": _ITERATIONS, "maxfun": 2 * _ITERATIONS, "gtol": _TOLERANCE, "ftol": 0.0}
    with threadpool_limits(1, "blas"):  # products this small only make a second thread spin
        found = minimize(loss_and_gradient, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    return found.x.reshape(first.shape)


def _entropy(logits: np.ndarray, targets: np.ndarray, multi_label: bool) -> tuple[float, np.ndarray]:
    """Mean cross-entropy over the clips (summed over classes if one-vs-rest) and its slope in the logits `[N, C]`."""
    if multi_label:
        likely = np.logaddexp(0.0, logits) - targets * logits
        shares = 0.5 * (1 + np.tanh(logits / 2))
    else:
        shifted = logits - logits.max(axis=1, keepdims=True)
        logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        likely, shares = -targets * logarithms, np.exp(logarithms)
    return float(likely.sum()) / len(logits), (shares - targets) / len(logits)


def _held_out(labels: np.ndarray) -> NDArray[np.bool_]:
    """Every fifth clip in the order of label sets, `[N]`, so that each set gives its share; none of fewer than 25."""
    held_out = np.zeros(len(labels), dtype=np.bool_)
    if len(labels) >= _FEWEST_CLIPS:
        held_out[np.argsort(label_groups(labels), kind="stable")[_HELD_OUT - 1 :: _HELD_OUT]] = True
    return held_out


def _quality(scores: np.ndarray, labels: np.ndarray, multi_label: bool) -> tuple[float, float]:
    """The figure to choose by, and minus the cross-entropy to decide between equal ones."""
    if multi_label:
        figure = mean_average_precision(scores, labels).value
    else:
        figure = float(top_k_correct(scores, labels).mean())
    return figure, -_entropy(scores, labels.astype(np.float64), multi_label)[0]
