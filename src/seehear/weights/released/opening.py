"""Opening a file as an encoder, published or converted, whatever its layout."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from seehear.errors import DataError, UsageError
from seehear.weights.released.converted import is_converted, open_converted
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.files import Opened, open_file
from seehear.weights.released.layouts import LAYOUTS, from_released, guess
from seehear.weights.released.names import folded
from seehear.weights.released.state import unwrapped

NAMES_SHOWN = 8


def open_released(path: str | Path, layout: str | None = None, **options: Any) -> ReleasedEncoder:
    """The encoder of a published file, or of one that `seehear weights convert` wrote.

    Args:
        path: the file.
        layout: one of `LAYOUTS`; None: what the names of its tensors point to.
        options: of the layout's adapter.

    Raises:
        UsageError: if there is no such layout or option, or the file was converted with others.
        DataError: if the file cannot be used (see `open_file`, `from_released`), or no layout is known by its names.
        StorageError: if it cannot be read.
    """
    if is_converted(path):
        encoder = open_converted(path)
        if layout not in (None, encoder.layout) or any(encoder.options.get(k) != v for k, v in options.items()):
            raise UsageError(
                f"{path} was converted as {encoder.layout} with the options {encoder.options}",
                expected="no other layout or options",
                cure="seehear weights convert FILE OUT, from the published file",
            )
        return encoder
    opened = open_file(path)
    encoder = from_released(layout or known_layout(path, opened), opened.tensors, **options)
    encoder.reading = replace(encoder.reading, wrapper=opened.wrapper, left=opened.left)
    return encoder


def known_layout(path: str | Path, opened: Opened) -> str:
    """The layout that the names of a file's tensors point to.

    Raises:
        DataError: if they point to none that is read.
    """
    found = guess(opened.tensors)
    if found in LAYOUTS:
        return str(found)
    names = folded(unwrapped(opened.tensors))
    shown = ", ".join(names[:NAMES_SHOWN]) + (f" and {len(names) - NAMES_SHOWN} more" if names[NAMES_SHOWN:] else "")
    raise DataError(
        f"{path} is of the layout {found}, which is not read here" if found else f"{path} holds {shown}",
        expected=f"one of the layouts {', '.join(LAYOUTS)}",
        cause="" if found else "weights of another network",
    )
