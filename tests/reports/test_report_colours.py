"""Colours: readable text, classes told apart by people who see fewer colours, in both themes."""

import itertools
import re

import numpy as np
import pytest

from seehear.reports import palette, style

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_CONES = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                     [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
TO_OKLAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
THEMES = [(palette.LIGHT, palette.LIGHT_SURFACE), (palette.DARK, palette.DARK_SURFACE)]


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.2 contrast ratio."""
    levels = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (a, b))
    return levels[1] / levels[0]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize(("colours", "surface"), THEMES)
def test_classes_are_told_apart(colours, surface, sight):
    seen = [TO_OKLAB @ np.cbrt(TO_CONES @ (SIGHT[sight] @ linear(c)).clip(0, 1)) for c in colours]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 0.095


@pytest.mark.parametrize(("colours", "surface"), THEMES)
def test_markers_stand_out(colours, surface):
    assert min(contrast(colour, surface) for colour in colours) >= 3


@pytest.mark.parametrize("theme", [style.LIGHT_THEME, style.DARK_THEME])
def test_text_is_readable(theme):
    colours = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6});", theme))
    for text in ("ink", "soft", "sound", "picture", "accent", "good", "near", "bad"):
        for ground in ("paper", "card"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for ground in ("sunken", "sound-wash", "picture-wash"):
        assert contrast(colours["ink"], colours[ground]) >= 4.5
        assert contrast(colours["soft"], colours[ground]) >= 4.5


def test_every_class_of_the_sheet_has_balanced_braces_and_both_themes():
    assert style.STYLE.count("{") == style.STYLE.count("}")
    assert "prefers-color-scheme:dark" in style.STYLE
    assert "prefers-reduced-motion" in style.STYLE
    assert "@media print" in style.STYLE
    used = set(re.findall(r"var\(--([a-z0-9-]+)", style.STYLE))
    defined = set(re.findall(r"--([a-z0-9-]+):", style.STYLE))
    assert used - defined == {"p"}  # the script's progress of a sound
