"""The hub's format: saved, loaded, pushed; the card made from the run."""

from pathlib import Path

import huggingface_hub
import pytest
import torch

from seehear import load
from seehear.contracts import Progress
from seehear.errors import StorageError, UsageError
from seehear.methods.classifier import Classifier
from seehear.methods.classifier import Config as ClassifierConfig
from seehear.weights import Encoder
from seehear.weights.card import CardWords
from seehear.weights.hub import HubModel
from seehear.weights.packaged import ROOT
from seehear.weights.publishing import publish
from tests.weights import published_vits
from tests.weights.model_folders import TINY, cached, run_folder, saved, tiny_method


def same(one: Encoder, other: Encoder) -> bool:
    pairs = zip(one.method.state_dict().items(), other.method.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


# ------------------------------------------------------------------------------------------------------------ the hub
def test_what_is_saved_comes_back_by_both_readers(tmp_path: Path):
    encoder = load(saved(tmp_path / "first"))
    model = HubModel(encoder, {"figures.json": '{"format": 1, "figures": []}\n'})
    model.save_pretrained(tmp_path / "second")
    again = HubModel.from_pretrained(tmp_path / "second")
    assert same(again.encoder, encoder)
    assert same(load(tmp_path / "second"), encoder)
    assert again.encoder.about == encoder.about
    again.save_pretrained(tmp_path / "third")
    for path in (tmp_path / "second").iterdir():
        assert path.read_bytes() == (tmp_path / "third" / path.name).read_bytes()


def test_a_network_without_a_card_gets_one(tmp_path: Path):
    HubModel(Encoder(tiny_method())).save_pretrained(tmp_path / "plain")
    card = (tmp_path / "plain/README.md").read_text()
    assert card.startswith("---\nlicense: other\nlibrary_name: seehear\ntags:\n- audio-visual\n")
    assert "no licence is stated" in card
    assert huggingface_hub.ModelCard(card).data.library_name == "seehear"


def test_a_full_folder_is_left_as_it_is(tmp_path: Path):
    folder = saved(tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(StorageError, match="exists; expected a new or empty folder"):
        HubModel(load(folder)).save_pretrained(folder)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_classifier_keeps_its_classes_and_its_averaged_weights(tmp_path: Path):
    torch.manual_seed(0)
    config = ClassifierConfig(encoder=TINY, classes=("dog", "frog"), single_label=True, average_epochs=(1.0, 2.0))
    method = Classifier(config)
    assert method.average is not None
    for progress in (Progress(1, 2, 1.0), Progress(2, 2, 2.0)):
        method.average.update(method, progress)
        with torch.no_grad():
            method.heads["all" if config.heads == "one" else config.draw[0]].linear.bias.add_(1)
    method.after_training()
    HubModel(Encoder(method)).save_pretrained(tmp_path / "model")
    again = load(tmp_path / "model")
    assert same(again, Encoder(method))
    assert again.method.classes == ("dog", "frog")
    assert again.method.weights_in_use == method.weights_in_use == "the mean of the weights at the ends of 2 epochs"
    assert "It names 2 classes: dog, frog." in again.about.card


def test_from_pretrained_reads_the_hubs_cache(tmp_path: Path):
    cached(tmp_path, "someone/model")
    found = HubModel.from_pretrained("someone/model", cache_dir=tmp_path, local_files_only=True)
    assert found.encoder.about.name == "small one"


def test_pushing_uploads_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Api:
        """The hub, as far as a push goes."""

        pushed: dict[str, bytes]

        def __init__(self, **_: object):
            pass

        def create_repo(self, repo_id: str, **_: object) -> huggingface_hub.RepoUrl:
            return huggingface_hub.RepoUrl(f"https://huggingface.co/{repo_id}")

        def upload_folder(self, *, folder_path: Path, **_: object) -> str:
            Api.pushed = {path.name: path.read_bytes() for path in folder_path.iterdir()}
            return "a commit"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Api)
    folder = saved(tmp_path / "model")
    assert HubModel(load(folder)).push_to_hub("someone/model") == "a commit"
    assert Api.pushed == {path.name: path.read_bytes() for path in folder.iterdir()}


# ----------------------------------------------------------------------------------------------------------- the card
def test_the_card_of_a_run_holds_data_recipe_figures_and_limits_and_no_place(tmp_path: Path):
    words = CardWords("my model", "It knows drums.", "mit", "Made on a Sunday.")
    found = publish(str(run_folder(tmp_path / "run")), tmp_path / "out", hub=True, words=words)
    card = (tmp_path / "out/README.md").read_text()
    for said in (
        "license: mit",
        "# my model\n\nIt knows drums.\n\nAVSiam: one shared ViT",
        "7 of 1,000 steps of 80 clips",
        "fingerprint of the training clips: `abc123`",
        "measured on split `val` of other.lance; hash of its clips' names: `def456`",
        "Made on a Sunday.",
        "1 s: longer is cut",
        "16 bins, 25 ms windows every 10 ms, 96 frames, then (x +5.081) / 4.4849",
        "squashed to 16 x 24",
        "| retrieval/audio-to-image/R@1 | 0.25 | 0.2 | 0.01 | 0.02 | raw features 0.1 | 0.5 | 100 clips |",
        "| modality-gap (lower is better) | 0.5 |",
        "- It knows drums.",
    ):
        assert said in card
    assert "/home/" not in "".join(path.read_text("latin-1") for path in (tmp_path / "out").iterdir())
    assert "no licence is stated" not in card
    assert set(found.files) == {"README.md", "config.json", "figures.json", "model.safetensors"}
    assert load(tmp_path / "out").about == found.about


def test_figures_of_other_weights_are_not_shown(tmp_path: Path):
    publish(str(run_folder(tmp_path / "run", evaluated_at=5)), tmp_path / "out", hub=True)
    assert "It was not measured." in (tmp_path / "out/README.md").read_text()
    assert not (tmp_path / "out/figures.json").exists()


@pytest.mark.parametrize("name", ["figures.json", "evaluation.json"])
@pytest.mark.parametrize("text", ["{", "[1]", '{"step": 7, "figures": [3]}', '{"step": 7, "figures": [{"nam": "x"}]}'])
def test_damaged_figures_are_named(name: str, text: str, tmp_path: Path):
    run = run_folder(tmp_path / "run")
    (run / name).write_text(text)
    if name == "figures.json" or not text.startswith('{"step"'):
        with pytest.raises(StorageError, match=rf"{name} .*a damaged file; try: evaluate again"):
            load(run)


def test_what_a_run_started_from_is_told_with_its_licence(tmp_path: Path):
    run = run_folder(tmp_path / "run", init="vit-timm:/home/someone/vit.safetensors")
    publish(str(run), tmp_path / "out", hub=True)
    card = (tmp_path / "out/README.md").read_text()
    assert "started from vit-timm:vit.safetensors, whose licence holds" in card
    assert "/home/" not in card


def test_a_saved_model_is_handed_on_as_it_is(tmp_path: Path):
    publish("avsiam-world", tmp_path / "copy", hub=True)
    for path in (tmp_path / "copy").iterdir():
        assert path.read_bytes() == (ROOT / "avsiam-world" / path.name).read_bytes()
    with pytest.raises(UsageError, match="avsiam-world is no run"):
        publish("avsiam-world", tmp_path / "other", hub=True, words=CardWords("x", licence="mit"))


def test_what_is_read_from_a_plain_vit_stays_a_converted_file(tmp_path: Path):
    torch.save(published_vits.tiny(), tmp_path / "vit.pth")
    with pytest.raises(UsageError, match=r"read from a released file.*seehear weights convert"):
        publish(str(tmp_path / "vit.pth"), tmp_path / "out", hub=True)
    assert not (tmp_path / "out").exists()


def test_nothing_asked_for_is_an_error(tmp_path: Path):
    with pytest.raises(UsageError, match="nothing to write is named"):
        publish("avsiam-world", tmp_path / "out")
