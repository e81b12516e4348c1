"""Localisation: where in the picture the sound is, with what needs no listening and what could be reached beside it.

Source: the protocol of EZ-VSL's released code (arXiv 2203.09324; see `metrics/localization.py`) and the negatives of
SLAVC (arXiv 2209.09634; see `metrics/localization_negatives.py`). "CIoU", "AUC" and "mean cIoU" are of masks that cover
half of the picture, "adaptive" of masks as large as the truth. A region below a quarter of the picture can never be hit
at half coverage, which is why the ceiling stands beside each figure.

Legend: B batch, h w map, H W picture.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from seehear.contracts import Batch, Figure, Method
from seehear.errors import DataError
from seehear.layers.object_guidance import ALPHA, enlarged, guided
from seehear.metrics import (
    best_at_coverage,
    ciou,
    covering,
    covering_as_much,
    detection,
    false_positives,
    hit_area,
    hit_share,
    pointing,
    wilson_lower_bound,
)
from seehear.metrics.localization import HIT
from seehear.tasks.collect import has_modality
from seehear.tasks.localization_maps import Judge, blind_maps, objectness_maps, pictures_of, similarity_maps
from seehear.tasks.localization_targets import Target
from seehear.weights.precision import device_of, evaluating

SOUND, GUIDED, OBJECTNESS, SHUFFLED, BEST = "sound", "sound and objectness", "objectness", "shuffled audio", "best"
UNTRAINED = "untrained"
KEPT = 0.9  # share of the sounding clips that false positives are counted at
FIGURES = ("CIoU", "AUC", "mean cIoU", "adaptive CIoU", "adaptive AUC", "pointing")


def localization(
    method: Method,
    batches: Iterable[Batch],
    targets: Mapping[int, Target],
    *,
    objectness: Judge | None = None,
    untrained: Method | None = None,
    alpha: float = ALPHA,
    seed: int = 0,
) -> Iterator[Figure]:
    """Figures `localization/<all or stratum>/<map>/<figure>` and, with negatives, `localization/negatives/...`.

    The map is "sound", and with `objectness` also "sound and objectness". Beside each stand noise, whole image, centre
    disc, motion (where batches carry more frames than the method reads), objectness alone, and the same network with
    the sound of another clip; the ceiling is the best that a mask of that coverage can do. Clips without sound, picture
    or target are left out and counted in the note.

    Args:
        method: localises, or encodes sound and image tokens in one space.
        batches: batches with the fields of `method.needs`; frames may be more.
        targets: truth by sample id; truths are of one size.
        objectness: a frozen judge of what looks like an object (`layers.object_guidance.Objectness`).
        untrained: the same network untrained.
        alpha: share of the sound in the blend.
        seed: of the noise.

    Raises:
        UsageError: if the method gives no map.
        DataError: if no clip with a truth is left, or a map is not finite.
    """
    tally = _Tally(targets)
    networks = {SOUND: method} | ({} if untrained is None else {UNTRAINED: untrained})
    donor: Tensor | None = None
    for batch in batches:
        rows = tally.usable(batch)
        if not len(rows):
            continue
        some = _rows(batch, rows).to(device_of(method))
        donor = _measure(networks, some, tally, objectness, alpha, seed, donor)
    if not tally.positive.any():
        raise DataError("no clip with a truth is left to localise in", expected="sound, picture and a target")
    for shown in (SOUND, *([GUIDED] if objectness is not None else [])):
        for stratum in ("all", *dict.fromkeys(name for name in tally.strata if name)):
            yield from _figures(tally, shown, stratum)
    yield from _negatives(tally)


@dataclass
class _Tally:
    """Scores of each clip by map: `overlaps[map]` holds (cIoU at half, adaptive cIoU, pointing) of clips with truth."""

    targets: Mapping[int, Target]
    left_out: int = 0
    kinds: list[str] = field(default_factory=list)
    strata: list[str] = field(default_factory=list)
    overlaps: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    areas: list[float] = field(default_factory=list)
    peaks: dict[str, list[float]] = field(default_factory=dict)

    @property
    def positive(self) -> ndarray:
        """Clips with a truth, bool `[N]`."""
        return np.array([not kind for kind in self.kinds], dtype=bool)

    @cached_property
    def size(self) -> tuple[int, int]:
        """(H, W) of the truths."""
        sizes = {target.truth.shape for target in self.targets.values() if target.truth is not None}
        if len(sizes) != 1:
            raise DataError(f"truths of {len(sizes)} sizes", expected="some, all of one size")
        return sizes.pop()

    def usable(self, batch: Batch) -> Tensor:
        """Rows of the clips with sound, picture and target; the others are counted."""
        known = torch.tensor([int(i) in self.targets for i in batch.sample_ids.tolist()], dtype=torch.bool)
        rows = (known & has_modality(batch, "audio").cpu() & has_modality(batch, "image").cpu()).nonzero()[:, 0]
        self.left_out += len(batch) - len(rows)
        return rows

    def add(self, ids: list[int], maps: Mapping[str, Tensor], raw: Mapping[str, Tensor]) -> None:
        """Score maps `[B, H, W]`, and keep the peaks of `raw` ones `[B, h, w]`."""
        heats = {name: _array(values, name) for name, values in maps.items()}
        for name, values in raw.items():
            self.peaks.setdefault(name, []).extend(_array(values, name).max(axis=(1, 2)).tolist())
        for row, number in enumerate(ids):
            target = self.targets[number]
            self.kinds.append(target.negative)
            if target.truth is None:
                continue
            self.strata.append(target.stratum)
            self.areas.append(float((target.truth > 0).mean()))
            best = ciou(covering_as_much(target.truth, target.truth), target.truth)
            self.overlaps.setdefault(BEST, []).append((best_at_coverage(target.truth), best, 1.0))
            for name, heat in heats.items():
                self.overlaps.setdefault(name, []).append(_scores(heat[row], target.truth))


def _array(values: Tensor, name: str) -> ndarray:
    found = values.float().cpu().numpy()
    if not np.isfinite(found).all():
        raise DataError(f"a map of {name} holds NaN or infinity", cause="a network that diverged")
    return found


def _scores(heat: ndarray, truth: ndarray) -> tuple[float, float, float]:
    return (
        ciou(covering(heat), truth),
        ciou(covering_as_much(heat, truth), truth),
        pointing(heat, truth),
    )


def _rows(batch: Batch, rows: Tensor) -> Batch:
    fields = {name: value[rows] for name, value in batch.fields.items() if isinstance(value, Tensor)}
    return Batch(batch.sample_ids[rows], batch.positions[rows], fields)


def _measure(
    networks: Mapping[str, Method],
    batch: Batch,
    tally: _Tally,
    objectness: Judge | None,
    alpha: float,
    seed: int,
    donor: Tensor | None,
) -> Tensor | None:
    """Score a batch; returns the sound `[1, S + 1]` (its length last) that the next batch's first clip hears."""
    ids, size = batch.sample_ids.tolist(), tally.size
    raw: dict[str, Tensor] = {}
    for name, network in networks.items():
        need = network.needs.frames
        seen = pictures_of(batch, 1 if need is None else need.count)
        with evaluating(network):
            raw[name] = similarity_maps(network, seen)
            if name == SOUND:
                swapped, donor = _other_sounds(seen, tally, donor)
                raw[SHUFFLED] = similarity_maps(network, swapped)
    grid = (raw[SOUND].shape[1], raw[SOUND].shape[2])
    maps = {name: enlarged(values.float(), size) for name, values in raw.items()}
    maps |= blind_maps(batch, size, grid, seed)
    if objectness is not None:
        need = networks[SOUND].needs.frames
        pixels = size if need is None else (need.height, need.width)
        with torch.no_grad():
            objects = objectness_maps(objectness, batch, pixels)
        maps[OBJECTNESS] = enlarged(objects.float(), size)
        names = {GUIDED: SOUND, f"{SHUFFLED}, guided": SHUFFLED, f"{UNTRAINED}, guided": UNTRAINED}
        maps |= {own: guided(raw[of].float(), objects.float(), size, alpha) for own, of in names.items() if of in raw}
    tally.add(ids, maps, raw)
    return donor


