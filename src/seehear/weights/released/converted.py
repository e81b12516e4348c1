"""Released weights under this project's own parameter names: one safetensors file that tells all about itself.

Beside the tensors stand, as the file's metadata: the layout, the options of its adapter, what became of each published
key, what the inputs must have gone through, and a hash of it all. It opens without the published file: the adapter
builds the same network from empty tensors of the published shapes, then takes its values from here.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seehear.configuration import from_dict
from seehear.errors import DataError, StorageError
from seehear.media.atomic import atomic_file
from seehear.training.tensor_file import write_tensors
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.layouts import from_released
from seehear.weights.released.reading import Reading

FORMAT = "seehear released weights 1"
CONVERT = "seehear weights convert FILE OUT"


def write_converted(encoder: ReleasedEncoder, path: str | Path) -> None:
    """Write an encoder to a new file, whole or not at all.

    Raises:
        StorageError: if the file is there already, or cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise StorageError(f"{path} exists", expected="a new file", cure="another name, or remove it first")
    tensors = {name: value.detach().cpu() for name, value in encoder.state_dict().items()}
    about = {
        "format": FORMAT,
        "layout": encoder.layout,
        "options": json.dumps(encoder.options),
        "reading": json.dumps(encoder.reading.to_dict()),
        "preprocessing": json.dumps(asdict(encoder.preprocessing)),
    }
    with atomic_file(path) as file:
        write_tensors(Path(file.name), tensors, about | {"hash": _hash(about, tensors)})


def open_converted(path: str | Path) -> ReleasedEncoder:
    """The encoder of a file that `write_converted` wrote, bit for bit, in eval mode.

    Raises:
        DataError: if it is another file, or not the one that was written.
        StorageError: if it cannot be read.
    """
    about, tensors = _read(Path(path))
    told = about.pop("hash", "")
    if about.get("format") != FORMAT:
        raise DataError(f"{path} is no converted file", expected=f"what `{CONVERT}` writes", cure=CONVERT)
    if told != _hash(about, tensors):
        raise DataError(f"{path} has changed since it was written", cause="a damaged file", cure=CONVERT)
    reading = Reading.from_dict(json.loads(about["reading"]))
    empty = {name: torch.zeros(()).expand(shape) for name, shape in reading.used.items()}
    encoder = from_released(about["layout"], empty, **json.loads(about["options"]))
    encoder.load_state_dict(tensors)
    encoder.reading = reading
    encoder.preprocessing = from_dict(Preprocessing, json.loads(about["preprocessing"]))
    return encoder


def is_converted(path: str | Path) -> bool:
    """A file says that `write_converted` wrote it."""
    with contextlib.suppress(SafetensorError, OSError), safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("format") == FORMAT
    return False


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            names: list[str] = file.keys()
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise DataError(f"{path} is no safetensors file ({error})", expected=f"what `{CONVERT}` writes") from error
    except OSError as error:
        raise StorageError(f"{path}: could not be read ({error})", expected=f"what `{CONVERT}` writes") from error


def _hash(about: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the texts and of every tensor's name, type, shape and values."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name].contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        if value.numel():
            digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
