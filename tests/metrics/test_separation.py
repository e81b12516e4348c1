"""Separation figures against mir_eval and closed forms; what is skipped is counted; bounds stand in order."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import DataError
from seehear.metrics.separation import bss_eval, mixtures, separation, si_sdr
from seehear.metrics.separation_bounds import ideal_estimates
from seehear.signals.separation import Bands


def _pair(seed, samples=6000, noise=0.3, leak=0.2):
    random = np.random.default_rng(seed)
    true = random.standard_normal((2, samples)) * np.array([[1.0], [0.4]])
    return true, true + leak * true[::-1] + noise * random.standard_normal(true.shape)


@pytest.mark.parametrize("seed", range(3))
def test_bss_eval_is_mir_evals(seed):
    mir_eval = pytest.importorskip("mir_eval.separation")
    true, estimated = _pair(seed, noise=0.1 * (1 + seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = mir_eval.bss_eval_sources(true, estimated, compute_permutation=False)[:3]
    for one, other in zip(bss_eval(true, estimated), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)


def test_estimate_k_belongs_to_source_k():
    true, estimated = _pair(0)
    straight, swapped = bss_eval(true, estimated)[0], bss_eval(true, estimated[::-1])[0]
    assert (straight > swapped + 3).all()


def test_a_filter_is_no_distortion_and_a_factor_neither():
    true, _ = _pair(1)
    filtered = np.stack([np.convolve(x, [0.7, 0.0, -0.4])[: true.shape[1]] for x in true])
    assert (bss_eval(true, 0.01 * filtered)[0] > 30).all()
    assert si_sdr(true[0], filtered[0]) < 10
    assert si_sdr(true[0], -3 * true[0] + 5) > 200


@given(level=st.floats(0.01, 10), decibels=st.integers(-20, 30), seed=st.integers(0, 9))
def test_si_sdr_of_orthogonal_noise_is_its_level(level, decibels, seed):
    random = np.random.default_rng(seed)
    true, noise = random.standard_normal((2, 500))
    true, noise = true - true.mean(), noise - noise.mean()
    noise -= (noise @ true) / (true @ true) * true
    noise *= math.sqrt((true @ true) / (noise @ noise)) * 10 ** (-decibels / 20)
    assert si_sdr(true, level * (true + noise)) == pytest.approx(decibels, abs=1e-6)


def test_si_sdr_is_never_above_sdr():
    true, estimated = _pair(3)
    assert all(si_sdr(t, e) <= s + 1e-6 for t, e, s in zip(true, estimated, bss_eval(true, estimated)[0], strict=True))


def test_quiet_pairs_are_skipped_and_counted():
    true, estimated = _pair(0)
    quiet = true * np.array([[1.0], [1e-5]])
    found = separation([(true, estimated), (quiet, estimated), (true, 0 * estimated)])
    assert (found.counted, found.skipped) == (1, 2)
    assert found.sdr == pytest.approx(bss_eval(true, estimated)[0].mean())
    assert found.si_sdr == pytest.approx(np.mean([si_sdr(t, e) for t, e in zip(true, estimated, strict=True)]))
    with pytest.raises(DataError, match="all too quiet"):
        separation([(quiet, estimated)])
    with pytest.raises(DataError, match="no pair"):
        separation([])


@pytest.mark.parametrize("change", [lambda t, e: (t, e[:, :-1]), lambda t, e: (t, e * np.nan), lambda t, e: (t, e[:1])])
def test_what_cannot_be_compared_is_refused(change):
    with pytest.raises(DataError):
        bss_eval(*change(*_pair(0)))


def test_of_one_source_nothing_interferes_and_two_must_differ():
    true, estimated = _pair(0)
    sdr, sir, sar = bss_eval(true[:1], estimated[:1])
    assert sir[0] == math.inf
    assert sdr[0] == pytest.approx(sar[0])
    tone = np.sin(0.1 * np.arange(3000))
    with pytest.raises(DataError, match="filtered copy"):
        bss_eval(np.stack([tone, 2 * tone]), estimated[:, :3000])


def test_constants_and_silence_have_no_figure():
    with pytest.raises(DataError, match="constant"):
        si_sdr(np.ones(5), np.arange(5.0))
    with pytest.raises(DataError, match="energy"):
        bss_eval(np.zeros((1, 900)), np.ones((1, 900)))


@pytest.mark.parametrize("bands", [Bands(), Bands("log", 128), Bands("linear", 401)], ids=str)
def test_the_mixture_lies_below_ideal_masks(bands):
    time = np.arange(12_000) / 16_000
    random = np.random.default_rng(0)
    low = np.sin(2 * np.pi * 300 * time) * (time < 0.5) + 0.01 * random.standard_normal(12_000)
    high = 0.7 * np.sin(2 * np.pi * 2500 * time) + 0.01 * random.standard_normal(12_000)
    true = np.stack([low, high])
    figures = [
        separation([(true, estimates)])
        for estimates in (mixtures(true), ideal_estimates(true, "binary", bands), ideal_estimates(true, "ratio", bands))
    ]
    assert abs(figures[0].sdr) < 6
    assert all(ceiling.sdr > figures[0].sdr + 10 for ceiling in figures[1:])
