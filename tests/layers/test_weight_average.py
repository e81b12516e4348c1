"""The mean of weights at epoch ends: equal to one by hand, whatever the ratio of steps and epochs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from seehear.contracts import Progress
from seehear.errors import UsageError
from seehear.layers.weight_average import WeightAverage, ends_in_span


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(0, 6))
def test_epoch_ends_are_those_that_counting_finds(clips, batch, first, more):
    counted = 0
    for step in range(1, 60):
        before, after = (step - 1) * batch // clips, step * batch // clips  # epochs ended, in whole numbers
        counted += any(first <= epoch <= first + more for epoch in range(before + 1, after + 1))
        assert ends_in_span(step, batch / clips, (first, first + more)) == counted


def test_the_mean_is_that_by_hand():
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    average = WeightAverage(network, (2, 4))
    with pytest.raises(UsageError, match="no epoch from 2 to 4 has ended"):
        average.apply_to(network)
    taken = []
    for step in range(1, 16):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += torch.randn_like(parameter)
        average.update(network, Progress(step, 15, step * 10 / 30))
        if step in (6, 9, 12):  # epochs 2, 3 and 4 of three steps each
            taken.append([p.detach().clone() for p in network.parameters()])
    assert int(average.taken) == 3
    average.apply_to(network)
    for place, parameter in enumerate(network.parameters()):
        torch.testing.assert_close(parameter.detach(), torch.stack([each[place] for each in taken]).mean(dim=0))


def test_what_is_not_trained_is_not_averaged():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    network[0].requires_grad_(False)
    average = WeightAverage(network, (1, 1))
    assert average.names == ["1.weight", "1.bias"]
    assert not any(p.requires_grad for p in average.parameters())
    assert sorted(average.state_dict()) == ["mean.1:bias", "mean.1:weight", "taken"]


@pytest.mark.parametrize("span", [(0, 3), (4, 3), (-1, 2), (math.inf, 1)])
def test_an_impossible_span_is_refused(span):
    with pytest.raises(UsageError, match="average_epochs"):
        WeightAverage(nn.Linear(1, 1), span)
