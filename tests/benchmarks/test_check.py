"""The check names what got worse, passes what did not, and redirects what it measures."""

import json
import sys

import pytest

from benchmarks import check
from benchmarks.kit import record

MACHINE = {"cpu": "one", "cores": 2, "threads": 2, "torch": "2", "python": "3.11"}


def run(commit, machine=MACHINE, **cells):
    return {"date": "2000-01-01", "commit": commit, "machine": machine, "cells": cells}


def write(folder, name, *runs):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in runs))


OLD = run("aaa", step={"ratio": 2.0, "ratio_memory": 1.5, "seconds": 1.0}, other={"ratio": 3.0})


def test_a_fall_of_more_than_a_tenth_is_named_with_both_values_and_the_commit(tmp_path, capsys):
    new = run("bbb", step={"ratio": 1.79, "ratio_memory": 1.36, "seconds": 9.0}, other={"ratio": 3.0})
    write(tmp_path, "made_up", OLD, new)
    assert check.report(check.recorded_pairs(tmp_path)) == 1
    told = capsys.readouterr().out
    assert "worse: made_up, step, ratio: 1.79, recorded 2 at aaa" in told
    assert "1 of 3 ratios" in told
    assert "ratio_memory" not in told


def test_improvements_and_small_falls_pass(tmp_path):
    new = run("bbb", step={"ratio": 4.0, "ratio_memory": 1.351, "seconds": 9.0}, other={"ratio": 2.7})
    write(tmp_path, "made_up", OLD, new)
    assert check.report(check.recorded_pairs(tmp_path)) == 0


def test_only_the_last_recorded_run_counts(tmp_path):
    low = run("aaa", step={"ratio": 1.0})
    write(tmp_path, "made_up", run("old", step={"ratio": 9.0}), low, run("bbb", step={"ratio": 1.0}))
    assert check.report(check.recorded_pairs(tmp_path)) == 0


@pytest.mark.parametrize("value", [float("nan"), 0.0])
def test_what_is_no_number_or_gone_is_worse(value):
    assert [w.found for w in check.worse("x", run("b", step={"ratio": value}), OLD)][1:] == [None, None]
    assert len(check.worse("x", run("b", step={"ratio": value}), OLD)) == 3


def test_another_machine_is_said(tmp_path, capsys):
    write(tmp_path, "made_up", OLD, {**OLD, "machine": {**MACHINE, "cpu": "two"}})
    assert check.report(check.recorded_pairs(tmp_path)) == 0
    assert "another machine: cpu was 'one', is 'two'" in capsys.readouterr().out


def test_a_first_run_has_nothing_to_compare_with_and_a_missing_one_fails(tmp_path, capsys):
    write(tmp_path / "now", "first", OLD)
    write(tmp_path / "results", "missing", OLD)
    assert check.report(check.measured_pairs(["first"], tmp_path / "now", tmp_path / "results")) == 0
    assert check.report(check.measured_pairs(["missing"], tmp_path / "now", tmp_path / "results")) == 1
    assert "nothing was measured" in capsys.readouterr().out


def test_a_measured_run_is_held_against_the_last_recorded(tmp_path):
    write(tmp_path / "now", "made_up", run("bbb", step={"ratio": 1.0, "ratio_memory": 1.5}, other={"ratio": 3.0}))
    write(tmp_path / "results", "made_up", OLD)
    assert check.report(check.measured_pairs(["made_up"], tmp_path / "now", tmp_path / "results")) == 1


def test_measuring_leaves_the_recorded_results_alone(tmp_path, monkeypatch):
    """A made-up benchmark that records as every script does."""
    (tmp_path / "made_up_benchmark.py").write_text(
        "import sys\nfrom benchmarks.kit import record\n"
        "record.add('made_up', {'words': sys.argv[1:]}, {'a': {'ratio': 2.0}})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(record, "add", record.add)
    monkeypatch.setattr(sys, "argv", ["check", check.MEASURE, str(tmp_path), "made_up_benchmark", "--quick"])
    assert check.main() == 0
    (found,) = record.runs("made_up", tmp_path)
    assert found["cells"] == {"a": {"ratio": 2.0}}
    assert found["machine"] == {"words": ["--quick"]}
    assert not (record.RESULTS / "made_up.jsonl").exists()


@pytest.mark.parametrize("options", [["--record"], []])
def test_only_what_is_asked_for_is_measured_and_kept(options, tmp_path, monkeypatch):
    """The suite's processes stand in as a made-up result."""
    calls = []
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    write(tmp_path / "results", "step_S", OLD)

    def measure(names, folder):
        calls.append(names)
        runs = [*record.runs("step_S", folder), run("bbb", step={"ratio": 1.0})]
        write(folder, "step_S", *runs)

    monkeypatch.setattr(check, "measure", measure)
    monkeypatch.setattr(sys, "argv", ["check", "--only", "step_S", *options])
    assert check.main() == (0 if options else 1)
    assert calls == [["step_S"]]
    assert len(record.runs("step_S", tmp_path / "results")) == (2 if options else 1)


def test_every_benchmark_of_the_suite_can_be_run():
    import importlib.util

    assert all(importlib.util.find_spec(command[0]) for command in check.SUITE.values())
