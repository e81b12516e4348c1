"""Cross-modal retrieval in both directions, and how far nearest neighbours agree in class.

Protocol of CAV-MAE and AVSiam: unmasked, mean-pooled, L2-normalised embeddings, cosine, one true partner per clip;
deviation: ties count against the query. Clips that lack a modality take no part where it is needed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from seehear.contracts import Figure
from seehear.errors import DataError
from seehear.metrics import (
    chance_agreement,
    chance_median_rank,
    chance_recall,
    mean_lower_bound,
    median_rank,
    neighbour_agreement,
    oracle_agreement,
    oracle_median_rank,
    oracle_recall,
    paired_ranks,
    recall_at,
    wilson_lower_bound,
)
from seehear.tasks.collect import MODALITIES
from seehear.tasks.embeddings import Embeddings, same_clips
from seehear.tasks.floors import with_floors
from seehear.tasks.galleries import Galleries, deal_galleries, describe

RECALL_AT = (1, 5, 10)
AGREEMENT_AT = (1, 10)
FEWEST_FOR_STUDENT = 3  # of two galleries, Student's interval is wider than the scale
MEDIAN_RANK = "median rank"


@dataclass(frozen=True)
class _Measured:
    """One figure on one gallery."""

    value: float
    chance: float
    ceiling: float | None
    queries: int


def retrieval(
    embeddings: Embeddings, untrained: Embeddings | None = None, galleries: Galleries | None = None
) -> Iterator[Figure]:
    """R@1/5/10 and median rank in both directions; with labels also neighbour agreement across and within modalities.

    Figures are `retrieval/<from>-to-<to>/R@<k>`, `.../median rank` and `neighbours/<from>-to-<to>/agreement@<k>`: the
    share of the k nearest that share a label with the query, averaged over queries. Each is the mean over the
    galleries. `lower_bound` is Wilson's over all queries; with several galleries the note also gives Student's over
    galleries. The ceiling is that of a perfect class oracle (see `metrics.class_oracle`).

    Args:
        embeddings: of the clips to search among.
        untrained: of the same clips by the untrained network.
        galleries: None for one gallery of all clips.

    Raises:
        DataError: if no figure can be computed, or `untrained` is of other clips.
    """
    if untrained is not None:
        same_clips(embeddings, untrained)
    if not embeddings.has("both").any() and not embeddings.labelled().any():
        raise DataError(
            f"none of {len(embeddings)} clips has both sound and picture, and none a label",
            expected="pairs for retrieval, or labels for neighbour agreement",
        )
    yield from with_floors(partial(_measure, asked=galleries), embeddings, untrained)


def _measure(embeddings: Embeddings, asked: Galleries | None) -> Iterator[Figure]:
    pairs = deal_galleries(embeddings.select(embeddings.has("both")), asked)
    if pairs:
        note = _note(embeddings, pairs, asked, len(embeddings) - int(embeddings.has("both").sum()))
        forward, backward = zip(*(paired_ranks(*_both(gallery)) for gallery in pairs), strict=True)
        for source, target, ranks in (("audio", "image", forward), ("image", "audio", backward)):
            yield from _retrieval_figures(pairs, ranks, f"retrieval/{source}-to-{target}", note)
            yield from _agreement_figures(pairs, source, target, note)
    for modality in MODALITIES:
        own = deal_galleries(embeddings.select(embeddings.has(modality)), asked)
        if own and len(own[0]) > 1:
            note = _note(embeddings, own, asked, len(embeddings) - int(embeddings.has(modality).sum()))
            yield from _agreement_figures(own, modality, modality, note)


def _note(embeddings: Embeddings, found: list[Embeddings], asked: Galleries | None, left_out: int) -> str:
    parts = [describe(found, asked)]
    if left_out:
        parts.append(f"{left_out} of {len(embeddings)} clips lack a modality")
    if embeddings.duplicates:
        parts.append(f"{embeddings.duplicates} repeated clips counted once")
    return ", ".join(parts)


def _both(gallery: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    """Sound and picture of clips that have both."""
    if gallery.audio is None or gallery.image is None:
        raise DataError(
            f"{len(gallery)} clips have sound and picture, but no embeddings of both", expected="`audio` and `image`"
        )
    return gallery.audio, gallery.image


def _retrieval_figures(
    galleries: list[Embeddings], ranks: tuple[np.ndarray, ...], name: str, note: str
) -> Iterator[Figure]:
    for k in RECALL_AT:
        found = [
            _Measured(recall_at(r, k), chance_recall(k, len(g)), _ceiling(g, partial(oracle_recall, k=k)), len(g))
            for r, g in zip(ranks, galleries, strict=True)
        ]
        yield _mean_of_shares(f"{name}/R@{k}", found, note)
    medians = [
        _Measured(median_rank(r), chance_median_rank(len(g)), _ceiling(g, oracle_median_rank), len(g))
        for r, g in zip(ranks, galleries, strict=True)
    ]
    yield _mean(f"{name}/{MEDIAN_RANK}", medians, note, higher_is_better=False)


def _ceiling(gallery: Embeddings, oracle: Callable[[np.ndarray], float]) -> float | None:
    return oracle(gallery.label_matrix()) if gallery.labelled().any() else None


def _agreement_figures(galleries: list[Embeddings], source: str, target: str, note: str) -> Iterator[Figure]:
    """Nothing where a gallery has no label; queries without a label are left out, but stay as candidates."""
    if not all(g.labelled().any() for g in galleries):
        return
    unlabelled = sum(int((~g.labelled()).sum()) for g in galleries)
    if unlabelled:
        note += f", {unlabelled} clips without a label are no queries"
    for k in AGREEMENT_AT:
        found = [_agreement(g, source, target, k) for g in galleries]
        yield _mean_of_shares(f"neighbours/{source}-to-{target}/agreement@{k}", found, note)


def _agreement(gallery: Embeddings, source: str, target: str, k: int) -> _Measured:
    asking = np.flatnonzero(gallery.labelled())
    exclude = asking if source == target else None
    labels = gallery.label_matrix()
    queries = getattr(gallery, source)[asking]
    values = neighbour_agreement(queries, getattr(gallery, target), labels[asking], labels, k, exclude)
    chance = chance_agreement(labels[asking], labels, exclude)
    ceiling = oracle_agreement(labels[asking], labels, k, exclude)
    return _Measured(float(values.mean()), chance, ceiling, len(asking))


def _mean(name: str, found: list[_Measured], note: str, higher_is_better: bool = True) -> Figure:
    ceilings = [m.ceiling for m in found if m.ceiling is not None]
    return Figure(
        name=name,
        value=float(np.mean([m.value for m in found])),
        chance=float(np.mean([m.chance for m in found])),
        ceiling=float(np.mean(ceilings)) if len(ceilings) == len(found) else None,
        higher_is_better=higher_is_better,
        note=note,
    )


def _mean_of_shares(name: str, found: list[_Measured], note: str) -> Figure:
    """The mean with Wilson's bound over all queries, and Student's over galleries in the note."""
    if len(found) >= FEWEST_FOR_STUDENT:
        note += f", 95 % over galleries from {mean_lower_bound([m.value for m in found]):.4f}"
    figure = _mean(name, found, note)
    share = min(1.0, max(0.0, figure.value))
    return replace(figure, lower_bound=wilson_lower_bound(share, sum(m.queries for m in found)))