def _other_sounds(batch: Batch, tally: _Tally, donor: Tensor | None) -> tuple[Batch, Tensor | None]:
    """Every clip with the sound of the clip before it that sounds on screen; the first with that of the one after."""
    own = torch.cat([batch["waveform"].long(), batch["waveform_samples"][:, None]], dim=1)
    sounding = [row for row, number in enumerate(batch.sample_ids.tolist()) if not tally.targets[number].negative]
    if donor is None and sounding:
        donor = own[sounding[:2][-1:]]
    heard = []
    for row in range(len(batch)):
        heard.append(own[row : row + 1] if donor is None else donor)
        if row in sounding:
            donor = own[row : row + 1]
    sounds = torch.cat(heard)
    fields = {**batch.fields, "waveform": sounds[:, :-1].to(torch.int16), "waveform_samples": sounds[:, -1]}
    return Batch(batch.sample_ids, batch.positions, fields), donor


def _figures(tally: _Tally, shown: str, stratum: str) -> Iterator[Figure]:
    """Of one map and stratum, with its floors and the ceiling."""
    rows = np.array([stratum in ("all", own) for own in tally.strata])
    guide = ", guided" if shown == GUIDED else ""
    found = {name: _summary(np.array(scores)[rows]) for name, scores in tally.overlaps.items()}
    floors = {"noise", "whole image", "centre disc", "motion", OBJECTNESS} & set(found)
    baselines = {name: found[name] for name in found if name in floors} | {SHUFFLED: found[SHUFFLED + guide]}
    area = float(np.array(tally.areas)[rows].mean())
    note = f"{int(rows.sum())} clips, regions of {100 * area:.0f} % of the picture"
    if tally.left_out:
        note += f"; {tally.left_out} clips without sound, picture or target left out"
    for name in FIGURES:
        value, hits = found[shown][name], name in ("CIoU", "adaptive CIoU", "pointing")
        yield Figure(
            name=f"localization/{stratum}/{shown}/{name}",
            value=value,
            chance=area if name == "pointing" else None,
            untrained=found[UNTRAINED + guide][name] if UNTRAINED in found else None,
            ceiling=found[BEST][name],
            baselines={floor: values[name] for floor, values in baselines.items()},
            note=note,
            lower_bound=wilson_lower_bound(value, int(rows.sum())) if hits else None,
        )


