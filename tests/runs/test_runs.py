"""A whole run on the unit world: from scenes to a page, resumed, evaluated again, and refused where it cannot be."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import seehear
from seehear import clips, recipes
from seehear.errors import DataError, StorageError, UsageError
from seehear.layers.inputs import InputConfig
from seehear.runs.evaluation import evaluate, probe
from seehear.runs.pretraining import build_method, pretrain
from seehear.runs.reporting import _curves, _evaluated_clips, report
from seehear.runs.run_folder import read_config
from seehear.runs.splits import open_split
from seehear.training import RunConfig


def _config(table: Path, steps: int = 6) -> RunConfig:
    recipe = recipes.get("avsiam_tiny")
    inputs = InputConfig(
        audio_seconds=1.6, mel_bins=32, frame_shift_ms=20.0, audio_frames=80, image_height=32, image_width=32
    )
    return replace(
        recipe,
        data=replace(recipe.data, table=str(table), global_batch=10),
        method=replace(recipe.method, inputs=inputs, width=16, depth=1, heads=2),
        schedule=replace(recipe.schedule, warmup_steps=1),
        training=replace(recipe.training, steps=steps, log_every=2, checkpoint_every=3),
        evaluation=replace(recipe.evaluation, gallery=8, galleries=2, batch=5),
    )


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    pretrain(_config(table), folder)
    return folder


def test_a_run_is_evaluated_with_floors_and_ceilings(run: Path):
    found = evaluate(run)
    figures = {f.name: f for f in found.figures}
    assert found.split == "test"
    assert len(found.embeddings) == 16
    for direction in ("audio-to-image", "image-to-audio"):
        recall = figures[f"retrieval/{direction}/R@1"]
        assert recall.chance == pytest.approx(1 / 8)
        assert recall.untrained is not None
        assert recall.chance <= recall.ceiling <= 1
    for modality in ("audio", "image", "both"):
        assert 0 <= figures[f"linear-probe/{modality}/top-1"].baselines["raw features"] <= 1
    assert {"reconstruction/audio/masked MSE", "reconstruction/image/masked MSE"} <= set(figures)
    assert [f.name for f in probe(run)] == [f.name for f in found.figures if f.name.startswith(PROBES)]


PROBES = ("knn", "linear-probe", "modality-confusion", "missing-modality")


def test_figures_do_not_depend_on_the_batch(run: Path):
    values = [{f.name: f.value for f in evaluate(run).figures}]
    config = json.loads((run / "config.json").read_text())
    config["evaluation"]["batch"] = 16
    (run / "config.json").write_text(json.dumps(config))
    values.append({f.name: f.value for f in evaluate(run).figures})
    assert values[0] == pytest.approx(values[1], abs=1e-5)


def test_the_report_holds_figures_map_and_gallery(run: Path):
    evaluate(run)
    text = report(run, facts={"world": "abc"}).read_text(encoding="utf-8")
    for part in ("R@10", "sound to picture", "picture to sound", "audio/", "masked MSE"):
        assert part.lower() in text.lower(), part
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_a_run_loads_as_an_encoder_that_embeds_as_the_evaluation_does(table: Path, run: Path):
    """One clip's sound from its file: coded and packed alike, so the two embeddings are one."""
    found = evaluate(run)
    name = found.embeddings.names[0]
    clip = clips.open(str(table)).subset(split="test")
    source = clip.sources[list(clip.names).index(name)]
    features = seehear.load(run).encode_files([table.parent / "world" / source])[0]
    assert set(features) == {"audio", "image", "audiovisual"}
    torch.testing.assert_close(
        features["audio"].embedding[0], torch.from_numpy(found.embeddings.audio[0]), rtol=0, atol=1e-5
    )


