"""Checkpoints written beside training: one at a time, waited for, errors told, and the state of their own step."""

import errno
import hashlib
import os
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from seehear.errors import DataError, StorageError
from seehear.training import Trainer, latest_checkpoint, open_checkpoint
from seehear.training.background_writer import BackgroundWriter
from seehear.training.logs import read_lines
from seehear.training.staging import Staging
from seehear.training.tensor_file import TYPES, write_tensors
from tests.training.children import train_rank
from tests.training.processes import exit_codes, start_ranks
from tests.training.stubs import MemoryStream, TwoTowers, record_of, stub_config

SETTINGS = {"checkpoint_async": True, "method": TwoTowers.Config(rows=True, tied=True)}


def run(folder, *, hook=None, after=lambda name: None, **settings):
    config = stub_config(**(SETTINGS | settings))
    return Trainer(TwoTowers(config.method), MemoryStream(hook=hook), config, folder, after_file_operation=after).run()


# ----------------------------------------------------------------------------------------------------------- the job
def test_one_job_at_a_time():
    writer, go, order = BackgroundWriter(), threading.Event(), []

    def first():
        go.wait(10)
        order.append("first")

    writer.start(first)
    threading.Timer(0.05, go.set).start()
    writer.start(lambda: order.append("second"))
    writer.wait()
    assert order == ["first", "second"]


def test_the_error_of_a_job_is_told_once():
    writer = BackgroundWriter()

    def fail():
        raise StorageError("the disk is full")

    writer.start(fail)
    with pytest.raises(StorageError, match="the disk is full"):
        writer.start(pytest.fail)
    assert not writer.failed
    writer.wait()


# ---------------------------------------------------------------------------------------------------------- the copy
def test_a_copy_keeps_its_values_and_its_memory():
    base = torch.arange(12.0).reshape(3, 4)
    files = {"a": {"base": base, "same": base, "turned": base.T, "empty": base[:0]}, "b": {"flag": base[0] > 1}}
    staging = Staging(torch.device("cpu"))
    first = staging.copy(files)
    before = {file: {name: t.clone() for name, t in tensors.items()} for file, tensors in files.items()}
    base += 1
    for file, tensors in before.items():
        for name, tensor in tensors.items():
            assert torch.equal(first[file][name], tensor)
            assert first[file][name].is_contiguous()
    assert first["a"]["same"] is first["a"]["base"]
    assert first["a"]["turned"].data_ptr() != first["a"]["base"].data_ptr()
    again = staging.copy(files)
    assert again["a"]["base"].data_ptr() == first["a"]["base"].data_ptr()
    assert torch.equal(again["a"]["base"], base)


shapes = st.lists(st.integers(0, 5), max_size=3)


@given(st.lists(st.tuples(st.sampled_from(list(TYPES)), shapes), min_size=1, max_size=6))
def test_a_file_is_read_by_the_library_and_its_hash_is_right(tmp_path_factory, parts):
    generator = torch.Generator().manual_seed(len(parts))
    tensors = {
        f"part {i} ä": torch.randint(0, 2, shape, generator=generator).to(dtype)
        for i, (dtype, shape) in enumerate(parts)
    }
    tensors["turned"] = torch.arange(6).reshape(2, 3).T
    folder = tmp_path_factory.mktemp("file")
    digest = write_tensors(folder / "own", tensors)
    found = load_file(folder / "own")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert digest == hashlib.sha256((folder / "own").read_bytes()).hexdigest()


def test_a_type_without_a_name_is_refused(tmp_path):
    with pytest.raises(StorageError, match=r"w is of type torch\.complex64; expected one of torch\.float64"):
        write_tensors(tmp_path / "file", {"w": torch.zeros(2, dtype=torch.complex64)})


# ----------------------------------------------------------------------------------------------------------- the run
def test_both_ways_leave_the_same_record(tmp_path):
    for name, beside in (("in place", False), ("beside", True)):
        run(tmp_path / name, checkpoint_async=beside)
    assert record_of(tmp_path / "in place") == record_of(tmp_path / "beside")


