"""What a network is, for the people who use it: its name, the hash of its weights, what it knows."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class About:
    """Whose vectors these are.

    Attributes:
        name: of the run, the file or the model.
        weights: hash of the weights (`hash_of`).
        knows: one sentence to say wherever results are shown, where the network knows only some kind of media; or "".
        card: the model card in Markdown; "" where there is none.
    """

    name: str
    weights: str
    knows: str = ""
    card: str = ""

    @property
    def slug(self) -> str:
        """The name as it stands in columns: small letters, digits and underscores."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_") or "model"


def hash_of(tensors: Mapping[str, Tensor]) -> str:
    """16 hex digits that tell weights apart: of every tensor's name, type, shape and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        if value.numel():
            digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16]
