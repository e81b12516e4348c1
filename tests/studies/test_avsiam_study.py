"""The study of AVSiam's claims: one cell runs, is kept, and is gathered."""

import json
from dataclasses import replace

from studies import avsiam


def test_one_cell_runs_is_kept_and_is_gathered(tmp_path, monkeypatch):
    scale = replace(
        avsiam.SMOKE, folder=tmp_path, clips=(("train", 20), ("val", 10), ("test", 10)), steps=2, gallery=10
    )
    fingerprint = avsiam.make_table(scale)
    avsiam.run_cell(scale, "fixed 0.25", 0, None)
    result = avsiam.cell(scale, "fixed 0.25", 0) / "result.json"
    found = json.loads(result.read_text())
    assert [point["step"] for point in found["curve"]] == [1, 2]
    names = {figure["name"] for figure in found["figures"]}
    assert {"retrieval/audio-to-image/R@1", "linear-probe/both/top-1", "missing-modality/audio only/top-1"} <= names
    assert all(figure["untrained"] is not None for figure in found["figures"] if figure["name"].startswith("linear"))
    written = result.stat().st_mtime_ns
    avsiam.run_cell(scale, "fixed 0.25", 0, None)
    assert result.stat().st_mtime_ns == written
    monkeypatch.setattr(avsiam, "RESULT", tmp_path / "all.json")
    avsiam.gather(scale, fingerprint)
    gathered = json.loads((tmp_path / "all.json").read_text())
    assert list(gathered["arms"]) == ["fixed 0.25"]
    assert gathered["world"] == fingerprint


def test_every_arm_builds_and_deals_evenly():
    for arm in avsiam.ARMS:
        config = avsiam.configuration(avsiam.Scale(), arm, 0)
        method = avsiam.build_method(config)
        assert config.data.global_batch % method.batch_multiple == 0, arm


def test_time_that_is_up_stops_before_the_next_cell(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(avsiam, "RESULT", tmp_path / "all.json")
    monkeypatch.setattr(avsiam, "make_table", lambda scale: "world")
    monkeypatch.setattr(avsiam, "run_cell", lambda scale, arm, seed, until: begun.append(arm))
    monkeypatch.setattr("sys.argv", ["avsiam", "--minutes", "0"])
    avsiam.main()
    assert begun == []
