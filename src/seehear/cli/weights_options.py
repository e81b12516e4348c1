"""Options of a layout's adapter as words of the command line."""

import json
from collections.abc import Iterable
from typing import Any

from seehear.errors import UsageError


def adapter_options(words: Iterable[str]) -> dict[str, Any]:
    """`name=value` words as keyword arguments; values are JSON where they can be read so, else texts.

    Raises:
        UsageError: if a word has no `=`.
    """
    result: dict[str, Any] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise UsageError(f"--option {word}", expected="name=value", cure="--option heads=12")
        try:
            result[name] = json.loads(value)
        except json.JSONDecodeError:
            result[name] = value
    return result
