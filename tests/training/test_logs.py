import json

import pytest

from seehear.contracts import Figure
from seehear.errors import StorageError
from seehear.training.logs import RunLogs, read_figures, read_lines


def test_exact_logs_are_cut_back_and_later_evaluations_dropped(tmp_path):
    logs, lengths = RunLogs(tmp_path), []
    for step in (1, 2):
        logs.metrics(step, 0.1 * step, {"loss": 1.0 / step})
        logs.samples(step, [step], [])
        logs.figures(step, 0.0, [Figure("R@1", 0.5, chance=0.1)])
        lengths.append(logs.settle())
    logs.event("start", 0)
    logs.close()
    again = RunLogs(tmp_path)
    assert again.cut_back(lengths[0], step=1) == []
    again.metrics(2, 0.2, {"loss": 7.0})
    again.close()
    assert [line["loss"] for line in read_lines(tmp_path / "metrics.jsonl")] == [1.0, 7.0]
    assert [line["step"] for line in read_lines(tmp_path / "samples.jsonl")] == [1]
    assert read_figures(tmp_path, 1) == (Figure("R@1", 0.5, chance=0.1),)
    assert read_figures(tmp_path, 2) is None
    assert len(read_lines(tmp_path / "events.jsonl")) == 1


def test_a_log_that_someone_shortened_is_named(tmp_path):
    logs = RunLogs(tmp_path)
    assert logs.cut_back({"metrics.jsonl": 10}, 1) == ["metrics.jsonl"]
    logs.close()


def test_a_torn_last_line_is_left_out_and_a_damaged_one_refused(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"ste')
    assert read_lines(path) == [{"step": 1}]
    path.write_text('{"ste\n{"step": 1}\n')
    with pytest.raises(StorageError, match="not JSON"):
        read_lines(path)


def test_what_is_not_finite_becomes_null(tmp_path):
    logs = RunLogs(tmp_path)
    logs.metrics(1, 0.0, {"loss": float("nan"), "norm": float("inf"), "accuracy": 0.5})
    logs.close()
    line = json.loads((tmp_path / "metrics.jsonl").read_text(), parse_constant=pytest.fail)
    assert line == {"step": 1, "epoch": 0.0, "loss": None, "norm": None, "accuracy": 0.5}


def test_other_ranks_write_nothing(tmp_path):
    logs = RunLogs(tmp_path, writes=False)
    logs.metrics(1, 0.0, {"loss": 1.0})
    assert logs.settle() == {}
    assert logs.cut_back({"metrics.jsonl": 9}, 0) == []
    logs.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match=r"cannot write .*No such file"):
        RunLogs(tmp_path / "missing")
