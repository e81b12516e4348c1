"""Embedding clips with a method: evaluation mode, no gradient, no randomness.

Legend: B batch, N clips.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch

from seehear.contracts import Batch, Method
from seehear.errors import DataError
from seehear.tasks.collect import MODALITIES, Collector
from seehear.tasks.embeddings import Embeddings


def embed(
    method: Method,
    batches: Iterable[Batch],
    *,
    names: Mapping[int, str] | None = None,
    label_names: Sequence[str] = (),
) -> Embeddings:
    """Embeddings of all clips in `batches` (e.g. of `clips.in_order`), whatever their size and order.

    A clip without one modality (`has_audio`, `has_image`) gets no embedding of it; a clip that comes twice counts
    once. Labels are kept where the batches carry them (ask for them with `Needs(labels=True)`).

    Args:
        method: encodes; its mode is as before afterwards.
        batches: batches with the fields of `method.needs`.
        names: name of each sample id, for people; by default the id itself.
        label_names: name of each class.

    Raises:
        DataError: if there is no clip, or an embedding holds NaN.
    """
    collector, device = Collector(), device_of(method)
    with evaluating(method):
        for batch in batches:
            features = method.encode(batch.to(device))
            found = {m: (features[m].embedding, features[m].pooled) for m in MODALITIES if m in features}
            if not found:
                raise DataError(
                    f"the method encodes neither sound nor pictures of {batch}", expected="the fields of method.needs"
                )
            collector.add(batch, found)
    return collector.finish(names, label_names)


def device_of(method: Method) -> torch.device:
    """Where the method's weights lie (the CPU, if it has none)."""
    parameter = next(method.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


@contextmanager
def evaluating(method: Method) -> Iterator[None]:
    """Evaluation mode without gradients, and the former mode afterwards."""
    training = method.training
    method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        method.train(training)
