"""One clip as a tile: its picture with a button to hear it, or the outline of its sound to press."""

from typing import Literal

from seehear.reports.markup import Markup, element, name_of
from seehear.reports.page import Example
from seehear.reports.pictures import photograph
from seehear.reports.sounds import Shelf, loudest, outline

Face = Literal["picture", "sound"]
PLAY = Markup(
    '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">'
    '<path class="go" d="M5 3.2v9.6l7.6-4.8z"/><path class="halt" d="M4.5 4h2.6v8H4.5zM8.9 4h2.6v8H8.9z"/></svg>'
)


def tile(example: Example, shelf: Shelf, face: Face = "picture") -> Markup:
    """The clip as a square: `face` says whether its picture or its sound is what one sees first.

    Behind a sound's outline stands a small picture of the clip, if there is one.
    """
    key = shelf.key(example.waveform)
    if face == "sound":
        return _sound(example, shelf, key)
    button = _button(example, key, "play") if key else None
    return element("div", _picture(example), button, class_="tile picture")


def described(example: Example) -> str:
    """A clip in words: its class and its name, as far as known."""
    return ", ".join(part for part in (example.label, example.name) if part) or "a clip"


def caption(example: Example) -> Markup:
    """Class (or else the file's name) below a tile."""
    return element(
        "span", name_of(example.label or example.name or "no label"), class_="label", title=described(example)
    )


def _sound(example: Example, shelf: Shelf, key: str | None) -> Markup:
    if example.waveform is None or not len(example.waveform):
        return element("div", _picture(example), class_="tile picture")
    path = element("path", d=outline(loudest(example.waveform, shelf.seconds)))
    wave = element("svg", path, viewBox="0 0 88 40", preserveAspectRatio="none", class_="wave", aria_hidden="true")
    inset = _picture(example, "inset") if example.thumbnail is not None else None
    body = _button(example, key, "play whole", wave) if key else wave
    return element("div", body, inset, class_="tile sound")


def _picture(example: Example, class_: str | None = None) -> Markup:
    if example.thumbnail is None:
        return element("span", "no picture", class_="nothing")
    height, width = example.thumbnail.shape[:2]
    alt = f"Picture of {described(example)}"
    return element("img", src=photograph(example.thumbnail), alt=alt, width=width, height=height, class_=class_)


def _button(example: Example, key: str | None, class_: str, content: Markup | None = None) -> Markup:
    label = f"Play the sound of {described(example)}"
    return element("button", content, PLAY, type="button", class_=class_, data_sound=key, aria_label=label)