def test_training_goes_on_while_a_checkpoint_of_an_earlier_step_is_written(tmp_path):
    """The write of step 4 is held until step 6 has begun; what it holds is still the state and the logs of step 4."""
    begun, waited = threading.Event(), []

    def after(operation):
        if operation == "make folder" and not waited:
            waited.append(begun.wait(20))

    def hook(step):
        if step == 6:
            assert latest_checkpoint(tmp_path / "held") is None
            begun.set()
        if step == 7:
            raise DataError("the end of this test")

    with pytest.raises(DataError):
        run(tmp_path / "held", hook=hook, after=after)
    assert waited == [True]
    run(tmp_path / "short", checkpoint_async=False, keep_checkpoints=9)
    held = open_checkpoint(latest_checkpoint(tmp_path / "held"))
    plain = open_checkpoint(tmp_path / "short" / "checkpoints" / held.path.name)
    assert held.step == 4
    assert held.state["sha256"] == plain.state["sha256"]
    assert held.state["logs"] == plain.state["logs"]
    assert held.state["sampler"] == plain.state["sampler"]


def test_an_error_is_raised_at_the_next_step(tmp_path):
    steps = []

    def after(operation):
        if operation == "write weights":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def hook(step):
        steps.append(step)
        for thread in threading.enumerate():
            if thread.name == "checkpoint":
                thread.join(20)

    with pytest.raises(StorageError, match=r"step-00000004 could not be saved.*the disk is full"):
        run(tmp_path, hook=hook, after=after)
    assert steps == [0, 1, 2, 3, 4]
    assert latest_checkpoint(tmp_path) is None


def test_an_error_of_the_last_write_ends_the_run(tmp_path):
    def after(operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(StorageError, match="step-00000012 could not be saved"):
        run(tmp_path, after=after, checkpoint_every=12)
    assert "done" not in [e["event"] for e in read_lines(tmp_path / "events.jsonl")]


def test_an_error_of_a_write_does_not_hide_what_ended_the_run(tmp_path):
    ended = threading.Event()

    def after(operation):
        ended.wait(20)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def hook(step):
        if step == 5:
            ended.set()
            raise DataError("broken clips")

    with pytest.raises(DataError, match="broken clips"):
        run(tmp_path, hook=hook, after=after)
    texts = [e.get("text", "") for e in read_lines(tmp_path / "events.jsonl")]
    assert any("step-00000004 could not be saved" in text for text in texts)


def test_memory_is_taken_once_after_the_first_step(tmp_path, monkeypatch):
    taken = []

    class Watched(Staging):
        def prepare(self, files):
            before = self._block.data_ptr()
            super().prepare(files)
            taken.append(self._block.data_ptr() != before)

    monkeypatch.setattr("seehear.training.run_state.Staging", Watched)
    run(tmp_path)
    assert taken == [True, False, False, False]  # prepared, then three saves


def test_the_stall_is_told(tmp_path):
    run(tmp_path)
    stalls = [
        line["checkpoint_seconds"] for line in read_lines(tmp_path / "timing.jsonl") if "checkpoint_seconds" in line
    ]
    assert len(stalls) == 3
    assert all(0 < stall < 10 for stall in stalls)


def test_several_ranks_write_beside_and_fail_together(tmp_path):
    settings = {"steps": 6, "checkpoint_async": True}
    method = TwoTowers.Config(rows=True)
    assert exit_codes(start_ranks(2, train_rank, tmp_path / "beside", method, settings)) == [0, 0]
    assert exit_codes(
        start_ranks(2, train_rank, tmp_path / "place", method, settings | {"checkpoint_async": False})
    ) == [0, 0]
    assert record_of(tmp_path / "beside") == record_of(tmp_path / "place")
    folder = tmp_path / "full" / "checkpoints"
    folder.parent.mkdir()
    folder.write_text("a file where a folder must be")
    assert exit_codes(start_ranks(2, train_rank, tmp_path / "full", method, settings)) == [5, 5]
