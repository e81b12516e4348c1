"""Embedding clips with a method: evaluation mode, no gradient, no randomness.

Legend: B batch, N clips.
"""

from collections.abc import Iterable, Mapping, Sequence

from seehear.contracts import Batch, Method
from seehear.errors import DataError
from seehear.tasks.collect import MODALITIES, Collector
from seehear.tasks.embeddings import Embeddings
from seehear.weights import Embedder


def embed(
    method: Method | Embedder,
    batches: Iterable[Batch],
    *,
    names: Mapping[int, str] | None = None,
    label_names: Sequence[str] = (),
) -> Embeddings:
    """Embeddings of all clips in `batches` (e.g. of `clips.in_order`), whatever their size and order.

    A clip without one modality (`has_audio`, `has_image`) gets no embedding of it; a clip that comes twice counts
    once. Labels are kept where the batches carry them (ask for them with `Needs(labels=True)`).

    Args:
        method: encodes, in fp32; its mode is as before afterwards. Or an `Embedder` that says how.
        batches: batches with the fields of `method.needs`.
        names: name of each sample id, for people; by default the id itself.
        label_names: name of each class.

    Raises:
        DataError: if there is no clip, or an embedding holds NaN.
    """
    collector, embedder = Collector(), method if isinstance(method, Embedder) else Embedder(method)
    for batch, found in embedder(batches):
        if not any(embedder.reads(batch, modality) for modality in MODALITIES):
            raise DataError(
                f"the method encodes neither sound nor pictures of {batch}", expected="the fields of method.needs"
            )
        collector.add(batch, {m: (v.embedding, v.pooled) for m, v in found.items()})
    return collector.finish(names, label_names)
