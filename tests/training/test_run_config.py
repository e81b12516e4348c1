import dataclasses
import json

import pytest

from seehear.configuration import from_dict, to_dict
from seehear.errors import UsageError
from seehear.training import DataConfig, EvaluationConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig
from tests.training.stubs import TwoTowers, register_stub, stub_config

OUT_OF_RANGE = [
    (DataConfig, "data", "global_batch", 0),
    (DataConfig, "data", "threads", -1),
    (DataConfig, "data", "prefetch", 0),
    (OptimizerConfig, "optimizer", "learning_rate", 0.0),
    (OptimizerConfig, "optimizer", "betas", (0.9, 1.0)),
    (OptimizerConfig, "optimizer", "weight_decay", -0.1),
    (OptimizerConfig, "optimizer", "eps", 0.0),
    (ScheduleConfig, "schedule", "warmup_steps", -1),
    (ScheduleConfig, "schedule", "final_fraction", 1.5),
    (ScheduleConfig, "schedule", "step_epochs", (10, 5)),
    (ScheduleConfig, "schedule", "step_factor", 0.0),
    (TrainingConfig, "training", "steps", 0),
    (TrainingConfig, "training", "seed", 2**63),
    (TrainingConfig, "training", "accumulate", 0),
    (TrainingConfig, "training", "gradient_cache_chunk", 0),
    (TrainingConfig, "training", "log_every", 0),
    (TrainingConfig, "training", "checkpoint_every", 0),
    (TrainingConfig, "training", "keep_checkpoints", 0),
    (TrainingConfig, "training", "evaluate_every", -1),
    (TrainingConfig, "training", "gradient_clip", 0.0),
    (TrainingConfig, "training", "non_finite_limit", 0),
    (TrainingConfig, "training", "grace_seconds", 0.0),
    (TrainingConfig, "training", "threads", 0),
    (EvaluationConfig, "evaluation", "gallery", 1),
    (EvaluationConfig, "evaluation", "galleries", 0),
    (EvaluationConfig, "evaluation", "batch", 0),
]


@pytest.mark.parametrize(("kind", "section", "field", "value"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused_by_its_field(kind, section, field, value):
    with pytest.raises(UsageError, match=rf"{section}\.{field} is .*expected"):
        kind(**{field: value})


def test_accumulated_pieces_and_cached_gradients_exclude_each_other():
    with pytest.raises(UsageError, match=r"training\.accumulate is 2; expected 1 beside a gradient cache"):
        TrainingConfig(accumulate=2, gradient_cache_chunk=8)


def test_every_field_is_documented():
    for kind in (DataConfig, OptimizerConfig, ScheduleConfig, TrainingConfig, EvaluationConfig, RunConfig):
        for field in dataclasses.fields(kind):
            assert f"        {field.name}: " in kind.__doc__, f"{kind.__name__}.{field.name}"


def test_a_configuration_survives_json():
    register_stub()
    config = stub_config(
        method=TwoTowers.Config(width=7), schedule=ScheduleConfig(kind="step", step_epochs=(3, 4)), gradient_clip=1.0
    )
    assert from_dict(RunConfig, json.loads(json.dumps(to_dict(config)))) == config


def test_an_unknown_method_is_named_with_the_nearest():
    values = to_dict(stub_config()) | {"method": {"method": "avsiamm"}}
    with pytest.raises(UsageError, match=r"unknown method 'avsiamm'.*try: avsiam"):
        from_dict(RunConfig, values)


def test_a_methods_mistyped_key_names_the_nearest():
    values = to_dict(stub_config()) | {"method": {"method": "avsiam", "widht": 3}}
    with pytest.raises(UsageError, match=r"'method\.widht'.*try: width"):
        from_dict(RunConfig, values)


def test_a_mistyped_key_names_the_nearest():
    values = to_dict(stub_config())
    values["training"]["step"] = values["training"].pop("steps")
    with pytest.raises(UsageError, match=r"'training\.step'.*try: steps$"):
        from_dict(RunConfig, values)
