"""The modality gap of a network: how far its sounds and its pictures lie apart, as clouds.

Source: Liang et al., "Mind the gap", NeurIPS 2022. AVSiam (arXiv 2403.19638, Fig. 4) claims that both lie together.
"""

from collections.abc import Iterator

from seehear import metrics
from seehear.contracts import Figure
from seehear.tasks.embeddings import Embeddings
from seehear.tasks.floors import with_floors


def modality_gap(embeddings: Embeddings, untrained: Embeddings | None = None) -> Iterator[Figure]:
    """`modality-gap/embeddings`: distance between the means of the L2-normalised embeddings, 0 to 2; lower is nearer.

    Nothing is yielded without clips that have both, or where the two embeddings are of unequal width.

    Raises:
        DataError: if an embedding is not finite.
    """
    yield from with_floors(_measure, embeddings, untrained)


def _measure(embeddings: Embeddings) -> Iterator[Figure]:
    both = embeddings.select(embeddings.has("both"))
    if not len(both) or both.audio is None or both.image is None or both.audio.shape[1] != both.image.shape[1]:
        return
    gap = metrics.modality_gap(both.audio, both.image)
    yield Figure("modality-gap/embeddings", gap, ceiling=0.0, higher_is_better=False, note=f"{len(both)} clips")
