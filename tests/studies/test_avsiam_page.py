"""The page of AVSiam's study: of made-up results, every table stands, and a claim that fails is said to fail."""

import json

from studies import avsiam_page
from studies.avsiam_page import COLUMNS, WAYS


def run(both, recall):
    names = [name for name in COLUMNS.values() if "*" not in name]
    names += [name.replace("*", way) for name in COLUMNS.values() if "*" in name for way in WAYS]
    figures = [
        {
            "name": name,
            "value": both if name == COLUMNS["both"] else 0.4,
            "untrained": 0.1,
            "chance": 0.05,
            "ceiling": 1.0,
            "baselines": {"raw features": 0.2},
        }
        for name in names
    ]
    figures.append({"name": "val/linear-probe/both/top-1", "value": 0.7})
    curve = [{"step": step, "R@1": recall * step / 100} for step in (50, 100)]
    return {"figures": figures, "curve": curve}


def test_tables_costs_and_verdicts(tmp_path, monkeypatch):
    cost = {
        "seconds": 0.2,
        "tokens": 9000,
        "peak_mebibytes": 500.0,
        "idle_mebibytes": 300.0,
        "encoder_parameters": 10,
        "parameters": 20,
    }
    fine = {"name": "fine-tuned/both/top-1", "value": 0.8, "chance": 0.05}
    result = {
        "world": "abc", "clips": {"train": 40, "val": 10, "test": 20}, "steps": 100,
        "costs": {
            "multi-ratio": cost,
            "CAV-MAE": cost | {"seconds": 0.4},
            "no masking": cost | {"peak_mebibytes": 700.0},
        },
        "arms": {
            "multi-ratio": {"0": run(0.70, 0.05), "1": run(0.72, 0.06)},
            "CAV-MAE": {"0": run(0.75, 0.04), "1": run(0.71, 0.04)},
        },
        "finetuned": {"AVSiam, mixed": {"0": {"figures": [fine]}}},
    }  # fmt: skip
    for name, file in (("RESULT", "result.json"), ("PAGE", "page.md"), ("PICTURES", "images")):
        monkeypatch.setattr(avsiam_page, name, tmp_path / file)
    monkeypatch.setattr("sys.argv", ["avsiam_page"])
    monkeypatch.setattr(avsiam_page, "shared_and_separate", lambda scale: None)
    (tmp_path / "result.json").write_text(json.dumps(result))
    avsiam_page.main()
    page = (tmp_path / "page.md").read_text()
    assert "| multi-ratio | 40.0 ± 0.0 | 40.0 ± 0.0 | 71.0 ± 1.4 |" in page
    assert "| multi-ratio | 200 | 9,000 | 500 MiB | 160 | 10 | 20 | 100 | 20 |" in page  # to an R@1 of 4 %
    assert "AVSiam beats CAV-MAE: sound +0.0 ± 0.0 points (not in every seed)" in page
    assert "both -2.0 ± 4.2 points (not in every seed)" in page
    assert "| AVSiam, mixed |  |  | 80.0 |" in page
    assert (tmp_path / "images" / "avsiam_curves.svg").stat().st_size > 5_000
