import pytest
import torch
from torch import nn

from seehear.training.precision import autocast, repeatable, uses_bf16

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("precision", "width", "expected"),
    [("auto", 64, False), ("auto", 768, True), ("fp32", 768, False), ("bf16", 64, True)],
)
def test_bf16_pays_on_cpu_from_vit_base_width_up(precision, width, expected):
    with torch.device("meta"):
        trunk = nn.Sequential(nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.Linear(width, 10_000))
    assert uses_bf16(precision, CPU, trunk) is expected


def test_a_double_method_stays_double_by_default():
    assert not uses_bf16("auto", CPU, nn.Linear(768, 768, dtype=torch.float64))


def test_autocast_multiplies_in_bf16_only_when_asked():
    layer, rows = nn.Linear(4, 4), torch.ones(2, 4)
    for bf16, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        with autocast(bf16, CPU):
            assert layer(rows).dtype == dtype


def test_threads_are_set_for_the_run_and_put_back():
    before = torch.get_num_threads()
    with repeatable(CPU, deterministic=True, threads=before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
