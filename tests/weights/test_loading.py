"""From a name to an encoder: packaged, folders, files, the hub's cache; and what is no model."""

import json
import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch

import seehear
from seehear.configuration import to_dict
from seehear.contracts import Batch
from seehear.errors import DataError, StorageError, UsageError
from seehear.signals import fbank, fit_frames, normalize_image
from seehear.weights import Embedder, from_released, load, write_converted
from seehear.weights.model_folder import read_model
from tests.weights import published_vits
from tests.weights.model_folders import TINY, cached, run_folder, saved, tiny_method

SOUND = torch.linspace(-0.5, 0.5, 16_000).sin()[None]


def same(one: seehear.weights.Encoder, other: torch.nn.Module) -> None:
    pairs = zip(one.method.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


# ------------------------------------------------------------------------------------------------- what is a model
def test_a_run_and_its_checkpoint_have_names_hashes_and_a_card(tmp_path: Path):
    run = run_folder(tmp_path / "first", evaluated_at=None)
    of_run, of_step = load(run), load(run / "checkpoints/step-00000007")
    same(of_run, tiny_method())
    assert (of_run.about.name, of_step.about.name) == ("first", "first-step-00000007")
    assert of_run.about.weights == of_step.about.weights
    assert of_run.about.slug == "first"
    assert "It was not measured" in of_run.about.card
    assert "7 of 1,000 steps of 80 clips" in of_run.about.card


def test_a_saved_folder_comes_back_bit_for_bit(tmp_path: Path):
    encoder = load(saved(tmp_path / "model"))
    same(encoder, tiny_method())
    assert (encoder.about.name, encoder.about.slug) == ("small one", "small_one")
    assert encoder.about.knows == "It knows nothing."
    assert encoder.about.card == "# A card\n"
    assert not encoder.method.training


def test_the_hubs_cache_comes_before_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    cached(tmp_path, "someone/model")
    same(load("someone/model"), tiny_method())
    with pytest.raises(StorageError, match=r"someone/other could not be fetched.*network.*avsiam-world"):
        load("someone/other")


# ----------------------------------------------------------------------------------------------------- plain ViTs
def test_a_vit_of_pictures_encodes_as_its_file_says(tmp_path: Path):
    state = published_vits.tiny()
    write_converted(released := from_released("mae", state, heads=2), tmp_path / "mae.safetensors")
    encoder = load(tmp_path / "mae.safetensors")
    assert encoder.about.name == "mae"
    assert "48 x 48" in encoder.about.card
    pictures = torch.randint(0, 256, (2, 3, 55, 55), dtype=torch.uint8)  # 48 / 0.875: nothing is resized
    found = encoder.encode_frames(pictures)
    centre = normalize_image(pictures[:, :, 3:51, 3:51])
    wanted = released.forward_features(image=centre)["image"][:, 1:]
    torch.testing.assert_close(found.tokens, wanted)
    torch.testing.assert_close(found.pooled, wanted.mean(dim=1))
    torch.testing.assert_close(found.embedding.norm(dim=1), torch.ones(2))
    with pytest.raises(UsageError, match="reads sound"):
        encoder.encode_audio(SOUND, 16_000)
    numbers = torch.arange(2)
    batch = Batch(numbers, numbers, {"frames": pictures[:, None]})
    ((_, vectors),) = Embedder(encoder.method)([batch])
    torch.testing.assert_close(vectors["image"].embedding, found.embedding)


def test_a_vit_of_sound_encodes_as_its_file_says(tmp_path: Path):
    state = published_vits.tiny(places=1 + 2 * 8, channels=1)
    path = tmp_path / "audiomae.pth"
    torch.save({"model": state}, path)
    encoder = load(f"audiomae:{path}")
    released = from_released("audiomae", state)
    values = fit_frames(fbank(SOUND.mul(32768).round() / 32768), 32)
    wanted = released.forward_features(spectrogram=(values + 4.2677393) / (2 * 4.5689974))["audio"][:, 1:]
    by_frequency = wanted.unflatten(1, (2, 8)).transpose(1, 2).flatten(1, 2)
    found = encoder.encode_audio(SOUND, 16_000)
    assert found.grid == (8, 2)
    torch.testing.assert_close(found.tokens, by_frequency, atol=1e-3, rtol=1e-3)
    with pytest.raises(UsageError, match="audiomae reads"):
        encoder.method.encode(Batch(torch.arange(1), torch.arange(1), {}))


# -------------------------------------------------------------------------------------------------- what is no model
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("avsiam-wrold", "unknown model 'avsiam-wrold'; expected one of avsiam-world; try: avsiam-world"),
        ("nothing", "unknown model 'nothing'"),
        ("a/b/c", "no file or folder a/b/c"),
        ("weights.safetensors", "no file or folder weights.safetensors"),
        ("src/nothing", "no file or folder src/nothing"),
    ],
)
def test_what_is_no_name_is_never_asked_for_on_the_network(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("seehear.weights.hub.snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    with pytest.raises(UsageError, match=words):
        load(name)


def test_an_empty_folder_and_half_a_folder(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(StorageError, match="no whole checkpoint"):
        load(tmp_path / "empty")
    for name in ("config.json", "model.safetensors"):
        folder = saved(tmp_path / f"without-{name}")
        (folder / name).unlink()
        with pytest.raises(StorageError, match=f"{name} cannot be read.*half a folder"):
            load(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 2}, "format_version is 2.*this is.*no override"),
        ({"method": {"method": "avsiam", "depht": 3}}, "does not describe a network of this version.*depht"),
        ({"method": {"method": "avnothing"}}, "avnothing"),
        ({"method": 3}, "does not describe"),
        ({"weights": "0" * 16}, "not what was saved"),
        ({"method": to_dict(TINY) | {"depth": 2}}, "absent in the checkpoint"),
    ],
)
def test_a_configuration_of_another_version(change: dict, words: str, tmp_path: Path):
    folder = saved(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(StorageError, match=words):
        load(folder)


@pytest.mark.parametrize("damage", ["cut", "changed", "json", "pickle"])
def test_damaged_folders(damage: str, tmp_path: Path):
    folder = saved(tmp_path / "model")
    path = folder / ("config.json" if damage == "json" else "model.safetensors")
    raw = path.read_bytes()
    if damage == "pickle":
        torch.save(tiny_method().state_dict(), path)
    else:
        path.write_bytes(raw[:-10] if damage in ("cut", "json") else raw[:-4] + bytes(b ^ 1 for b in raw[-4:]))
    with pytest.raises(StorageError, match=r"cannot be read|not what was saved|no JSON"):
        load(folder)


def test_a_file_that_holds_no_weights(tmp_path: Path):
    (tmp_path / "page.safetensors").write_text("<html>")
    with pytest.raises((DataError, StorageError)):
        load(tmp_path / "page.safetensors")


# ----------------------------------------------------------------------------------------------------- the packaged
def test_a_folder_is_preferred_where_it_is_written_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    saved(tmp_path / "avsiam-world", "mine")
    monkeypatch.chdir(tmp_path)
    assert load("avsiam-world").about.name == "avsiam-world"
    assert load("./avsiam-world").about.name == "mine"


def test_a_copied_packaged_model_is_the_same(tmp_path: Path):
    from seehear.weights.packaged import packaged_folder

    folder = packaged_folder("avsiam-world")
    assert folder is not None
    shutil.copytree(folder, tmp_path / "copy")
    assert read_model(tmp_path / "copy")[1].weights == load("avsiam-world").about.weights


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "an empty name of a model; expected avsiam-world"),
        ("avsaim:nope.pth", "unknown layout 'avsaim' of avsaim:nope.pth; expected one of .*; try: avsiam"),
    ],
)
def test_names_that_are_nearly_right(name: str, says: str):
    with pytest.raises(UsageError, match=says):
        load(name)
