"""Files of weights: every kind that is read, everything that is refused and why, and what conversion keeps."""

import argparse
import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from seehear.errors import DataError, StorageError, UsageError
from seehear.weights import from_released, open_converted, open_released, open_weights, write_converted
from seehear.weights.released.files import open_file
from tests.weights import published
from tests.weights.published_vits import made, tiny


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return made({"a.weight": (3, 4), "a.bias": (3,)})


def same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in theirs)


class Harmful:
    """Makes a file where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("open('harmed', 'w').close()",))


# ------------------------------------------------------------------------------------------------- what is read
@pytest.mark.parametrize("suffix", ["pth", "pt", "bin", "PTH"])
@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_save_new_and_old(suffix: str, zipped: bool, tmp_path: Path, state: dict[str, torch.Tensor]):
    torch.save(state, path := tmp_path / f"x.{suffix}", _use_new_zipfile_serialization=zipped)
    assert same(open_weights(path), state)


def test_safetensors(tmp_path: Path, state: dict[str, torch.Tensor]):
    save_file(state, path := tmp_path / "x.safetensors")
    assert same(open_weights(str(path)), state)


@pytest.mark.parametrize("wrapper", ["model", "state_dict", "model_state", "model_state_dict"])
def test_weights_in_a_training_state_are_taken_out_and_the_rest_is_named(
    wrapper: str, tmp_path: Path, state: dict[str, torch.Tensor]
):
    options = argparse.Namespace(lr=1e-3, input_size=224)
    torch.save({wrapper: state, "epoch": 20, "optimizer": {"lr": 1.0}, "args": options}, path := tmp_path / "x.pth")
    opened = open_file(path)
    assert same(opened.tensors, state)
    assert (opened.wrapper, opened.left) == (wrapper, ("epoch", "optimizer", "args"))


def test_an_encoder_says_what_its_file_was_wrapped_in(tmp_path: Path):
    torch.save({"model": tiny(), "epoch": 3}, path := tmp_path / "x.pth")
    encoder = open_released(path, "mae")
    assert (encoder.reading.wrapper, encoder.reading.left) == ("model", ("epoch",))
    assert any("'model'" in line and "epoch" in line for line in encoder.reading.lines())


# ------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>Dropbox</body></html>", "web page"),
        (b"\n\n<html lang='en'>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 402653184\n", r"LFS pointer.*402653184"),
    ],
)
def test_what_is_no_file_of_weights(name: str, content: bytes, says: str, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=says):
        open_weights(tmp_path / name)


@pytest.mark.parametrize("kind", ["zipped", "old", "safetensors"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9, 0.999])
def test_half_a_download(kind: str, share: float, tmp_path: Path):
    state = made({f"part.{n}.weight": (64, 64) for n in range(8)})
    path = tmp_path / ("x.safetensors" if kind == "safetensors" else "x.pth")
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zipped")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=r"half of a download|safetensors header"):
        open_weights(path)


@given(noise=st.binary(min_size=1, max_size=200), place=st.integers(0, 400))
def test_damage_never_ends_in_a_bug(noise: bytes, place: int, tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("noise") / "x.pth"
    torch.save({"a": torch.ones(3)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    with contextlib.suppress(DataError):
        open_weights(path)


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a.weight": torch.ones(2), "b": Harmful()}, tmp_path / "x.pth")
    (tmp_path / "y.pth").write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(DataError, match=r"holds exec beside tensors"):
        open_weights("x.pth")
    with pytest.raises(DataError, match="cannot be unpickled"):
        open_weights("y.pth")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"a": torch.ones(2), "lr": 0.1}, "'lr' is of type float"),
        ({"net": {"a": torch.ones(2)}}, "'net' is of type dict"),
        ({1: torch.ones(2)}, "1 is of type Tensor"),
        ({"model": {"a": torch.ones(2), "b": [1]}}, "'b' is of type list"),
        ({}, "no tensors"),
        ({"model": {}}, "no tensors"),
        (torch.ones(2), "holds a Tensor"),
        ([torch.ones(2)], "holds a list"),
        (argparse.Namespace(a=1), "holds a Namespace"),
        (torch.nn.Linear(2, 2), "Linear beside tensors"),
    ],
)
def test_anything_but_tensors(content: object, says: str, tmp_path: Path):
    torch.save(content, path := tmp_path / "x.pth")
    with pytest.raises(DataError, match=says):
        open_weights(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_weights_that_are_no_numbers(suffix: str, value: float, tmp_path: Path, state: dict[str, torch.Tensor]):
    state["a.bias"][1] = value
    path = tmp_path / f"x.{suffix}"
    save_file(state, path) if suffix == "safetensors" else torch.save(state, path)
    with pytest.raises(DataError, match="1 of 2 tensors hold NaN or infinities, the first is a"):
        open_weights(path)


def test_an_unknown_suffix_and_a_missing_file(tmp_path: Path):
    (tmp_path / "x.onnx").write_bytes(b"abc")
    with pytest.raises(DataError, match=r"\.onnx.*\.safetensors"):
        open_weights(tmp_path / "x.onnx")
    with pytest.raises(StorageError, match="could not be read"):
        open_weights(tmp_path / "none.pth")
    with pytest.raises(StorageError, match="could not be read"):
        open_weights(tmp_path)


def test_tensors_of_no_known_network(tmp_path: Path, state: dict[str, torch.Tensor]):
    torch.save(state, path := tmp_path / "x.pth")
    with pytest.raises(DataError, match=r"a\.weight, a\.bias.*one of the layouts avsiam"):
        open_released(path)
    torch.save(tiny() | {"blocks_av.0.norm1.weight": torch.ones(2)}, path)
    with pytest.raises(DataError, match="layout mavil, which is not read"):
        open_released(path)


# ------------------------------------------------------------------------------------------------- conversion
def test_a_converted_file_gives_the_same_bits(tmp_path: Path):
    torch.save({"model": tiny(places=10) | {"strange": torch.ones(2)}}, tmp_path / "x.pth")
    encoder = open_released(tmp_path / "x.pth", heads=4, image_size=64, statistics="imagenet")
    write_converted(encoder, out := tmp_path / "y.safetensors")
    again = open_converted(out)
    picture = torch.randn(1, 3, 64, 64)
    assert torch.equal(again.forward_features(image=picture)["image"], encoder.forward_features(image=picture)["image"])
    assert again.state_dict().keys() == encoder.state_dict().keys()
    assert (again.reading, again.preprocessing) == (encoder.reading, encoder.preprocessing)
    assert (again.options, again.layout, again.training) == (encoder.options, "vit-timm", False)


@pytest.mark.parametrize(
    ("layout", "make"),
    [
        ("avsiam", published.avsiam),
        ("avsiam", lambda: published.avsiam(whole=False)),
        ("avsiam-finetuned", published.avsiam_finetuned),
        ("cav-mae", published.cav_mae),
        ("cav-mae-finetuned", lambda: published.cav_mae(classes=5)),
    ],
)
def test_every_layout_converts(layout: str, make: Callable[[], dict[str, torch.Tensor]], tmp_path: Path):
    encoder = from_released(layout, make(), heads=1)
    write_converted(encoder, out := tmp_path / "y.safetensors")
    again = open_released(out)
    assert same(again.state_dict(), encoder.state_dict())
    assert again.reading == encoder.reading
    inputs = {"spectrogram": torch.randn(1, 1024, 128), "image": torch.randn(1, 3, 48, 48)}
    ours, theirs = again.forward_features(**inputs), encoder.forward_features(**inputs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ("audio", "image"))


def test_a_changed_file_is_refused(tmp_path: Path):
    write_converted(from_released("mae", tiny()), out := tmp_path / "y.safetensors")
    whole = bytearray(out.read_bytes())
    whole[-5] ^= 1
    out.write_bytes(whole)
    with pytest.raises(DataError, match="has changed since"):
        open_converted(out)


def test_only_converted_files_open_as_such(tmp_path: Path, state: dict[str, torch.Tensor]):
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(DataError, match="no converted file"):
        open_converted(tmp_path / "x.safetensors")
    (tmp_path / "y.safetensors").write_bytes(b"nothing at all")
    with pytest.raises(DataError, match="no safetensors file"):
        open_converted(tmp_path / "y.safetensors")
    with pytest.raises(StorageError):
        open_converted(tmp_path / "none.safetensors")


def test_a_converted_file_is_not_overwritten_nor_read_otherwise(tmp_path: Path):
    write_converted(from_released("mae", tiny()), out := tmp_path / "y.safetensors")
    with pytest.raises(StorageError, match="exists"):
        write_converted(from_released("mae", tiny()), out)
    with pytest.raises(UsageError, match="converted as mae"):
        open_released(out, "vit-timm")
    with pytest.raises(UsageError, match="converted as mae"):
        open_released(out, heads=4)
