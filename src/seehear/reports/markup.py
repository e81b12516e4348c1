"""HTML by construction: a plain string is always escaped, only `Markup` is taken as it is."""

import base64
import html
import re
from collections.abc import Iterable

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"br", "img", "link", "meta"})


class Markup(str):
    """HTML that is safe already."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Text as HTML: escaped, and with what HTML cannot hold (control characters, lone surrogates) shown as U+FFFD."""
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", str(text)), quote=True))


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Parts one after the other; those that are not `Markup` are escaped."""
    return Markup(between.join(part if isinstance(part, Markup) else escape(part) for part in parts))


def element(tag: str, /, *children: object, **attributes: object) -> Markup:
    """`<tag attributes>children</tag>`.

    An attribute's trailing underscore is dropped and others become hyphens (`class_`, `aria_label`). True writes the
    bare name; None, False and "" for `class_` leave it out. A child that is None is left out.
    """
    written = []
    for key, value in attributes.items():
        if value is None or value is False or (key == "class_" and not value):
            continue
        key = key.rstrip("_").replace("_", "-")
        written.append(f" {key}" if value is True else f' {key}="{escape(value)}"')
    opening = f"<{tag}{''.join(written)}>"
    if tag in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{join(child for child in children if child is not None)}</{tag}>")


def name_of(text: str) -> Markup:
    """A user's text (a file name, a label) whose writing direction cannot disturb what stands around it."""
    return element("bdi", text)


def data_uri(media_type: str, content: bytes) -> str:
    """Bytes as an address that needs no network."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
