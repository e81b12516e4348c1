"""Separated sounds against the true ones: SDR, SIR and SAR of BSS-eval v3, and SI-SDR.

Source: Vincent, Gribonval and Févotte, "Performance measurement in blind audio source separation", IEEE TASLP 2006, in
version 3 of its toolbox (`bss_eval_sources`): the true sources may pass a filter of 512 taps before anything counts as
an error, and here estimate k belongs to source k (no permutation). Computed by `fast_bss_eval` (Scheibler, arXiv
2110.06440). SI-SDR: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, equation 3: a single factor in the
filter's place, so it is never above SDR; means are taken off first.

A pair of which a true or an estimated source has less energy than 1e-5 (sum of squares) is skipped, as the separation
systems' evaluators do (DeepAVFusion's released code); skipped pairs are counted.

Legend: K sources, S samples. All figures in decibels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seehear.errors import DataError
from seehear.metrics.arrays import finite_matrix, finite_vector

TAPS = 512
LEAST_ENERGY = 1e-5
VARIANT = f"BSS-eval v3 (bss_eval_sources, {TAPS} taps, no permutation)"
Pair = tuple[ArrayLike, ArrayLike]


@dataclass(frozen=True)
class Separation:
    """Means over the sources of all pairs that were counted, in decibels.

    Attributes:
        sdr: signal to distortion (BSS-eval v3).
        sir: signal to interference.
        sar: signal to artefacts.
        si_sdr: scale-invariant SDR.
        counted: pairs.
        skipped: pairs with a source too quiet.
    """

    sdr: float
    sir: float
    sar: float
    si_sdr: float
    counted: int
    skipped: int


def separation(pairs: Iterable[Pair]) -> Separation:
    """The means over pairs of true and estimated sources, both `[K, S]`.

    Raises:
        DataError: if shapes differ or values are not finite, there is no pair, or all are too quiet.
    """
    found, skipped = [], 0
    for true, estimated in pairs:
        references, estimates = _same_shape(true, estimated)
        if too_quiet(references) or too_quiet(estimates):
            skipped += 1
            continue
        si = [si_sdr(reference, estimate) for reference, estimate in zip(references, estimates, strict=True)]
        found.append(np.stack([*bss_eval(references, estimates), np.array(si)]))
    if not found:
        raise DataError(
            f"{skipped} pairs, all too quiet" if skipped else "there is no pair of sounds",
            expected=f"some whose sources all have an energy of {LEAST_ENERGY:g} or more",
        )
    sdr, sir, sar, si = np.concatenate(found, axis=1).mean(axis=1).tolist()
    return Separation(sdr, sir, sar, si, len(found), skipped)


def too_quiet(sources: NDArray[np.float64]) -> bool:
    """Whether some of `sources [K, S]` has less energy than a source must have."""
    return bool((np.square(sources).sum(axis=1) < LEAST_ENERGY).any())


def bss_eval(references: ArrayLike, estimates: ArrayLike) -> tuple[NDArray, NDArray, NDArray]:
    """SDR, SIR and SAR `[K]` of estimates `[K, S]` of the true sources `[K, S]`.

    Of a single source SIR is infinite: there is nothing to interfere.

    Raises:
        DataError: if shapes differ, values are not finite, a source is too quiet to say, or two are the same.
    """
    true, estimated = _same_shape(references, estimates)
    if too_quiet(true) or too_quiet(estimated):
        raise DataError(f"a source with less energy than {LEAST_ENERGY:g}", expected="sounds")
    import fast_bss_eval
    import torch

    tensors = [
        torch.from_numpy(np.ascontiguousarray(part)) for part in (true, estimated)
    ]  # its NumPy half fails from NumPy 2 on
    try:
        found = fast_bss_eval.bss_eval_sources(*tensors, filter_length=TAPS, compute_permutation=False)
    except torch.linalg.LinAlgError as error:
        raise DataError("one true source is a filtered copy of another", expected="sources that differ") from error
    sdr, sir, sar = (np.asarray(part) for part in found)
    return sdr, sir, sar


def si_sdr(reference: ArrayLike, estimate: ArrayLike) -> float:
    """SI-SDR of an estimate `[S]` of `reference [S]`; infinite where it is the reference but for its level.

    Raises:
        DataError: if shapes differ, values are not finite, or either is constant.
    """
    true, estimated = (finite_vector(x, "samples") for x in (reference, estimate))
    if true.shape != estimated.shape:
        raise DataError(f"{len(estimated)} samples of an estimate", expected=f"{len(true)}")
    true, estimated = true - true.mean(), estimated - estimated.mean()
    if not true.any() or not estimated.any():
        raise DataError("a constant in place of a sound", expected="samples that move")
    target = (estimated @ true) / (true @ true) * true
    error = estimated - target
    return _decibels(target @ target, error @ error)


def mixtures(references: ArrayLike) -> NDArray[np.float64]:
    """The floor of every separation: the mixture as the estimate of each of its sources, `[K, S]`.

    Raises:
        DataError: if values are not finite.
    """
    true = finite_matrix(references, "sources")
    return np.broadcast_to(true.sum(axis=0), true.shape).copy()


def _same_shape(references: ArrayLike, estimates: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    true, estimated = finite_matrix(references, "true sources"), finite_matrix(estimates, "estimated sources")
    if true.shape != estimated.shape:
        raise DataError(f"estimates {estimated.shape} of sources {true.shape}", expected="one each, of equal length")
    return true, estimated


def _decibels(signal: float, noise: float) -> float:
    if not noise:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf
