"""Logistic regression by L-BFGS in float64: multinomial, or one-vs-rest for several labels per clip.

Minimises mean cross-entropy + regularisation / 2 * |W|^2 from W = 0 (scikit-learn's C = 1 / (regularisation * N); the
bias is free). Features are standardised by the training clips; a feature that does not vary there counts for nothing.
The regularisation is chosen on clips held out from training, then all of them are fitted.

Legend: N clips, D features, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from seehear.metrics import label_groups, mean_average_precision, top_k_correct

REGULARISATIONS = (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4)
FIXED_REGULARISATION = 0.1  # where there is nothing to choose it on
_HELD_OUT = 5  # every fifth clip of a class
_CONSTANT = 1e-6  # a spread this small beside the mean is rounding
_ITERATIONS, _TOLERANCE = 500, 1e-6


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
    """Fit with the regularisation that scores best on every fifth clip of each label set (equal: of least entropy).

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
    inputs, targets = torch.from_numpy((x - mean) * scale), torch.from_numpy(labels.astype(np.float64))
    shape = (x.shape[1], labels.shape[1])
    weight = torch.zeros(shape, dtype=torch.float64) if start is None else torch.from_numpy(start.weight.copy())
    bias = torch.zeros(shape[1], dtype=torch.float64) if start is None else torch.from_numpy(start.bias.copy())
    _minimise(inputs, targets, weight, bias, multi_label, regularisation)
    return LinearClassifier(weight.detach().numpy(), bias.detach().numpy(), mean, scale, regularisation)


def _minimise(
    inputs: torch.Tensor,
    targets: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    multi_label: bool,
    regularisation: float,
) -> None:
    """Minimise over `weight` and `bias`, in place."""
    weight.requires_grad_(True), bias.requires_grad_(True)
    solver = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_ITERATIONS,
        tolerance_grad=_TOLERANCE,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> torch.Tensor:
        solver.zero_grad()
        entropy = _entropy(torch.addmm(bias, inputs, weight), targets, multi_label)
        loss = entropy + 0.5 * regularisation * weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        solver.step(closure)


def _held_out(labels: np.ndarray) -> NDArray[np.bool_]:
    """Every fifth clip of each label set, `[N]`; rare sets stay in training."""
    held_out = np.zeros(len(labels), dtype=np.bool_)
    groups = label_groups(labels)
    for group in range(groups.max() + 1):
        held_out[np.flatnonzero(groups == group)[_HELD_OUT - 1 :: _HELD_OUT]] = True
    return held_out


def _quality(scores: np.ndarray, labels: np.ndarray, multi_label: bool) -> tuple[float, float]:
    """The figure to choose by, and minus the cross-entropy to decide between equal ones."""
    logits, targets = torch.from_numpy(scores), torch.from_numpy(labels.astype(np.float64))
    if multi_label:
        figure = mean_average_precision(scores, labels).value
    else:
        figure = float(top_k_correct(scores, labels).mean())
    return figure, -float(_entropy(logits, targets, multi_label))


def _entropy(logits: torch.Tensor, targets: torch.Tensor, multi_label: bool) -> torch.Tensor:
    if multi_label:
        return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(logits)
    return F.cross_entropy(logits, targets)
