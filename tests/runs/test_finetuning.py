"""Fine-tuning a tiny run on the unit world, from the command line to the figures, resumed, and refused."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from seehear import clips, recipes
from seehear.errors import DataError, RequeueError, SeeHearError, StorageError, UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.classifier import Classifier
from seehear.runs.classifying import answers_of, class_counts, labelled_split
from seehear.runs.evaluation import evaluate
from seehear.runs.finetuning import finetune, method_of, prepare, starting_encoder
from seehear.runs.pretraining import pretrain
from seehear.training import DataConfig, RunConfig, load_method
from tests.cli.calls import failure, machine
from tests.clips.made_clips import make_clip
from tests.runs.finetuning_children import finetune_on_a_rank, short_recipe
from tests.training.processes import exit_codes, start_ranks
from tests.weights import published


def _pretraining(table: Path) -> RunConfig:
    recipe = recipes.get("avsiam_tiny")
    inputs = InputConfig(
        audio_seconds=1.6, mel_bins=32, frame_shift_ms=20.0, audio_frames=80, image_height=32, image_width=32
    )
    return replace(
        recipe,
        data=replace(recipe.data, table=str(table), global_batch=10),
        method=replace(recipe.method, inputs=inputs, width=16, depth=1, heads=2),
        training=replace(recipe.training, steps=2),
        evaluation=replace(recipe.evaluation, gallery=8),
    )


@pytest.fixture(scope="module")
def start(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pretrained")
    pretrain(_pretraining(table), folder)
    return folder


@pytest.fixture(scope="module")
def tuned(table: Path, start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    finetune(prepare(start, str(table), short_recipe()), folder)
    return folder


def test_the_verb_trains_resumes_and_evaluates(
    table: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ("finetune", start, table, "--out", tmp_path / "run", "--data.global-batch", 8, "--evaluation.gallery", 8)
    short = (*words, "--epochs", 1, "--classifier.average-epochs", "None", "--classifier.test-frames", 2)
    short = (*short, "--evaluation.no-probe")
    document = machine(capsys, *short)
    assert document["steps"] == 4
    names = {figure["name"] for figure in document["figures"]}
    assert {"fine-tuned/audio/top-1", "fine-tuned/both/top-1", "modality-gap/embeddings"} <= names
    assert {"fine-tuned/wrong pairs, label of the sound/top-1", "retrieval/audio-to-image/R@10"} <= names
    again = machine(capsys, *short)
    assert (again["resumed_from"], again["loss"]) == (4, None)
    assert again["figures"] == document["figures"]
    config = json.loads((tmp_path / "run" / "config.json").read_text())["method"]
    assert len(config["classes"]) == 8
    assert config["encoder"]["inputs"]["spec_augment"] == [12, 15]
    evaluated = machine(capsys, "evaluate", tmp_path / "run")
    assert {f["name"] for f in evaluated["figures"]} == names


def test_the_verb_says_what_it_cannot_do(table: Path, start: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    status, line = failure(capsys, "finetune", start, table, "--preset", "as20kk")
    assert status == 2
    assert "unknown fine-tuning preset 'as20kk' for avsiam" in line
    status, line = failure(capsys, "finetune", tmp_path, table)
    assert status == 5
    status, line = failure(capsys, "finetune", start, table, "--data.global-batch", 10, "--out", tmp_path / "run")
    assert (status, "multiple of" in line) == (2, True)
    assert not (tmp_path / "run").exists()


def test_it_starts_from_the_pretrained_encoder(table: Path, start: Path):
    config, weights = starting_encoder(start)
    prepared = prepare(start, str(table), short_recipe())
    method = prepared.method()
    assert isinstance(method, Classifier)
    assert config.method == "avsiam"
    own = method.encoder.state_dict()
    assert set(own) < set(weights)
    assert all(torch.equal(value, weights[name]) for name, value in own.items())
    assert prepared.config.training.steps == 2 * 32 // 8


def test_a_stopped_run_goes_on_to_the_same_weights_and_average(table: Path, start: Path, tuned: Path, tmp_path: Path):
    class StopAfter:
        def advance(self, step: int, total_steps: int) -> None:
            if step == 4:
                os.kill(os.getpid(), signal.SIGTERM)

        def report(self, status: object) -> None: ...

        def note(self, text: str) -> None: ...

    prepared = prepare(start, str(table), short_recipe())
    with pytest.raises(RequeueError):
        finetune(prepared, tmp_path, progress=StopAfter())
    assert finetune(prepared, tmp_path).resumed_from == 5
    one, other = (load_method(folder) for folder in (tuned, tmp_path))
    assert one.weights_in_use == other.weights_in_use == "the mean of the weights at the ends of 2 epochs"
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_the_average_is_in_use_after_loading_and_in_further_fine_tuning(tuned: Path):
    method = load_method(tuned)
    for name in method.average.names:
        assert torch.equal(method.get_parameter(name), method.average.mean[name.replace(".", ":")])
    config, weights = starting_encoder(tuned)
    assert config.method == "avsiam"
    assert all(torch.equal(weights[name], value) for name, value in method.encoder.state_dict().items())


def test_another_start_in_the_same_folder_is_refused(table: Path, tuned: Path, tmp_path: Path):
    with pytest.raises(StorageError, match=r"method\.start is 'avsiam"):
        finetune(prepare(tuned, str(table), short_recipe()), tuned)


def test_figures_on_the_way(table: Path, start: Path, tmp_path: Path):
    recipe = short_recipe()
    recipe = replace(recipe, epochs=None, training=replace(recipe.training, steps=2, evaluate_every=2))
    summary = finetune(prepare(start, str(table), recipe), tmp_path)
    assert "fine-tuned/both/top-1" in {f.name for f in summary.figures}


def test_balanced_clips_are_drawn_with_replacement(table: Path, start: Path, tmp_path: Path):
    recipe = short_recipe()
    recipe = replace(recipe, data=replace(recipe.data, balanced=True))
    finetune(prepare(start, str(table), recipe), tmp_path)
    ids = [i for line in (tmp_path / "samples.jsonl").open() for i in json.loads(line)["ids"]]
    assert len(set(ids[:32])) < 32


@pytest.mark.full
def test_two_ranks_train_as_one(table: Path, start: Path, tmp_path: Path):
    for world_size in (1, 2):
        ranks = start_ranks(world_size, finetune_on_a_rank, start, str(table), tmp_path / str(world_size))
        assert exit_codes(ranks) == [0] * world_size
    lines = [(tmp_path / name / "samples.jsonl").read_text() for name in "12"]
    assert lines[0] == lines[1]
    one, other = (load_method(tmp_path / name) for name in "12")
    for name, value in one.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=0, atol=1e-6)


def test_figures_do_not_depend_on_the_batch(table: Path, tuned: Path):
    method = load_method(tuned)
    source = labelled_split(DataConfig(table=str(table)), "test").source
    one, other = (answers_of(method, source, batch) for batch in (3, 64))
    assert one.clips.pictures == 3
    assert one.clips.scores["audiovisual"] == pytest.approx(other.clips.scores["audiovisual"], abs=1e-5)
    assert one.pairs.scores == pytest.approx(other.pairs.scores, abs=1e-5)
    assert not (one.pairs.sound_labels == one.pairs.picture_labels).all()


# ------------------------------------------------------------------------------------------------------- bad input
def _table(folder: Path, labels: list[list[str]], **changes: Any) -> str:
    """Clips of the unit world's length, a fourth of them held out; `changes` by clip number."""
    made = [
        replace(make_clip(i, seconds=1.6, labels=row), **changes.get(f"clip{i}", {})) for i, row in enumerate(labels)
    ]
    where = folder / "made.lance"
    clips.pack(clips.MemoryClips(made), str(where), frames=2, size=32, workers=1, modality="any")
    return str(where)


