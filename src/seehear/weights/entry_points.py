"""What is exported: sound, picture and both as plain functions of tensors, with all preprocessing inside.

Legend: B clips, S samples of the model's length at 16 kHz, H W the model's pictures, D width, C classes.
"""

import copy
from collections.abc import Mapping
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from seehear.contracts import Batch, Features, Method, Modality
from seehear.signals import waveform_to_int16

Entry = Literal["audio", "image", "joint"]
INPUTS: dict[Entry, tuple[str, ...]] = {
    "audio": ("waveform", "samples"),
    "image": ("pictures",),
    "joint": ("waveform", "samples", "pictures"),
}
ORDER: tuple[Modality, ...] = ("audio", "image", "audiovisual")


def entries_of(method: Method) -> tuple[Entry, ...]:
    """The entry points of a method, by what it reads."""
    heard, seen = method.needs.audio is not None, method.needs.frames is not None
    return tuple(name for name, has in (("audio", heard), ("image", seen), ("joint", heard and seen)) if has)


def bare(method: Method) -> Method:
    """A copy on the CPU, in float32, without what `encode` never calls."""
    found = copy.deepcopy(method).cpu().float().eval().requires_grad_(False)
    for name in found.pretraining_parts:
        parent, _, last = name.rpartition(".")
        setattr(found.get_submodule(parent), last, None)
    return found


class EntryPoint(nn.Module):
    """Embeddings `[B, D]`, L2-normalised, of what an entry takes; then the logits `[B, C]` of a network with classes.

    Args:
        method: the network.
    """

    def __init__(self, method: Method):
        super().__init__()
        self.method = method

    def compute(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Outputs by name: "audio", "image", "audiovisual", and "audio_logits", ... as far as there are classes."""
        count = next(iter(fields.values())).shape[0]
        numbers = torch.arange(count)
        features, logits = _encoded(self.method, Batch(numbers, numbers, dict(fields)))
        embeddings: dict[str, Tensor] = {m: features[m].embedding for m in ORDER if m in features}
        return embeddings | {f"{m}_logits": logits[m] for m in ORDER if m in logits}


class AudioEntry(EntryPoint):
    """Of sound alone."""

    def forward(self, waveform: Tensor, samples: Tensor) -> tuple[Tensor, ...]:
        """`waveform [B, S]` float32 in -1 to 1, of which `samples [B]` int64 are valid."""
        return tuple(self.compute(sound_fields(waveform, samples)).values())


class ImageEntry(EntryPoint):
    """Of a picture alone."""

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """`pictures [B, 3, H, W]` uint8 RGB."""
        return tuple(self.compute({"frames": pictures[:, None]}).values())


class JointEntry(EntryPoint):
    """Of sound and picture: of each alone and of both."""

    def forward(self, waveform: Tensor, samples: Tensor, pictures: Tensor) -> tuple[Tensor, ...]:
        """As the two others."""
        return tuple(self.compute(sound_fields(waveform, samples) | {"frames": pictures[:, None]}).values())


KINDS: dict[Entry, type[EntryPoint]] = {"audio": AudioEntry, "image": ImageEntry, "joint": JointEntry}


def sound_fields(waveform: Tensor, samples: Tensor) -> dict[str, Tensor]:
    """Fields of a batch; what lies beyond the valid samples is silence, whatever it held."""
    valid = torch.arange(waveform.shape[1])[None] < samples[:, None]
    return {"waveform": waveform_to_int16(waveform) * valid, "waveform_samples": samples}


def _encoded(method: Any, batch: Batch) -> tuple[dict[str, Features], dict[str, Tensor]]:
    """Features, and logits of a classifier from the same branches."""
    if not hasattr(method, "classes"):
        return method.encode(batch), {}
    branches = method.encoder.branches(method.encoder.patches(batch, None))
    return cast(dict[str, Features], method.encoder.features(branches)), method.logits(branches)
