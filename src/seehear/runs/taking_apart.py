"""A long mixture taken apart by a network that reads a fixed length: windows that overlap by half, faded into another.

Each estimate counts with a triangle over its window, and the sum is divided by that of the triangles; where all windows
agree, so does the result. A mixture shorter than a window is played again until the window is full, and cut to its own
length afterwards, as in the task's figures.

Legend: W windows, B windows of a pass, T frames, H W picture, S samples of a window, n of the mixture.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Method, Separates
from seehear.errors import DataError, UsageError
from seehear.runs.sounding_maps import fitted
from seehear.weights.precision import device_of, evaluating

_PER_PASS = 4
Pictures = Callable[[NDArray[np.float64]], NDArray[np.uint8]]  # seconds [T] to uint8 RGB [T, H, W, 3]


def check_separates(method: Method, name: str) -> Separates:
    """The method, if it separates.

    Raises:
        UsageError: if it does not.
    """
    separating: object = method  # by what it offers, not by its class
    if not isinstance(separating, Separates):
        raise UsageError(
            f"{name} separates nothing",
            expected="a model that takes sounds apart by pictures: OneAVM",
            cure="seehear pretrain oneavm_tiny --help",
        )
    return separating


def window_starts(samples: int, window: int) -> list[int]:
    """Where windows begin: every half window, the last one ending with the mixture."""
    if samples <= window:
        return [0]
    hop = max(1, window // 2)
    return [*range(0, samples - window, hop), samples - window]


def take_apart(
    method: Method,
    name: str,
    mixture: NDArray[np.float32],
    sources: Sequence[Pictures],
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> NDArray[np.float32]:
    """The sound of each source out of `mixture [n]`: `[sources, n]`.

    Args:
        method: separates.
        name: what to call it in errors.
        mixture: nominally -1 to 1, at 16 kHz.
        sources: for each what its picture shows at given seconds.
        progress: is told how many windows of all sources are done.

    Raises:
        UsageError: if the method does not separate.
        DataError: if an estimate is not finite.
    """
    separating, audio, need = check_separates(method, name), method.needs.audio, method.needs.frames
    assert audio is not None
    assert need is not None
    window = round(audio.seconds * SAMPLE_RATE)
    starts = window_starts(len(mixture), window)
    length = min(window, len(mixture))
    fade = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(np.float64)
    found, weights = np.zeros((len(sources), len(mixture))), np.zeros(len(mixture))
    for start in starts:
        weights[start : start + length] += fade
    offsets = ((np.arange(need.count) + 0.5) / need.count - 0.5) * length
    for number, pictures in enumerate(sources):
        for first in range(0, len(starts), _PER_PASS):
            some = starts[first : first + _PER_PASS]
            middles = np.array(some)[:, None] + length / 2 + offsets
            shown = pictures(middles.reshape(-1) / SAMPLE_RATE)
            frames = fitted(method, shown.reshape(len(some), need.count, *shown.shape[1:]))
            estimates = _pass(method, separating, mixture, some, window, frames)
            for start, estimate in zip(some, estimates, strict=True):
                found[number, start : start + length] += fade * estimate[:length]
            progress(number * len(starts) + first + len(some), len(sources) * len(starts))
    if not np.isfinite(found).all():
        raise DataError(f"an estimate of {name} holds NaN or infinity", cause="a network that diverged")
    return (found / weights).astype(np.float32)


def _pass(
    method: Method,
    separating: Separates,
    mixture: NDArray[np.float32],
    starts: list[int],
    window: int,
    frames: torch.Tensor,
) -> NDArray[np.float64]:
    """Estimates `[B, S]` of some windows."""
    heard, lengths = torch.zeros(len(starts), window), torch.zeros(len(starts), dtype=torch.int64)
    for row, start in enumerate(starts):
        part = mixture[start : start + window]
        heard[row, : len(part)], lengths[row] = torch.from_numpy(part), len(part)
    device = device_of(method)
    with evaluating(method):
        found = separating.separate(signals.repeat_short(heard, lengths).to(device), frames.to(device))
    return found.double().cpu().numpy()
