"""Fine-tuning presets: the sheets' values, the length in steps, and names."""

import json
from dataclasses import replace

import pytest

from seehear import methods, recipes
from seehear.configuration import from_dict, to_dict
from seehear.errors import UsageError
from seehear.recipes import finetuning
from seehear.training import RunConfig
from seehear.training.schedules import rate_factor


@pytest.mark.parametrize("name", finetuning.FINE_TUNING)
def test_a_preset_makes_a_run_that_survives_json(name: str):
    encoder = replace(recipes.get("avsiam_paper_base").method, width=24, depth=1, heads=2)
    preset = finetuning.get(name)
    assert preset.name == name
    config = preset.run_config(encoder, ("a", "b", "c"), True, 20_000, "start")
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config
    assert config.training.steps == -(-20_000 * int(preset.epochs) // config.data.global_batch)
    assert config.method.encoder.inputs.spec_augment == (48, 192)
    method = methods.get("classifier")(config.method)
    assert config.data.global_batch % method.batch_multiple == 0
    text = finetuning.FINE_TUNING[name].__doc__ or ""
    assert "minutes" in text or "Not run by this project" in text


@pytest.mark.parametrize(
    ("name", "epoch", "factor"),
    [
        ("avsiam_as20k", 1.9, 1.0),
        ("avsiam_as20k", 2.0, 0.75),
        ("avsiam_as20k", 14.5, 0.75**13),
        ("avsiam_as2m", 5.5, 0.9),
        ("cav_mae_as20k", 5.0, 0.5),
        ("cav_mae_vggsound", 9.5, 0.5**8),
    ],
)
def test_rates_fall_at_the_end_of_every_epoch(name: str, epoch: float, factor: float):
    assert rate_factor(finetuning.get(name).schedule, 1, 10, epoch) == pytest.approx(factor)


def test_a_data_set_and_a_method_name_a_preset():
    assert finetuning.get("vggsound", "cav_mae").name == "cav_mae_vggsound"
    with pytest.raises(UsageError, match="avsiam_as20k"):
        finetuning.get("avsiam_as20")
    with pytest.raises(UsageError, match="'as2m' for mavil"):
        finetuning.get("as2m", "mavil")
