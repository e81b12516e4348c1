"""Separation: what a network takes out of a mixture by a frame, between what needs no network and what a mask can do.

SDR, SIR and SAR are those of BSS-eval v3 without permutation (`metrics/separation.py`), SI-SDR stands beside them; a
figure is the mean over both sources of every mixture, in decibels. Floors: the mixture itself, the untrained network,
and the same network with the frame of a third clip ("wrong frame"), of the other source ("other's frame"), and a black
one ("blank frame"). Ideal masks are made from the true sources, with the mixture's phase: the ratio mask is the ceiling
of each figure, the binary one stands among the baselines.

Every figure of one row is over the same mixtures: those whose sources, and whose estimates by the network, have an
energy of 1e-5 or more. A floor that is quieter on some of them is a mean over the others, and the note says so.

Scores are held within 100 dB: a mixture without background has no artefacts at all, an infinite SAR.

A mixture that is shorter than the method listens is played again until the time is full, as sounds are in training;
figures are of its own length.

Legend: B mixtures, T frames, H W picture, S samples that the method reads, n of a mixture.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Figure, Method, Separates
from seehear.errors import DataError, UsageError
from seehear.metrics import mean_lower_bound
from seehear.metrics.separation import VARIANT, bss_eval, si_sdr, too_quiet
from seehear.metrics.separation_bounds import ideal_estimates
from seehear.signals.separation import Bands
from seehear.tasks.separation_mixtures import Mixture
from seehear.weights.precision import device_of, evaluating

FIGURES = ("SDR", "SIR", "SAR", "SI-SDR")
CEILING_BANDS = Bands("linear", count=513, size=1024, shift=256)
MOST_DB = 100.0
NETWORK, UNTRAINED = "network", "untrained"
WRONG, OTHERS, BLANK = "wrong frame", "other's frame", "blank frame"
MIXTURE, BINARY, RATIO = "mixture", "ideal binary mask", "ideal ratio mask"
BASELINES = (MIXTURE, WRONG, OTHERS, BLANK, BINARY)
GROUPS: Mapping[str, bool | None] = {"all": None, "other class": False, "same class": True}


def separation(
    method: Method,
    mixtures: Iterable[Mixture | str],
    *,
    untrained: Method | None = None,
    bands: Bands = CEILING_BANDS,
    batch: int = 8,
) -> Iterator[Figure]:
    """Figures `separation/<all, other class, same class>/<SDR, SIR, SAR, SI-SDR>` in decibels.

    Args:
        method: separates.
        mixtures: e.g. of `clip_mixtures`; a str is the reason of one that could not be made, and counted.
        untrained: the same network untrained.
        bands: that ideal masks are made over.
        batch: mixtures at a time.

    Raises:
        UsageError: if the method does not separate, or `batch` is below 1.
        DataError: if no mixture is left, or an estimate is not finite.
    """
    if batch < 1:
        raise UsageError(f"{batch} mixtures at a time", expected="at least 1")
    networks = {NETWORK: method} | ({} if untrained is None else {UNTRAINED: untrained})
    tally, endless = _Tally(), iter(mixtures)
    while some := list(islice(endless, batch)):
        tally.skipped.update(found for found in some if isinstance(found, str))
        whole = [found for found in some if isinstance(found, Mixture)]
        if whole:
            for mixture, estimates in zip(whole, _estimates(networks, whole), strict=True):
                tally.add(mixture, estimates, bands)
    if not tally.counted:
        reasons = tally.left_out() or "there was none"
        raise DataError(f"no mixture is left to take apart: {reasons}", expected="two clips with sound and picture")
    for group, same in GROUPS.items():
        rows = [row for row, mixture in enumerate(tally.same_class) if same is None or mixture == same]
        if rows:
            yield from tally.figures(group, rows, bands)


@dataclass
class _Tally:
    """Scores `[4, 2]` (figure, source) by estimator, one row per counted mixture; None where it was silent."""

    scores: dict[str, list[ndarray | None]] = field(default_factory=dict)
    same_class: list[bool | None] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    cut: int = 0

    @property
    def counted(self) -> int:
        """Mixtures."""
        return len(self.same_class)

    def add(self, mixture: Mixture, estimates: Mapping[str, ndarray], bands: Bands) -> None:
        """Score the estimates `[2, n]` of a mixture, and the bounds."""
        if too_quiet(estimates[NETWORK]):
            self.skipped["with a silent estimate"] += 1
            return
        parts = np.concatenate([mixture.sources, mixture.background[None]])
        bounds = {
            MIXTURE: np.stack([mixture.sound] * 2),
            BINARY: ideal_estimates(parts, "binary", bands)[:2],
            RATIO: ideal_estimates(parts, "ratio", bands)[:2],
        }
        for name, found in chain(estimates.items(), bounds.items()):
            self.scores.setdefault(name, []).append(_scores(mixture.sources, found))
        self.same_class.append(mixture.same_class)
        self.cut += mixture.cut

    def left_out(self) -> str:
        """How many, by reason."""
        return ", ".join(f"{count} {reason}" for reason, count in sorted(self.skipped.items()))

    def figures(self, group: str, rows: list[int], bands: Bands) -> Iterator[Figure]:
        """The figures over some mixtures."""
        note = self._note(rows, bands)
        for number, name in enumerate(FIGURES):
            means = {who: self._values(who, rows, number) for who in self.scores}
            own = means[NETWORK]
            yield Figure(
                name=f"separation/{group}/{name}",
                value=float(own.mean()),
                untrained=_mean(means.get(UNTRAINED)),
                ceiling=_mean(means[RATIO]),
                baselines={who: float(means[who].mean()) for who in BASELINES if len(means[who])},
                note=note,
                lower_bound=mean_lower_bound(own) if len(own) > 1 else None,
            )

    def _values(self, who: str, rows: list[int], number: int) -> ndarray:
        """Means over both sources `[mixtures]` of one figure."""
        found = [self.scores[who][row] for row in rows]
        return np.array([score[number].mean() for score in found if score is not None])

    def _note(self, rows: list[int], bands: Bands) -> str:
        parts = [f"{len(rows)} mixtures of two, in dB; {VARIANT}"]
        parts.append(f"ideal masks over {bands.count} {bands.scale} bands every {bands.shift} samples")
        if self.skipped:
            parts.append(f"left out {self.left_out()}")
        if self.cut:
            parts.append(f"{self.cut} cut to the shorter clip")
        for who in (*BASELINES, UNTRAINED):
            silent = sum(self.scores[who][row] is None for row in rows) if who in self.scores else 0
            if silent:
                parts.append(f"{who} silent in {silent}")
        return "; ".join(parts)


def _mean(values: ndarray | None) -> float | None:
    return None if values is None or not len(values) else float(values.mean())


def _scores(sources: ndarray, estimates: ndarray) -> ndarray | None:
    """`[4, 2]`; None for estimates too quiet to be scored."""
    if too_quiet(estimates):
        return None
    si = [si_sdr(true, found) for true, found in zip(sources, estimates, strict=True)]
    return np.stack([*bss_eval(sources, estimates), np.array(si)]).clip(-MOST_DB, MOST_DB)


def _estimates(networks: Mapping[str, Method], mixtures: list[Mixture]) -> Iterator[dict[str, ndarray]]:
    """By each network and frame the two estimates `[2, n]` of every mixture."""
    right = torch.cat([mixture.frames for mixture in mixtures])
    wrong = torch.stack([mixture.wrong for mixture in mixtures]).repeat_interleave(2, dim=0)
    shown = {NETWORK: right, WRONG: wrong, BLANK: torch.zeros_like(right)}
    found = {name: _separated(networks[NETWORK], mixtures, frames, name) for name, frames in shown.items()}
    if UNTRAINED in networks:
        found[UNTRAINED] = _separated(networks[UNTRAINED], mixtures, right, UNTRAINED)
    for row, mixture in enumerate(mixtures):
        samples = mixture.sources.shape[1]
        own = {name: values[2 * row : 2 * row + 2, :samples] for name, values in found.items()}
        yield own | {OTHERS: own[NETWORK][::-1].copy()}


def _separated(network: Method, mixtures: list[Mixture], frames: Tensor, name: str) -> ndarray:
    """`[2B, S]` float64: each mixture twice, by two frames `[2B, T, 3, H, W]`."""
    separating: object = network  # by what it offers, not by its class
    if not isinstance(separating, Separates):
        raise UsageError(f"{type(network).__name__} does not separate", expected="a method with `separate`")
    audio, device = network.needs.audio, device_of(network)
    if audio is None:
        raise UsageError(f"{type(network).__name__} reads no sound", expected="sound and picture")
    sounds = torch.zeros(len(mixtures), round(audio.seconds * SAMPLE_RATE))
    for row, mixture in enumerate(mixtures):
        sounds[row, : len(mixture.sound)] = torch.from_numpy(mixture.sound)
    lengths = torch.tensor([len(mixture.sound) for mixture in mixtures])
    heard = signals.repeat_short(sounds, lengths).repeat_interleave(2, dim=0)
    with evaluating(network):
        found = separating.separate(heard.to(device), frames.to(device)).double().cpu().numpy()
    if not np.isfinite(found).all():
        raise DataError(f"an estimate of {name} holds NaN or infinity", cause="a network that diverged")
    return found
