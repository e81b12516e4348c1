"""From a name or a path to an encoder ready to use."""

from pathlib import Path

import torch

from seehear.weights.about import About, hash_of
from seehear.weights.encoder import Encoder
from seehear.weights.model_folder import is_model, read_model
from seehear.weights.packaged import packaged_folder
from seehear.weights.precision import Precision


def load(name_or_path: str | Path, device: str | torch.device = "cpu", precision: Precision = "fp32") -> Encoder:
    """The encoder of a packaged model, a model folder, a run folder or a checkpoint folder, in eval mode.

    Raises:
        StorageError: if there is no complete checkpoint.
        UsageError: if this device has not that precision.
    """
    from seehear.training import load_method

    path = packaged_folder(str(name_or_path)) or Path(name_or_path)
    if is_model(path):
        method, about = read_model(path)
        return Encoder(method.to(device), precision, about)
    method = load_method(path, device=device)
    return Encoder(method, precision, About(path.resolve().name, hash_of(method.state_dict())))
