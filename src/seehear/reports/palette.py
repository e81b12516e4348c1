"""Colours: twenty classes told apart by colour and shape, two modalities, light and dark.

The ten class colours of each theme were found by simulated annealing from hand-picked hues: the smallest OKLab
distance between any two, over normal sight and simulated deuteranopia, protanopia and tritanopia (Machado et al.,
2009), was maximised at a contrast of at least 3:1 with the surface; both are tested. Classes 10 to 19 repeat the
colours with a hole in the marker; further ones share grey.
"""

LIGHT = (
    "#594ff0", "#fb4305", "#2c6350", "#88389e", "#520d2e", "#659060", "#0e186a", "#e364ae", "#2a98eb", "#4b4001"
)  # fmt: skip
DARK = (
    "#6d93fc", "#f5af02", "#32dd9b", "#cc69b1", "#c6255a", "#f5ff70", "#7950d7", "#ddbffd", "#a3ffda", "#9a9a60"
)  # fmt: skip
LIGHT_SURFACE, DARK_SURFACE = "#ffffff", "#1a1c20"
CLASSES = 2 * len(LIGHT)


def class_style(index: int) -> str:
    """CSS classes of the marker of class `index`: its colour, and `holed` for the second ten; -1 or 20 on: grey."""
    if not 0 <= index < CLASSES:
        return "c-none"
    return f"c{index % len(LIGHT)}" + (" holed" if index >= len(LIGHT) else "")


def variables(colours: tuple[str, ...]) -> str:
    """The colours as CSS custom properties."""
    return "".join(f"--c{index}:{colour};" for index, colour in enumerate(colours))
