"""Two trunks with fusion tokens: where information flows, layer by layer."""

import pytest
import torch

from seehear.backbones.early_fusion import EarlyFusion, FusionConfig
from seehear.errors import UsageError
from seehear.layers.packing import Group, whole

GRIDS, PATCH, D, DEPTH = {"audio": (2, 3), "image": (2, 2)}, 4, 16, 3
SMALL = {"tokens": 2, "visual": 2, "sound": 1}


def _network(**fusion):
    torch.manual_seed(0)
    network = EarlyFusion(
        GRIDS, {"audio": 1, "image": 3}, PATCH, D, DEPTH, 2, FusionConfig(**SMALL, ratio=1.0, **fusion)
    ).double()
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return network


def _patches():
    torch.manual_seed(1)
    return [torch.randn(2, n, v, dtype=torch.float64, requires_grad=True) for n, v in ((6, 16), (4, 48))]


def _run(network, audio, image, with_layers=False):
    return network(whole("audio", audio), whole("image", image), with_layers)


def _flows(output, inputs):
    """Whether anything of each input reaches the output."""
    grads = torch.autograd.grad(output.square().sum(), inputs, allow_unused=True, retain_graph=True)
    return tuple(g is not None and g.abs().max().item() > 0 for g in grads)


@pytest.mark.parametrize("kind", ["factorized", "dense", "token"])
def test_with_fusion_everything_sees_both(kind):
    audio, image = _patches()
    found = _run(_network(kind=kind), audio, image)
    assert found.image.shape == (2, 4, D)
    assert found.audio.shape == (2, 6, D)
    assert found.fusion.shape == (2, 5, D)
    for output in (found.image, found.audio, found.fusion):
        assert _flows(output, (audio, image)) == (True, True)


def test_without_fusion_each_trunk_is_alone_and_the_tokens_see_nothing():
    audio, image = _patches()
    found = _run(_network(layers="none"), audio, image)
    assert _flows(found.audio, (audio, image)) == (True, False)
    assert _flows(found.image, (audio, image)) == (False, True)
    assert _flows(found.fusion, (audio, image)) == (False, False)


def test_what_one_layer_fuses_reaches_the_trunks_one_layer_later():
    audio, image = _patches()
    for layers, crosses in (((2,), False), ((0,), False), ((0, 1), True), ((1, 2), True)):
        found = _run(_network(layers=layers), audio, image)
        assert _flows(found.audio, (audio, image)) == (True, crosses), layers
        assert _flows(found.fusion, (audio, image)) == (True, True), layers


def test_all_three_streams_of_a_layer_start_from_the_layer_before():
    audio, image = _patches()
    layers = _run(_network(), audio, image, with_layers=True).layers
    assert {name: len(each) for name, each in layers.items()} == {"audio": 3, "image": 3, "fusion": 3}
    assert _flows(layers["audio"][0], (audio, image)) == (True, False)
    assert _flows(layers["image"][0], (audio, image)) == (False, True)
    assert _flows(layers["fusion"][0], (audio, image)) == (True, True)
    assert _flows(layers["audio"][1], (audio, image)) == (True, True)


def test_hidden_patches_cost_and_give_nothing():
    audio, image = _patches()
    seen = torch.tensor([[3, 0], [1, 2]])
    rows = torch.arange(2)[:, None]
    found = _network()(whole("audio", audio), Group("image", image[rows, seen], seen))
    grad = torch.autograd.grad(found.fusion.square().sum(), image)[0]
    shown = torch.zeros(2, 4, dtype=torch.bool).scatter(1, seen, True)
    assert found.image.shape == (2, 2, D)
    assert (grad[~shown] == 0).all()
    assert (grad[shown].abs().amax(dim=-1) > 0).all()


def test_every_parameter_learns_but_the_fixed_positions():
    network, (audio, image) = _network(), _patches()
    found = _run(network, audio, image)
    torch.stack([t.square().sum() for t in (found.audio, found.image, found.fusion)]).sum().backward()
    without = {n for n, p in network.named_parameters() if p.grad is None}
    assert without == {"positions.audio", "positions.image"}


@pytest.mark.parametrize(("fusion", "match"), [({"layers": (3,)}, "from 0 to 2"), ({"layers": (1, 1)}, "each once")])
def test_layers_that_are_not_there_are_refused(fusion, match):
    with pytest.raises(UsageError, match=match):
        _network(**fusion)


@pytest.mark.parametrize("values", [{"tokens": 0}, {"sound": 0}, {"ratio": 0.0}, {"mlp_ratio": -1.0}])
def test_sizes_that_make_no_sense_are_refused(values):
    with pytest.raises(UsageError, match=f"fusion.{next(iter(values))}"):
        FusionConfig(**values)
