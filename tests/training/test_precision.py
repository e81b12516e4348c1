import pytest
import torch
from torch import nn

from seehear.training.precision import autocast, repeatable, uses_bf16

CPU = torch.device("cpu")


def trunk(width):
    with torch.device("meta"):
        return nn.Sequential(nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.Linear(width, 10_000))


@pytest.fixture
def processor(monkeypatch):
    """Tells which products of bf16 the processor has."""

    def has(tiles, vectors):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors)

    return has


@pytest.mark.parametrize(("tiles", "vectors", "least"), [(True, True, 128), (False, True, 768), (False, False, None)])
def test_bf16_pays_on_a_cpu_that_has_it_from_a_width_on(processor, tiles, vectors, least):
    processor(tiles, vectors)
    for width in (64, 128, 384, 768, 1024):
        assert uses_bf16("auto", CPU, trunk(width)) is (least is not None and width >= least)


@pytest.mark.parametrize("tiles", [True, False])
def test_what_is_asked_for_holds_on_every_processor(processor, tiles):
    processor(tiles, tiles)
    assert uses_bf16("bf16", CPU, trunk(64))
    assert not uses_bf16("fp32", CPU, trunk(1024))


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
