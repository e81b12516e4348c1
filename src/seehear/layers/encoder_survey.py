"""What a classifier must know of an encoder that it calls part by part: widths, and which parameters count for what.

Found by one forward and backward pass of a hollow copy (tensors without values), so that no method needs to list it.
"""

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seehear.contracts import Batch, Branch, Modality, Needs
from seehear.errors import UsageError

SINGLE: tuple[Modality, ...] = ("audio", "image")


@dataclass(frozen=True)
class Survey:
    """An encoder's outside.

    Attributes:
        width: D of its pooled features.
        tokens: token features of each modality; those of both together are as many as of the two.
        used: names of the parameters that the surveyed features depend on.
    """

    width: int
    tokens: Mapping[str, int]
    used: frozenset[str]


def survey(encoder: Any, wanted: Collection[Modality]) -> Survey:
    """Look at an encoder (a `Method` that `Encodes`) whose features `wanted` are to be classified.

    Raises:
        UsageError: if it has not these features, or the tokens of both are not those of the two.
    """
    hollow = copy.deepcopy(encoder, {id(t): _hollow(t) for t in (*encoder.parameters(), *encoder.buffers())})
    with torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
        patches = {m: values.to("meta") for m, values in encoder.patches(_blank(encoder.needs), None).items()}
        branches = {m: hollow.branches({m: values})[m] for m, values in patches.items()}
        both: tuple[Modality, ...] = ("audiovisual",) if len(branches) == 2 else ()
        found = {m: _features(hollow, branches, m) for m in (*(m for m in SINGLE if m in branches), *both)}
        missing = [m for m in wanted if m not in found]
        if missing:
            raise UsageError(f"{type(encoder).__name__} has no features of {' and '.join(missing)}")
        torch.stack([found[m].tokens.sum() + found[m].pooled.sum() for m in wanted]).sum().backward()
    counts = {m: found[m].tokens.shape[1] for m in branches}
    if "audiovisual" in found and found["audiovisual"].tokens.shape[1] != sum(counts.values()):
        together = found["audiovisual"].tokens.shape[1]
        raise UsageError(f"{together} tokens of both for {counts}", expected="those of sound, then those of picture")
    used = frozenset(name for name, parameter in hollow.named_parameters() if parameter.grad is not None)
    return Survey(found[next(iter(wanted))].pooled.shape[1], counts, used)


def _features(encoder: Any, branches: Mapping[str, Branch], modality: Modality) -> Any:
    given = branches if modality == "audiovisual" else {modality: branches[modality]}
    return encoder.features(given, only=(modality,))[modality]


def _hollow(tensor: Tensor) -> Tensor:
    """The same without values; parameters ask for gradients, whether they are trained or not."""
    empty = torch.empty_like(tensor, device="meta")
    return nn.Parameter(empty, requires_grad=tensor.is_floating_point()) if isinstance(tensor, nn.Parameter) else empty


def _blank(needs: Needs) -> Batch:
    """One silent clip of black pictures."""
    fields: dict[str, Tensor] = {}
    if needs.audio is not None:
        samples = round(needs.audio.seconds * needs.audio.sample_rate)
        fields["waveform"] = torch.zeros(1, samples, dtype=torch.int16)
        fields["waveform_samples"] = torch.full((1,), samples)
    if needs.frames is not None:
        size = (needs.frames.count, 3, needs.frames.height, needs.frames.width)
        fields["frames"] = torch.zeros(1, *size, dtype=torch.uint8)
    return Batch(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), fields)
