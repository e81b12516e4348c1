"""Embeddings on disk: `<stem>.npz` for the arrays, `<stem>.json` for the rest and the hash of the arrays."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from seehear.errors import StorageError
from seehear.tasks.embeddings import ARRAYS, Embeddings

FORMAT_VERSION = 1
_CURE = "embed the clips again"


def save_embeddings(embeddings: Embeddings, stem: Path | str) -> None:
    """Write both files; a reader sees the old pair, the new one, or an error, never a mixture.

    Raises:
        StorageError: if they cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **{n: getattr(embeddings, n) for n in ARRAYS if getattr(embeddings, n) is not None})
    about = {
        "format": FORMAT_VERSION,
        "arrays": _digest(buffer.getvalue()),
        "names": embeddings.names,
        "label_names": embeddings.label_names,
        "duplicates": embeddings.duplicates,
    }
    try:
        _replace(Path(f"{stem}.npz"), buffer.getvalue())
        _replace(Path(f"{stem}.json"), json.dumps(about, ensure_ascii=False, indent=1).encode())
    except OSError as error:
        raise StorageError(f"cannot write embeddings to {stem}: {error.strerror}") from error


def load_embeddings(stem: Path | str) -> Embeddings:
    """Read what `save_embeddings` wrote; nothing is unpickled.

    Raises:
        StorageError: if a file is missing, damaged, of another version, or the two do not belong together.
    """
    try:
        about, data = json.loads(Path(f"{stem}.json").read_bytes()), Path(f"{stem}.npz").read_bytes()
        _check(about, data, stem)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            values: dict[str, Any] = {name: arrays[name] for name in arrays.files}
        return Embeddings(
            names=tuple(about["names"]),
            label_names=tuple(about["label_names"]),
            duplicates=about["duplicates"],
            **values,
        )
    except OSError as error:
        raise StorageError(f"cannot read embeddings at {stem}: {error.strerror}", cure=_CURE) from error
    except (ValueError, KeyError, TypeError, BadZipFile) as error:
        raise StorageError(f"the embeddings at {stem} are damaged ({error})", cure=_CURE) from error


def _check(about: Any, data: bytes, stem: Path | str) -> None:
    found = about.get("format") if isinstance(about, dict) else None
    if found != FORMAT_VERSION:
        raise StorageError(f"{stem}.json has format {found}", expected=f"format {FORMAT_VERSION}", cure=_CURE)
    if about.get("arrays") != _digest(data):
        raise StorageError(f"{stem}.npz and {stem}.json do not belong together", cause="a torn write", cure=_CURE)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
