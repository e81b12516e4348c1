"""torchvision's ResNet-18: read, a judge of objects, the start of EZ-VSL's picture tower, and no deeper network."""

from dataclasses import replace

import pytest
import torch

from seehear.errors import DataError, UsageError
from seehear.methods import oneavm
from seehear.methods.ez_vsl import Config, EzVsl
from seehear.methods.oneavm import OneAVM
from seehear.weights import from_released
from seehear.weights.released.resnet18 import ResNetEncoder
from seehear.weights.starting import start_from
from tests.weights.published import difference
from tests.weights.published_ez_vsl import Oracle, ez_vsl, resnet18


def _read(**options: int) -> ResNetEncoder:
    encoder = from_released("resnet18", resnet18(**options))
    assert isinstance(encoder, ResNetEncoder)
    return encoder


def test_its_places_and_objectness_are_the_published_networks() -> None:
    state, picture = resnet18(), torch.randn(1, 3, 64, 96)
    encoder, oracle = _read(), Oracle(state)
    expected = oracle.trunk(picture.double(), "")
    with torch.no_grad():
        tokens = encoder.forward_features(image=picture)["image"]
        by_size, by_class = (encoder.objectness(kind)(picture) for kind in ("L1", "CLS"))
    assert difference(tokens, expected.flatten(2).transpose(1, 2)) < 1e-5
    assert difference(by_size, expected.abs().mean(dim=1)) < 1e-5
    logits = torch.einsum("bchw,kc->bkhw", expected, oracle.state["fc.weight"]) + oracle.state["fc.bias"][:, None, None]
    assert difference(by_class, logits.softmax(dim=1).amax(dim=1)) < 1e-5


def test_a_file_without_classifier_judges_by_size_alone() -> None:
    encoder = _read(classes=0)
    assert list(encoder.reading.missing) == ["fc.*"]
    assert encoder.objectness().classifier is None
    with pytest.raises(UsageError, match="no classifier"):
        encoder.objectness("CLS")


def test_deeper_networks_and_other_inputs_are_refused() -> None:
    state = resnet18()
    more = {name.replace("layer1.1", "layer1.2"): value for name, value in state.items() if "layer1.1" in name}
    with pytest.raises(DataError, match="12 keys that change"):
        from_released("resnet18", state | more)
    with pytest.raises(UsageError, match="read an image alone"):
        _read().forward_features(spectrogram=torch.zeros(1, 1024, 128))


@pytest.mark.parametrize(("method_class", "config"), [(EzVsl, Config), (OneAVM, oneavm.Config)])
def test_a_picture_tower_starts_from_it(method_class, config) -> None:
    encoder = _read()
    with torch.device("meta"):
        small = method_class(replace(config(), towers="convnet"))
    with pytest.raises(UsageError, match="expected EZ-VSL or OneAVM with ResNet-18 towers"):
        start_from(small, encoder)
    method = method_class(config(width=8))
    before = {name: value.clone() for name, value in method.state_dict().items()}
    start_from(method, encoder)
    own = encoder.trunk.state_dict()
    for name, value in method.state_dict().items():
        inner = name.removeprefix("trunk.image.")
        assert torch.equal(value, before[name] if inner == name else own[inner]), name


def test_ez_vsl_goes_on_from_its_released_weights() -> None:
    encoder, method = from_released("ez-vsl", ez_vsl(width=8)), EzVsl(Config(width=8))
    start_from(method, encoder)
    assert all(torch.equal(value, encoder.method.state_dict()[name]) for name, value in method.state_dict().items())
