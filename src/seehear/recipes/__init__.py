"""Recipes: Python functions that return one typed run configuration each (`seehear.runs` carries it out).

Deriving a run is calling a recipe and replacing fields. Every recipe's docstring states the expected figure, the
hardware and the time, or that it was not run.
"""

from collections.abc import Callable

from seehear.configuration import unknown_name
from seehear.recipes import avsiam, cav_mae, deepavfusion, ez_vsl, mavil, oneavm
from seehear.training import RunConfig

RECIPES: dict[str, Callable[[], RunConfig]] = {
    recipe.__name__: recipe
    for recipe in (
        avsiam.avsiam_tiny,
        avsiam.avsiam_small,
        avsiam.avsiam_paper_tiny,
        avsiam.avsiam_paper_small,
        avsiam.avsiam_paper_base,
        avsiam.avsiam_paper_large,
        avsiam.avsiam_paper_huge,
        avsiam.avsiam_released_base,
        avsiam.avsiam_released_large,
        avsiam.avsiam_released_huge,
        cav_mae.cav_mae_tiny,
        cav_mae.cav_mae_paper_base,
        cav_mae.cav_mae_paper_scale_plus,
        cav_mae.cav_mae_paper_scale_plus_plus,
        deepavfusion.deepavfusion_tiny,
        deepavfusion.deepavfusion_paper_vggsound,
        deepavfusion.deepavfusion_paper_audioset,
        mavil.mavil_tiny,
        mavil.mavil_paper_base,
        mavil.mavil_paper_base_stage2,
        oneavm.oneavm_tiny,
        oneavm.oneavm_paper,
        ez_vsl.ez_vsl_tiny,
        ez_vsl.ez_vsl_tiny_vit,
        ez_vsl.ez_vsl_paper_10k,
        ez_vsl.ez_vsl_paper_144k,
        ez_vsl.ez_vsl_paper_full,
    )
}


def get(name: str) -> RunConfig:
    """The run configuration of a recipe.

    Raises:
        UsageError: if there is no such recipe (the nearest name is given).
    """
    if name not in RECIPES:
        raise unknown_name(f"recipe {name!r}", name, RECIPES)
    return RECIPES[name]()