def test_a_run_that_is_made_longer_sees_the_clips_of_an_unbroken_one(table: Path, run: Path, tmp_path: Path):
    """Stopped after the third step's checkpoint, by a run of three steps that is then made longer."""
    pretrain(_config(table, steps=3), tmp_path)
    schedule = {"training.steps"}
    evaluate(tmp_path)
    longer = pretrain(_config(table), tmp_path, accept_changes=schedule)
    assert longer.resumed_from == 3
    with pytest.raises(StorageError, match=r"evaluated after 3 steps and has 6 now.*seehear evaluate"):
        report(tmp_path)
    notes: list[str] = []
    assert evaluate(tmp_path, tell=notes.append).step == 6
    assert not any("stopped" in note for note in notes)
    ids = [[json.loads(line)["ids"] for line in (f / "samples.jsonl").open()] for f in (run, tmp_path)]
    assert ids[0] == ids[1]


def test_retrieval_is_measured_on_the_way_where_it_is_asked_for(table: Path, run: Path, tmp_path: Path):
    assert (run / "figures.jsonl").read_text() == ""
    config = _config(table, steps=2)
    summary = pretrain(replace(config, training=replace(config.training, evaluate_every=1)), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "figures.jsonl").open()]
    assert [line["step"] for line in lines] == [1, 2]
    assert "retrieval/audio-to-image/R@10" in {f.name for f in summary.figures}


def test_curves_of_every_phase_are_drawn(table: Path, tmp_path: Path):
    config = _config(table, steps=2)
    config = replace(config, method=replace(config.method, alternating=True))
    pretrain(config, tmp_path)
    curves = {curve.name: curve for curve in _curves(config, tmp_path)}
    assert set(curves) == {
        "contrast/loss",
        "reconstruction/loss",
        "contrast/contrast",
        "reconstruction/reconstruction audio",
        "reconstruction/reconstruction image",
    }
    assert curves["contrast/contrast"].floor == pytest.approx(math.log(10))


def test_a_report_on_clips_that_are_gone_says_so(run: Path, tmp_path: Path):
    found = evaluate(run)
    clips.pack(Path(found.table).parent / "world" / "val" / "clips", tmp_path / "other.lance", frames=1, workers=1)
    with pytest.raises(DataError, match=r"16 of the 16 evaluated clips no more.*seehear evaluate"):
        _evaluated_clips(replace(found, table=str(tmp_path / "other.lance")))


def test_the_untrained_network_is_the_runs_own_first_state(table: Path):
    one, other = build_method(_config(table)), build_method(_config(table))
    assert all((a == b).all() for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_the_configuration_is_read_back(table: Path, run: Path):
    read = read_config(run)
    assert replace(read, evaluation=_config(table).evaluation) == _config(table)


def test_clips_without_splits_are_trained_and_evaluated_on_all(table: Path, tmp_path: Path):
    clips.pack(table.parent / "world" / "train" / "clips", tmp_path / "flat.lance", frames=2, size=32, workers=1)
    config = _config(tmp_path / "flat.lance", steps=2)
    pretrain(config, tmp_path / "run")
    found = evaluate(tmp_path / "run")
    assert found.split == "train"
    assert not any(f.name.startswith("linear-probe") for f in found.figures)
    assert "R@1" in report(tmp_path / "run").read_text(encoding="utf-8")
    with pytest.raises(DataError, match="0 classes"):
        probe(tmp_path / "run")


def test_a_batch_that_does_not_fit_is_refused_before_anything_is_written(table: Path, tmp_path: Path):
    config = _config(table)
    config = replace(config, data=replace(config.data, global_batch=12))
    with pytest.raises(UsageError, match=r"global_batch is 12.*5 clips.*--data\.global-batch 10"):
        pretrain(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_done_says_what_to_do(table: Path, tmp_path: Path):
    with pytest.raises(StorageError, match=r"seehear pretrain"):
        evaluate(tmp_path)
    with pytest.raises(UsageError, match=r"unknown split 'tset' of .*try: test"):
        open_split(_config(table).data, "tset", build_method(_config(table)).needs)


def test_a_run_that_stopped_early_is_evaluated_and_told_so(table: Path, tmp_path: Path):
    pretrain(_config(table, steps=3), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["training"]["steps"] = 40
    (tmp_path / "config.json").write_text(json.dumps(config))
    notes: list[str] = []
    assert evaluate(tmp_path, tell=notes.append).step == 3
    assert "this run stopped after 3 of 40 steps: its newest checkpoint is evaluated" in notes
    assert "The network saw 30 clips" in report(tmp_path).read_text(encoding="utf-8")