def test_labels_of_another_data_set_are_refused(start: Path, tuned: Path, tmp_path: Path):
    where = _table(tmp_path, [["zebra"], ["zebra"], ["zebra"], ["yak"]] * 2)
    with pytest.raises(DataError, match=r"1 of 1 classes of the clips are none of the 8 expected \('yak'\)"):
        evaluate(tuned, table=where)
    alien = _table(tmp_path / "b", [["a"], ["b"], ["a"], ["only held out"]] * 3)
    with pytest.raises(DataError, match="'only held out'"):
        prepare(start, alien, short_recipe())


def test_clips_without_labels_or_a_modality_are_left_out_and_counted(start: Path, tmp_path: Path):
    labels = [["a"], ["b"], [], ["a"], ["a", "b"], ["b"], ["a"], ["b"], ["b"], ["a"], ["b"], ["b"]]
    where = _table(tmp_path, labels, clip0={"audio": None}, clip7={"frames": None})
    notes: list[str] = []
    prepared = prepare(start, where, short_recipe(), notes.append)
    assert len(prepared.source) == 7  # of nine, one is silent, one has no label
    assert not prepared.config.method.single_label
    assert notes[1:] == [
        "left out: 1 training clips without a label",
        "left out: 1 training clips without a modality that is trained on",
    ]
    assert class_counts(prepared.source).tolist() == [3, 5]
    found = answers_of(prepared.method(), labelled_split(prepared.config.data, "test").source, 8)
    assert found.clips.has_image.sum() == len(found.clips) - 1


def test_tables_that_cannot_be_learnt_from_are_refused(start: Path, tmp_path: Path):
    none = _table(tmp_path / "none", [[]] * 8)
    with pytest.raises(DataError, match=r"none of 6 clips of split 'train' in .* has a label"):
        prepare(start, none, short_recipe())
    one = _table(tmp_path / "one", [["a"]] * 8)
    with pytest.raises(DataError, match="show 1 classes"):
        prepare(start, one, short_recipe())
    recipe = short_recipe()
    with pytest.raises(UsageError, match="unknown split 'valid'"):
        prepare(start, one, replace(recipe, data=replace(recipe.data, train_split="valid")))
    silent = _table(tmp_path / "silent", [["a"], ["b"]] * 4, **{f"clip{i}": {"audio": None} for i in range(8)})
    with pytest.raises(DataError, match="none of 6 labelled training clips has every modality"):
        prepare(start, silent, short_recipe())


def test_released_weights_are_a_starting_encoder(tmp_path):
    file = tmp_path / "cav_mae.safetensors"
    save_file(published.cav_mae(), file)
    config, weights = starting_encoder(f"cav-mae:{file}")
    assert (config.method, config.width, config.depth) == ("cav_mae", published.WIDTH, 2)
    assert torch.equal(weights["norm.audio.weight"], published.cav_mae()["module.norm_a.weight"])
    assert method_of(f"avsiam-finetuned:{file}") == "avsiam"
    with pytest.raises(SeeHearError):
        starting_encoder(f"cav-mae:{tmp_path / 'none.pth'}")
