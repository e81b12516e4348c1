"""EZ-VSL's released files: the published network step by step as oracle, names, wrappers, and the fate of every key."""

from pathlib import Path

import pytest
import torch

from seehear.errors import DataError, UsageError
from seehear.weights import from_released, load
from seehear.weights.released.converted import write_converted
from seehear.weights.released.opening import open_released
from tests.weights.published import difference
from tests.weights.published_ez_vsl import Oracle, ez_vsl


def _inputs(clips: int = 2, frames: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(11)
    spectrogram = -0.6 + 0.3 * torch.randn(clips, 1, 257, frames, generator=generator)
    return torch.randn(clips, 3, 224, 224, generator=generator), spectrogram


def _bare(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix("module."): value for name, value in state.items()}


@pytest.mark.parametrize(("seed", "width", "frames"), [(0, 512, 300), (1, 64, 100)])
def test_the_map_is_the_published_networks(seed: int, width: int, frames: int) -> None:
    state = ez_vsl(seed, width)
    encoder = from_released("ez-vsl", state)
    assert not encoder.training
    image, spectrogram = _inputs(1 + seed, frames)
    with torch.no_grad():
        found = encoder.localize(image, spectrogram)
    assert found.shape == (1 + seed, 7, 7)
    assert found.abs().max() <= 1 / 0.03 + 1e-3
    assert difference(found, Oracle(state).map(image, spectrogram)) < 1e-5


def test_parameters_are_counted_as_published() -> None:
    encoder = from_released("ez-vsl", ez_vsl())
    assert sum(p.numel() for p in encoder.parameters()) == 22_872_064


def test_names_may_be_wrapped_anywhere_and_the_state_too() -> None:
    state, (image, spectrogram) = ez_vsl(width=16), _inputs(1)
    plain = from_released("ez-vsl", _bare(state))
    training = {"model": state, "optimizer": {"lr": 1e-4}, "epoch": 7, "best_cIoU": 0.8, "best_Auc": 0.6}
    forms = {
        "once": state,
        "twice": {f"module.{name}": value for name, value in state.items()},
        "inside": {name.replace("net.", "net.module."): value for name, value in _bare(state).items()},
        "in a training state": training,
    }
    with torch.no_grad():
        expected = plain.localize(image, spectrogram)
        for form, given in forms.items():
            encoder = from_released("ez-vsl", given)  # type: ignore[arg-type]
            assert torch.equal(encoder.localize(image, spectrogram), expected), form
            assert encoder.reading.used == plain.reading.used, form
    assert (encoder.reading.wrapper, encoder.reading.left) == ("model", ("optimizer", "epoch", "best_cIoU", "best_Auc"))
    with pytest.raises(DataError, match="1 key with and without"):
        from_released("ez-vsl", state | {"imgnet.conv1.weight": state["module.imgnet.conv1.weight"]})


def test_the_norms_keep_what_they_counted_and_may_lack_it() -> None:
    state = ez_vsl(width=16)
    counts = {name for name in state if name.endswith("num_batches_tracked")}
    encoder = from_released("ez-vsl", state)
    assert {int(v) for n, v in encoder.state_dict().items() if n.endswith("num_batches_tracked")} == {4321}
    without = from_released("ez-vsl", {name: value for name, value in state.items() if name not in counts})
    assert set(without.reading.missing) == {name.removeprefix("module.") for name in counts}
    image, spectrogram = _inputs(1)
    with torch.no_grad():
        assert torch.equal(without.localize(image, spectrogram), encoder.localize(image, spectrogram))
    name = "module.imgnet.bn1.num_batches_tracked"
    with pytest.raises(DataError, match="expected one number"):
        from_released("ez-vsl", state | {name: torch.ones(2, dtype=torch.int64)})


def test_every_key_has_a_fate() -> None:
    state = ez_vsl(width=16) | {"module.odd.key": torch.ones(2)}
    reading = from_released("ez-vsl", state).reading
    assert sorted([*reading.used, *reading.unused]) == sorted(_bare(state))
    assert set(reading.unused) == {"odd.key"}
    lost = [name for name in state if ".layer3.0.downsample.0" in name or name.endswith("layer4.1.bn2.running_var")]
    assert len(lost) == 4
    with pytest.raises(DataError, match="4 keys of the ez-vsl layout missing") as caught:
        from_released("ez-vsl", {name: value for name, value in state.items() if name not in lost})
    assert "imgnet.layer3.0.downsample.0.weight" in str(caught.value)


def test_files_are_known_opened_and_converted(tmp_path: Path) -> None:
    state, (image, spectrogram) = ez_vsl(width=16), _inputs(1)
    torch.save({"model": state, "optimizer": {}, "epoch": 3}, path := tmp_path / "best.pth")
    encoder = open_released(path)
    assert (encoder.layout, encoder.reading.wrapper) == ("ez-vsl", "model")
    write_converted(encoder, out := tmp_path / "best.safetensors")
    again = open_released(out)
    with torch.no_grad():
        assert torch.equal(again.localize(image, spectrogram), encoder.localize(image, spectrogram))
    assert again.reading == encoder.reading
    assert load(f"ez-vsl:{path}").method.grids["image"] == (7, 7)


def test_other_inputs_and_calls_are_refused() -> None:
    encoder, (image, spectrogram) = from_released("ez-vsl", ez_vsl(width=16)), _inputs(1)
    with torch.no_grad():
        tokens = encoder.forward_features(spectrogram, image)
    assert {name: tuple(value.shape) for name, value in tokens.items()} == {"audio": (1, 90, 16), "image": (1, 49, 16)}
    for wrong in ((image[:, :, :200], spectrogram), (image, spectrogram[:, :, :256]), (image, spectrogram[:, 0])):
        with pytest.raises(UsageError, match="floating point"):
            encoder.localize(*wrong)
    with pytest.raises(UsageError, match="neither"):
        encoder.forward_features()
    with pytest.raises(UsageError, match="no class heads"):
        encoder.classify(image=image)
