"""From a name or a path to an encoder ready to use. Nothing is ever unpickled into objects or run.

A name is looked up in this order: a packaged model; a folder (a run, a checkpoint, a model folder); a released or
converted file; `LAYOUT:FILE`; `owner/name` on the Hugging Face Hub. A folder that is called like a packaged model is
written `./avsiam-world`.
"""

import re
from pathlib import Path

import torch

from seehear.configuration import unknown_name
from seehear.contracts import Method
from seehear.errors import UsageError
from seehear.weights.about import About, hash_of
from seehear.weights.card import CardWords, card_of_file, card_of_run
from seehear.weights.encoder import Encoder
from seehear.weights.model_folder import WEIGHTS, is_model, read_model
from seehear.weights.packaged import packaged_folder, packaged_names
from seehear.weights.precision import Precision
from seehear.weights.released.deepavfusion import DeepAVFusionEncoder
from seehear.weights.released.ez_vsl import EzVslEncoder
from seehear.weights.released.layouts import LAYOUTS
from seehear.weights.released.method_encoder import MethodEncoder
from seehear.weights.released.opening import open_released
from seehear.weights.released.vit import ViTEncoder
from seehear.weights.released_method import ReleasedMethod

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def load(name_or_path: str | Path, device: str | torch.device = "cpu", precision: Precision = "fp32") -> Encoder:
    """An encoder in eval mode, with `about` filled in.

    Args:
        name_or_path: a packaged model ("avsiam-world"); the folder of a run, a checkpoint or a saved model; a released
            or converted file, also as "LAYOUT:FILE"; or "owner/name" on the Hugging Face Hub.
        device: to put it on.
        precision: of its linear layers (see `Forward`).

    Raises:
        UsageError: if nothing is called so, or this device has not that precision.
        StorageError: if a folder or file is incomplete, damaged or of another version, or the hub cannot be reached.
        DataError: if a file holds no weights that are read here.
    """
    method, about = _found(str(name_or_path))
    return Encoder(method.to(device), precision, about)


def _found(name: str) -> tuple[Method, About]:
    path, (layout, _, file) = Path(name), name.partition(":")
    if not name:
        raise UsageError("an empty name of a model", expected=f"{', '.join(packaged_names())}, a folder or a file")
    if file and layout not in LAYOUTS and Path(file).suffix and not path.exists():
        raise unknown_name(f"layout {layout!r} of {name}", layout, LAYOUTS)
    packaged = packaged_folder(name)
    if packaged is not None:
        return read_model(packaged)
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return _of_file(path, None)
    if layout in LAYOUTS and file:
        return _of_file(Path(file), layout)
    if _HUB_ID.fullmatch(name) and not path.parent.is_dir():
        from seehear.weights.hub import fetched

        return read_model(fetched(name))
    raise _unknown(name)


def _of_folder(path: Path) -> tuple[Method, About]:
    """Of a run or checkpoint, or of a model folder, half ones too: whoever reads it says what it lacks."""
    from seehear.training import load_method

    if is_model(path) or (path / WEIGHTS).exists():
        return read_model(path)
    method, whole = load_method(path), path.resolve()
    name = f"{whole.parent.parent.name}-{whole.name}" if whole.parent.name == "checkpoints" else whole.name
    return method, About(name, hash_of(method.state_dict()), card=card_of_run(path, method, CardWords(name)))


def _of_file(path: Path, layout: str | None) -> tuple[Method, About]:
    encoder = open_released(path, layout)
    if isinstance(encoder, (MethodEncoder, EzVslEncoder, DeepAVFusionEncoder)):
        method: Method = encoder.method
    elif isinstance(encoder, ViTEncoder):
        method = ReleasedMethod(encoder)
    else:
        raise UsageError(f"{encoder.layout} weights have no encoder here", expected="a layout with an encoder")
    return method, About(path.stem, hash_of(method.state_dict()), card=card_of_file(path.stem, encoder))


def _unknown(name: str) -> UsageError:
    if "/" in name or "\\" in name or Path(name).suffix:
        return UsageError(
            f"there is no file or folder {name}",
            expected=f"a path, a packaged model ({', '.join(packaged_names())}) or owner/name on the hub",
        )
    return unknown_name(f"model {name!r}", name, packaged_names())
