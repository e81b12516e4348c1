"""Exported programs: equal to the network, plain to use without this package, refused where they would not agree."""

import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seehear import methods, recipes
from seehear.contracts import Method
from seehear.errors import DataError, StorageError, UsageError
from seehear.methods.classifier import Config as ClassifierConfig
from seehear.weights import About, Encoder, exported, from_released
from seehear.weights.entry_points import EntryPoint, bare, entries_of
from seehear.weights.exported import export, inputs_for
from seehear.weights.released_method import ReleasedMethod
from tests.weights import published_vits
from tests.weights.model_folders import TINY, tiny_method

ENOUGH = 1e-4
KNOWS = "It knows nothing."


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(tiny_method(), about=About("small", "0123", KNOWS))


@pytest.fixture(scope="module")
def folder(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The joint program in both formats."""
    made = tmp_path_factory.mktemp("exported") / "programs"
    export(encoder, made, entries=("joint",))
    return made


def by_torch(path: Path, given: dict[str, torch.Tensor]) -> list[np.ndarray]:
    return [value.numpy(force=True) for value in torch.export.load(path).module()(*given.values())]


def by_onnx(path: Path, given: dict[str, torch.Tensor]) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {name: value.numpy() for name, value in given.items()})


# ------------------------------------------------------------------------------------------------- what they compute
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", ["pt2", "onnx"])
def test_a_program_gives_what_the_encoder_gives(count: int, kind: str, folder: Path, encoder: Encoder):
    given = inputs_for(encoder.method, "joint", count, seed=50)
    found = (by_torch if kind == "pt2" else by_onnx)(folder / f"joint.{kind}", given)
    pictures = encoder.encode_frames(given["pictures"]).embedding
    assert len(found) == 3
    for row, length in enumerate(given["samples"].tolist()):
        sound = encoder.encode_audio(given["waveform"][row, :length], 16_000).embedding[0]
        np.testing.assert_allclose(found[0][row], sound, atol=ENOUGH)
    np.testing.assert_allclose(found[1], pictures, atol=ENOUGH)
    for value in found:
        np.testing.assert_allclose(np.linalg.norm(value, axis=1), 1, atol=ENOUGH)


def test_what_lies_beyond_a_sounds_end_changes_nothing(folder: Path, encoder: Encoder):
    given = inputs_for(encoder.method, "joint", 3)
    dirty = given | {"waveform": given["waveform"].clone()}
    for row, length in enumerate(given["samples"].tolist()):
        given["waveform"][row, length:], dirty["waveform"][row, length:] = 0, 0.5
    for one, other in zip(by_onnx(folder / "joint.onnx", given), by_onnx(folder / "joint.onnx", dirty), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_signature_says_all_that_is_needed(folder: Path, encoder: Encoder):
    told = json.loads((folder / "signature.json").read_text())
    assert (told["name"], told["weights"], told["knows"]) == ("small", "0123", KNOWS)
    assert (told["sample_rate"], told["samples"], told["height"], told["width"]) == (16_000, 16_000, 16, 24)
    assert told["inputs"]["waveform"]["shape"] == ["batch", 16_000]
    entry = told["entries"]["joint"]
    assert entry["inputs"] == ["waveform", "samples", "pictures"]
    assert entry["outputs"] == {name: ["batch", 16] for name in ("audio", "image", "audiovisual")}
    assert all(0 <= difference <= ENOUGH for difference in entry["difference"].values())


def test_files_name_no_place(folder: Path):
    places = [str(Path(exported.__file__).parents[2]).encode(), str(Path(torch.__file__).parent).encode()]
    for path in folder.iterdir():
        assert not [place for place in places if place in path.read_bytes()], path.name


def test_a_program_holds_no_weight_that_it_does_not_use(encoder: Encoder, tmp_path: Path):
    export(encoder, tmp_path / "out", ("pt2",), entries=("image",))
    held = torch.export.load(tmp_path / "out/image.pt2").state_dict
    assert "method.trunk.patch_embed.image.proj.weight" in held
    assert not [name for name in held if "audio" in name or "fusion" in name or "decoder" in name]


# ------------------------------------------------------------------------------------------ without this package
@pytest.mark.parametrize("kind", ["pt2", "onnx"])
def test_the_example_runs_where_this_package_is_not(kind: str, folder: Path, encoder: Encoder, tmp_path: Path):
    sound = (torch.sin(torch.arange(12_000) / 5) * 9_000).to(torch.int16)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(sound.numpy().tobytes())
    picture = torch.arange(16 * 24 * 3).remainder(251).to(torch.uint8).reshape(16, 24, 3)
    Image.fromarray(picture.numpy()).save(tmp_path / "picture.png")
    example = folder / f"example_{kind}.py"
    assert len(example.read_text().splitlines()) <= 20
    assert "seehear" not in example.read_text()
    block = "import sys; sys.modules['seehear'] = None; sys.argv = sys.argv[1:]; "
    block += f"import runpy; runpy.run_path({str(example)!r}, run_name='__main__')"
    words = [sys.executable, "-I", "-c", block, str(example), "sound.wav", "picture.png"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["joint"]
    eager = encoder.encode_audio(sound / 32768, 16_000).embedding[0]
    np.testing.assert_allclose(said["audio"][0], eager, atol=ENOUGH)
    eager = encoder.encode_frames(picture.permute(2, 0, 1)).embedding[0]
    np.testing.assert_allclose(said["image"][0], eager, atol=ENOUGH)


# --------------------------------------------------------------------------------------------------------- refusals
def test_a_program_that_does_not_agree_is_not_written(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    honest = exported._outputs

    def bent(*given: object) -> dict[str, torch.Tensor]:
        return {name: value + 2 * ENOUGH for name, value in honest(*given).items()}

    monkeypatch.setattr(exported, "_outputs", bent)
    with pytest.raises(DataError, match=r"image\.pt2 differs from the network by 0\.0002; expected at most 0\.0001"):
        export(encoder, tmp_path / "out", ("pt2",), entries=("image",))
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_traced_is_said_in_one_line(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def data_dependent(self: EntryPoint, fields: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        value = fields["frames"].float()
        return {"image": value.mean((1, 2, 3)) if value.mean() > 3 else value.sum((1, 2, 3))}

    monkeypatch.setattr(EntryPoint, "compute", data_dependent)
    with pytest.raises(UsageError, match=r"the image entry point of avsiam cannot be exported") as caught:
        export(encoder, tmp_path / "out", ("pt2",), entries=("image",))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"formats": ("onx",)}, "unknown format 'onx'; expected one of onnx, pt2; try: onnx"),
        ({"entries": ("imag",)}, "unknown entry point 'imag'.*try: image"),
    ],
)
def test_wrong_words(words: dict, says: str, encoder: Encoder, tmp_path: Path):
    with pytest.raises(UsageError, match=says):
        export(encoder, tmp_path / "out", **words)


def test_a_full_folder_and_a_missing_extra(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine").touch()
    with pytest.raises(StorageError, match="expected a new or empty folder"):
        export(encoder, tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'seehear\[export\]'"):
        export(encoder, tmp_path / "out", ("onnx",))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# ------------------------------------------------------------------------------------------------- every method
def tiny_classifier() -> Method:
    torch.manual_seed(0)
    draw = ("audio", "image", "audiovisual")
    config = ClassifierConfig(encoder=TINY, classes=("a", "b", "c"), single_label=True, draw=draw)
    return methods.get("classifier")(config)


def of_recipe(name: str) -> Method:
    torch.manual_seed(0)
    config = recipes.get(name).method
    return methods.get(config.method)(config)


def vit_of_pictures() -> Method:
    return ReleasedMethod(from_released("mae", published_vits.tiny(), heads=2))  # type: ignore[arg-type]


def test_entry_points_follow_what_a_method_reads():
    assert entries_of(tiny_method()) == ("audio", "image", "joint")
    assert entries_of(vit_of_pictures()) == ("image",)
    assert bare(tiny_method()).decoder is None
    assert tiny_method().decoder is not None


def test_logits_of_a_classifier_are_outputs_too():
    method = tiny_classifier()
    given = inputs_for(method, "joint", 2)
    fields = exported.sound_fields(given["waveform"], given["samples"]) | {"frames": given["pictures"][:, None]}
    from seehear.contracts import Batch

    with torch.inference_mode():
        found = EntryPoint(method.eval()).compute(fields)
        numbers = torch.arange(2)
        own = method.classify(Batch(numbers, numbers, fields))
    assert set(found) == {f"{m}{end}" for m in ("audio", "image", "audiovisual") for end in ("", "_logits")}
    for modality, logits in own.items():
        torch.testing.assert_close(found[f"{modality}_logits"], logits)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "make",
    [
        tiny_method,
        tiny_classifier,
        lambda: of_recipe("cav_mae_tiny"),
        lambda: of_recipe("mavil_tiny"),
        vit_of_pictures,
    ],
)
def test_every_method_is_exported_whole(make, tmp_path: Path):
    method = make()
    told = export(Encoder(method), tmp_path / "out")
    assert tuple(told["entries"]) == entries_of(method)
    for name in told["entries"]:
        given = inputs_for(method, name, 3, seed=9)
        one, other = by_torch(tmp_path / f"out/{name}.pt2", given), by_onnx(tmp_path / f"out/{name}.onnx", given)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, atol=ENOUGH)
