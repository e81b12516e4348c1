"""Opening files of weights: `.pth`, `.pt`, `.bin` and `.safetensors`. Nothing that could run code is ever unpickled.

A file is looked at before it is opened, because the usual ones that fail are no weights at all: an error page, a Git
LFS pointer, half of a download. Zipped files and safetensors are mapped into memory, not read.
"""

import argparse
import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seehear.errors import DataError, StorageError

PICKLED = (".pth", ".pt", ".bin", ".ckpt", ".tar")
SUFFIXES = (*PICKLED, ".safetensors")
WRAPPERS = ("model", "state_dict", "model_state_dict", "model_state")
HARMLESS = (argparse.Namespace,)  # options beside the weights of a training state: a bag of names, which runs nothing
DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)  # what torch.load comes out with on files that are cut or altered
HEADER_LIMIT = 100 << 20  # bytes of a safetensors header, as its library has it
AGAIN = "download it again: seehear weights fetch NAME"


@dataclass(frozen=True)
class Opened:
    """A file of weights.

    Attributes:
        tensors: by their names in the file.
        wrapper: the entry of a training state that held them, "" where there was none.
        left: the other entries of that training state.
    """

    tensors: dict[str, Tensor]
    wrapper: str = ""
    left: tuple[str, ...] = ()


def open_weights(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a file; `open_file` also tells what they were wrapped in.

    Raises:
        DataError: if the file is empty, cut short, no file of weights, or holds anything but tensors.
        StorageError: if it cannot be read.
    """
    return open_file(path).tensors


def open_file(path: str | Path) -> Opened:
    """A file of weights, taken out of the training state that it may lie in.

    Raises:
        DataError: if the file is empty, cut short, no file of weights, or holds anything but tensors of finite numbers.
        StorageError: if it cannot be read.
    """
    path = Path(path)
    start = _start(path)
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: the suffix {path.suffix!r}", expected=f"one of {', '.join(SUFFIXES)}")
    refuse_foreign(str(path), start)
    if path.suffix.lower() == ".safetensors":
        opened = Opened(_safetensors(path, start))
    else:
        opened = _out_of_wrapper(path, _unpickled(path, start))
    _refuse_non_finite(path, opened.tensors)
    return opened


def _refuse_non_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    broken = [name for name, value in tensors.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise DataError(
            f"{path}: {len(broken)} of {len(tensors)} tensors hold NaN or infinities, the first is {broken[0]}",
            expected="finite weights",
            cause="a training that diverged, or a damaged file",
            cure=AGAIN,
        )


def _start(path: Path) -> bytes:
    """The first bytes of a file."""
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise StorageError(
            f"{path}: could not be read ({error.strerror or error})", expected="a file of weights"
        ) from error


def refuse_foreign(name: str, start: bytes) -> None:
    """Refuse what is no file of weights by its first bytes.

    Raises:
        DataError: if they are those of a web page or a Git LFS pointer, or there are none.
    """
    text = start[:512].lstrip().lower()
    if not start:
        raise DataError(f"{name} is empty", expected="weights", cause="a download that never began", cure=AGAIN)
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(
            f"{name} is a web page",
            expected="weights",
            cause="the page of the download was saved, or an error of the server",
            cure="the link to the file itself",
        )
    if text.startswith(b"version https://git-lfs"):
        size = re.search(rb"size (\d+)", start)
        raise DataError(
            f"{name} is a Git LFS pointer",
            expected=f"the {int(size[1])} bytes that it points to" if size else "the file that it points to",
            cause="a repository cloned without Git LFS",
            cure="git lfs pull",
        )


def _safetensors(path: Path, start: bytes) -> dict[str, Tensor]:
    length, size = int.from_bytes(start[:8], "little"), path.stat().st_size
    if len(start) < 9 or length > HEADER_LIMIT or not start[8:].lstrip().startswith(b"{"):
        raise DataError(f"{path} has no safetensors header", expected="a safetensors file", cause="another format")
    try:
        with safe_open(path, framework="pt") as file:
            names: list[str] = file.keys()
            return {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise DataError(
            f"{path}: {size} bytes, unlike its header says ({error})", cause="half of a download", cure=AGAIN
        ) from error


def _unpickled(path: Path, start: bytes) -> Any:
    zipped = start.startswith(b"PK")
    if zipped and not zipfile.is_zipfile(path):
        raise DataError(
            f"{path} breaks off after {path.stat().st_size} bytes",
            expected="a whole archive",
            cause="half of a download",
            cure=AGAIN,
        )
    try:
        with torch.serialization.safe_globals(list(HARMLESS)), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of other pickle protocols, which either load or fail below
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise _unpickling(path, str(error)) from error
    except DAMAGE as error:
        raise DataError(
            f"{path} cannot be read as a file of tensors ({type(error).__name__})",
            expected="what torch.save writes",
            cause="half of a download, or another format",
            cure=AGAIN,
        ) from error


def _unpickling(path: Path, message: str) -> DataError:
    """The error for a pickle that holds what is not unpickled."""
    name = re.search(r"unsupported global:? (?:GLOBAL )?([\w.]+)", message, re.IGNORECASE)
    return DataError(
        f"{path} holds {name[1]} beside tensors" if name else f"{path} cannot be unpickled as tensors",
        expected="tensors by their names; nothing else is unpickled, since it could run code",
        cause="a whole training state or module, saved with its classes; or another format",
        cure="a file of the weights alone, saved where its origin is trusted",
    )


def _out_of_wrapper(path: Path, found: Any) -> Opened:
    """The tensors of what was unpickled."""
    if not isinstance(found, Mapping):
        raise DataError(
            f"{path} holds a {type(found).__name__}",
            expected="tensors by their names",
            cause="one tensor, or a list of them, was saved",
        )
    wrapper = next((name for name in WRAPPERS if isinstance(found.get(name), Mapping)), "")
    tensors = found[wrapper] if wrapper else found
    if not tensors:
        raise DataError(f"{path} holds no tensors", expected="tensors by their names")
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise DataError(
                f"{path}: {name!r} is of type {type(value).__name__}",
                expected="tensors by their names",
                cause=f"a training state whose weights are in none of its entries {', '.join(WRAPPERS)}",
            )
    left = tuple(str(name) for name in found if name != wrapper) if wrapper else ()
    return Opened(dict(tensors), wrapper, left)
