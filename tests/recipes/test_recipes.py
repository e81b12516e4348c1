"""Recipes: each builds, is written and read back, and says what it is."""

import json

import pytest
import torch

from seehear import methods, recipes
from seehear.configuration import from_dict, to_dict
from seehear.errors import UsageError
from seehear.training import RunConfig


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_a_recipe_builds_its_method_and_survives_json(name: str):
    config = recipes.get(name)
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config
    assert config.name == name
    with torch.device("meta"):
        method = methods.get(config.method.method)(config.method)
    assert config.data.global_batch % method.batch_multiple == 0
    assert method.needs.audio is not None
    assert method.needs.frames is not None


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_states_what_to_expect(name: str):
    text = " ".join(recipes.RECIPES[name].__doc__.split())
    assert any(word in text for word in ("minutes", "hours", "Not run by this project")), text


def test_the_released_preset_has_the_sheets_parameters():
    """248.0 M unique parameters, less the parts that the release holds and never trains or uses."""
    config = recipes.get("avsiam_released_base")
    with torch.device("meta"):
        method = methods.get("avsiam")(config.method)
    counted = sum(p.numel() for p in method.parameters())
    heads = 2 * (21_843 * 768 + 21_843)  # 21 k-class heads of both trunks
    second_embeddings = 768 * 768 + 768 + 256 * 768 + 768 + 196 * 768 + 768 + 512 * 768 + 768  # of the audio trunk
    untrained_copies = 768 * 768 + 768 + 256 * 768 + 768
    unused_norms = 12 * 2 * 2 * 768 * 3 + 2 * 2 * 2 * 768 * 2 + 8 * 2 * 2 * 512 * 2 + 2 * 768
    class_slots = 2 * (768 + 768)
    assert counted + heads + second_embeddings + untrained_copies + unused_norms + class_slots == pytest.approx(
        248.0e6, rel=0.002
    )


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(UsageError, match="avsiam_tiny"):
        recipes.get("avsiam_tinny")
