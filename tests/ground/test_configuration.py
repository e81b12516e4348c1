"""Recipes as JSON: every value that is allowed goes there and back, every other one is an error that cures."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.configuration import fingerprint, from_dict, to_dict, unknown_name
from seehear.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Optimizer:
    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)


@dataclasses.dataclass(frozen=True)
class Cosine:
    warmup_steps: int = 10


@dataclasses.dataclass(frozen=True)
class Constant:
    factor: float = 1.0


@dataclasses.dataclass(frozen=True)
class Run:
    steps: int
    optimizer: Optimizer = Optimizer()
    schedule: Cosine | Constant = Cosine()
    mode: Literal["fast", "exact"] = "fast"
    ratios: tuple[float, ...] = (0.1, 0.5)
    stages: tuple[Optimizer, ...] = ()
    grids: tuple[tuple[int, int], ...] = ((2, 3),)
    names: list[str] = dataclasses.field(default_factory=list)
    weights: dict[str, float] = dataclasses.field(default_factory=dict)
    limit: float | None = None
    folder: Path = Path("runs")
    resume: bool = False


floats = st.floats(allow_nan=False, allow_infinity=False)
optimizers = st.builds(Optimizer, floats, st.tuples(floats, floats))
runs = st.builds(
    Run,
    steps=st.integers(0, 10**9),
    optimizer=optimizers,
    schedule=st.one_of(st.builds(Cosine, st.integers(0, 99)), st.builds(Constant, floats)),
    mode=st.sampled_from(["fast", "exact"]),
    ratios=st.lists(floats, max_size=4).map(tuple),
    stages=st.lists(optimizers, max_size=2).map(tuple),
    grids=st.lists(st.tuples(st.integers(), st.integers()), max_size=3).map(tuple),
    names=st.lists(st.text(max_size=5), max_size=3),
    weights=st.dictionaries(st.text(max_size=5), floats, max_size=3),
    limit=st.none() | floats,
    folder=st.sampled_from([Path("a/b"), Path("c")]),
    resume=st.booleans(),
)


@given(runs)
def test_a_configuration_survives_json(run: Run) -> None:
    assert from_dict(Run, json.loads(json.dumps(to_dict(run)))) == run


def test_whole_numbers_pass_for_floats() -> None:
    run = from_dict(Run, {"steps": 1, "optimizer": {"learning_rate": 1}, "limit": 2})
    assert isinstance(run.optimizer.learning_rate, float)
    assert isinstance(run.limit, float)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stepz": 3}, ("'stepz'", "steps")),
        ({"optimizer": {"learning_rat": 1.0}}, ("'optimizer.learning_rat'", "try: learning_rate")),
        ({"stages": [{}, {"beta": [1, 2]}]}, ("'stages[1].beta'", "try: betas")),
        ({"schedule": {"factr": 1.0}}, ("'schedule.factr'", "try: factor")),
        ({"mode": "exakt"}, ("'exakt'", "mode", "try: exact")),
        ({"steps": "many"}, ("steps is 'many'", "type int")),
        ({"steps": 1.5}, ("steps is 1.5", "type int")),
        ({"steps": True}, ("steps is True", "type int")),
        ({"steps": None}, ("steps is None", "type int")),
        ({"resume": 1}, ("resume is 1", "type bool")),
        ({"optimizer": {"learning_rate": "1e-3"}}, ("optimizer.learning_rate is '1e-3'", "type float")),
        ({"optimizer": {"learning_rate": True}}, ("optimizer.learning_rate is True", "type float")),
        ({"optimizer": 3}, ("optimizer is 3", "an object")),
        ({"optimizer": {"betas": [0.9]}}, ("optimizer.betas is [0.9]", "2 values")),
        ({"optimizer": {"betas": [1, 2, 3]}}, ("optimizer.betas", "2 values")),
        ({"ratios": 0.5}, ("ratios is 0.5", "a list")),
        ({"ratios": "0.5"}, ("ratios is '0.5'", "a list")),
        ({"ratios": [0.5, "x"]}, ("ratios[1] is 'x'", "type float")),
        ({"grids": [[1, 2], [3, "x"]]}, ("grids[1][1] is 'x'", "type int")),
        ({"names": [1]}, ("names[0] is 1", "type str")),
        ({"weights": []}, ("weights is []", "an object")),
        ({"weights": {"a": "b"}}, ("weights.a is 'b'", "type float")),
        ({"folder": 3}, ("folder is 3", "type Path")),
        ({"limit": "none"}, ("limit is 'none'", "type float")),
    ],
)
def test_a_mistake_is_named_with_its_cure(change: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        from_dict(Run, {"steps": 1, **change})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UsageError, match="'steps' is missing"):
        from_dict(Run, {})


@pytest.mark.parametrize("values", [[], "steps", 3, None])
def test_only_an_object_is_a_configuration(values: Any) -> None:
    with pytest.raises(UsageError, match=r"the configuration is .* expected an object"):
        from_dict(Run, values)


def test_every_key_of_a_run_is_guarded_against_a_typing_slip() -> None:
    for name in [f.name for f in dataclasses.fields(Run)]:
        with pytest.raises(UsageError, match=f"try: {name}$"):
            from_dict(Run, {"steps": 1, name + "x": 1})


def test_the_nearest_name_is_left_out_where_none_is_near() -> None:
    assert unknown_name("thing 'zzz'", "zzz", ["alpha", "beta"]).cure == ""
    assert unknown_name("thing 'bta'", "bta", ["alpha", "beta"]).cure == "beta"


def test_equal_configurations_have_equal_fingerprints() -> None:
    same = {fingerprint(Run(3)), fingerprint(from_dict(Run, to_dict(Run(3)))), fingerprint(to_dict(Run(3)))}
    assert len(same) == 1


@given(runs, runs)
def test_different_configurations_have_different_fingerprints(one: Run, other: Run) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (json.dumps(to_dict(one)) == json.dumps(to_dict(other)))
