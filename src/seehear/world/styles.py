"""Render styles: the same scenes painted in other ways; what is seen and heard where stays as it is.

Legend: T frames, H W picture.
"""

STYLES = ("textured", "flat", "sketch", "night")
