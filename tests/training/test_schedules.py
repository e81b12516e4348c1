import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.training.run_config import ScheduleConfig
from seehear.training.schedules import rate_factor


def test_warmup_rises_in_equal_steps_to_the_peak():
    schedule = ScheduleConfig(kind="constant", warmup_steps=4)
    assert [rate_factor(schedule, s, 10, 0.0) for s in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_cosine_in_closed_form():
    schedule = ScheduleConfig(kind="cosine", warmup_steps=10, final_fraction=0.1)
    assert rate_factor(schedule, 10, 30, 0.0) == 1.0
    assert rate_factor(schedule, 20, 30, 0.0) == pytest.approx(0.55)  # half way
    assert rate_factor(schedule, 15, 30, 0.0) == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2)


def test_the_release_halves_at_epochs_10_15_20():
    schedule = ScheduleConfig(kind="step")
    factors = [rate_factor(schedule, 1, 100, epoch) for epoch in (0.0, 9.99, 10.0, 14.9, 15.0, 20.0, 24.0)]
    assert factors == [1, 1, 0.5, 0.5, 0.25, 0.125, 0.125]


@given(
    st.sampled_from(["cosine", "constant", "step"]),
    st.integers(0, 50),
    st.integers(51, 200),
    st.floats(0, 1),
    st.integers(0, 199),
    st.floats(0, 100),
)
def test_factors_stay_in_range_and_no_step_is_without_effect(kind, warmup, total, final, step, epoch):
    schedule = ScheduleConfig(kind=kind, warmup_steps=warmup, final_fraction=final)
    assert 0 < rate_factor(schedule, min(step, total - 1), total, epoch) <= 1


def test_warmup_takes_at_most_half_of_a_short_run():
    schedule = ScheduleConfig(kind="constant", warmup_steps=100)
    assert [rate_factor(schedule, step, 4, 0.0) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]