def _summary(scores: ndarray) -> dict[str, float]:
    """The figures of scores `[N, 3]`."""
    half, adaptive, points = scores.T
    values = (hit_share(half), hit_area(half), half.mean(), hit_share(adaptive), hit_area(adaptive), points.mean())
    return dict(zip(FIGURES, map(float, values), strict=True))


def _negatives(tally: _Tally) -> Iterator[Figure]:
    """How well the raw map's peak tells clips in which something seen sounds from the others."""
    positive, kinds = tally.positive, np.array(tally.kinds)
    if positive.all():
        return
    note = f"{int((~positive).sum())} of {len(positive)} clips show nothing that sounds; confidence is the map's peak"
    for kind in sorted(set(tally.kinds) - {""}):
        rows = positive | (kinds == kind)
        rates = {name: false_positives(np.array(tally.peaks[name])[rows], positive[rows]) for name in tally.peaks}
        yield Figure(
            name=f"localization/negatives/{kind}/false positives",
            value=rates[SOUND],
            chance=KEPT,
            untrained=rates.get(UNTRAINED),
            ceiling=0.0,
            baselines={SHUFFLED: rates[SHUFFLED]},
            higher_is_better=False,
            note=f"at the threshold that {KEPT:.0%} of the sounding clips pass; {note}",
        )
    results = {}
    for name, source in ((SOUND, SOUND), (SHUFFLED, SHUFFLED), (UNTRAINED, UNTRAINED), ("constant confidence", SOUND)):
        if source in tally.peaks:
            right = np.zeros(len(positive), dtype=bool)
            right[positive] = np.array(tally.overlaps[source])[:, 0] >= HIT
            peaks = np.zeros(len(positive)) if name == "constant confidence" else np.array(tally.peaks[name])
            results[name] = detection(peaks, right, positive)
    reached = np.zeros(len(positive), dtype=bool)
    reached[positive] = np.array(tally.overlaps[BEST])[:, 0] >= HIT
    results[BEST] = detection(positive.astype(float) + reached, reached, positive)
    for figure, attribute in (("AP", "average_precision"), ("max-F1", "best_f1"), ("LocAcc", "accuracy")):
        values = {name: getattr(result, attribute) for name, result in results.items()}
        yield Figure(
            name=f"localization/negatives/{figure}",
            value=values[SOUND],
            untrained=values.get(UNTRAINED),
            ceiling=values[BEST],
            baselines={name: values[name] for name in (SHUFFLED, "constant confidence")},
            note=note,
        )
