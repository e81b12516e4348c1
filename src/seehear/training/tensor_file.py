"""A safetensors file written straight from the tensors' memory, and hashed on the way.

The format (huggingface.co/docs/safetensors): eight bytes of header length, a JSON header of types, shapes and offsets,
then the values. Written here instead of by the library because a save of gigabytes must neither copy them (tensors may
share memory here) nor read the file again for its hash; both calls below let other threads run. Read by the library.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from seehear.errors import StorageError

CHUNK = 8 << 20  # bytes written and hashed at a time, while they are in the cache
ALIGNMENT = 8
TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> str:
    """Write tensors (any layout, any device) as one file, with texts beside them; returns its SHA-256.

    Raises:
        OSError: if the disk does not take it.
        StorageError: on a type that the format has no name for here, or a machine of the other byte order.
    """
    if sys.byteorder != "little":
        raise StorageError("this machine is big-endian", expected="a little-endian one, as safetensors files are")
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))  # wide types first: all aligned
    header = _header({name: tensors[name] for name in order}, metadata or {})
    digest = hashlib.sha256(header)
    with path.open("wb") as file:
        file.write(header)
        for name in order:
            values = _bytes(tensors[name])
            for start in range(0, len(values), CHUNK):
                chunk = values[start : start + CHUNK]
                file.write(chunk)
                digest.update(chunk)
    return digest.hexdigest()


def _header(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Length and description of the values that follow."""
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in TYPES:
            raise StorageError(f"{name} is of type {tensor.dtype}", expected=f"one of {', '.join(map(str, TYPES))}")
        start, end = end, end + tensor.numel() * tensor.element_size()
        entries[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _bytes(tensor: Tensor) -> memoryview:
    """A tensor's values in row-major order; no copy where they lie so on the host already."""
    flat = tensor.detach().to("cpu").contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data if len(flat) else memoryview(b"")
