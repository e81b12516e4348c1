"""Recipes: Python functions that return one typed run configuration each (`seehear.runs` carries it out).

Deriving a run is calling a recipe and replacing fields. Every recipe's docstring states the expected figure, the
hardware and the time, or that it was not run.
"""

from collections.abc import Callable

from seehear.configuration import unknown_name
from seehear.recipes.avsiam import avsiam_paper_base, avsiam_released_base, avsiam_small, avsiam_tiny
from seehear.training import RunConfig

RECIPES: dict[str, Callable[[], RunConfig]] = {
    "avsiam_tiny": avsiam_tiny,
    "avsiam_small": avsiam_small,
    "avsiam_paper_base": avsiam_paper_base,
    "avsiam_released_base": avsiam_released_base,
}


def get(name: str) -> RunConfig:
    """The run configuration of a recipe.

    Raises:
        UsageError: if there is no such recipe (the nearest name is given).
    """
    if name not in RECIPES:
        raise unknown_name(f"recipe {name!r}", name, RECIPES)
    return RECIPES[name]()
