import errno
import os
import signal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import StorageError
from seehear.training.checkpoints import (
    MARK,
    STATE,
    keep_newest,
    latest_checkpoint,
    open_checkpoint,
    remove_checkpoint,
    save_checkpoint,
)
from seehear.training.run_state import join, separate
from tests.training.children import killed_save, limited_save, save
from tests.training.processes import exit_codes, start

OPERATIONS = 12  # of a save with two files


def test_tensors_and_state_come_back(tmp_path):
    checkpoint = open_checkpoint(save(tmp_path, 7))
    assert checkpoint.step == 7
    assert checkpoint.state["note"] == "step 7"
    assert torch.equal(checkpoint.tensors("moments")["m"], torch.arange(7))


def test_shared_views_and_transposed_tensors_come_back(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {"base": base, "same": base, "turned": base.T, "row": base[1], "empty": base[:0], "scalar": base.sum()}
    checkpoint = open_checkpoint(save_checkpoint(tmp_path, 1, {"weights": tensors}, {}))
    found = checkpoint.tensors("weights")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    assert checkpoint.state["aliases"] == {"weights": {"same": "base"}}


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.int64, torch.bool, torch.uint8])
def test_types_are_kept(tmp_path, dtype):
    value = torch.tensor([0, 1, 1]).to(dtype)
    checkpoint = open_checkpoint(save_checkpoint(tmp_path, 1, {"weights": {"v": value}}, {}))
    assert checkpoint.tensors("weights")["v"].dtype == dtype
    assert torch.equal(checkpoint.tensors("weights")["v"], value)


def count_operations(tmp_path, namesake=False):
    told = []
    save(tmp_path, 2)
    if namesake:
        (tmp_path / "step-00000003").mkdir()
    save(tmp_path, 3, after=told.append)
    return told


def test_a_kill_after_any_file_operation_leaves_a_whole_checkpoint(tmp_path):
    operations = count_operations(tmp_path / "count")
    assert len(operations) == len(set(operations)) == OPERATIONS
    roots = {name: tmp_path / name.replace(" ", "-") for name in operations}
    for root in roots.values():
        save(root, 1)
    processes = [start(killed_save, root, name) for name, root in roots.items()]
    assert exit_codes(processes) == [-signal.SIGKILL] * OPERATIONS
    found = []
    for root in roots.values():
        warnings = []
        found.append(open_checkpoint(latest_checkpoint(root, warnings.append)).step)
        assert all("was not completed" in text for text in warnings)
        save(root, 2)  # the next save goes through whatever was left
        keep_newest(root, 1, 2)
        assert [p.name for p in root.iterdir()] == ["step-00000002"]
    assert found == sorted(found)  # the old one up to the mark, the new one from then on
    assert found[0] == 1
    assert found[-1] == 2


def test_a_file_that_the_disk_does_not_take_is_a_storage_error(tmp_path):
    roots = {limit: tmp_path / str(limit) for limit in (0, 80, 200)}
    for root in roots.values():
        save(root, 1)
    assert exit_codes([start(limited_save, root, limit) for limit, root in roots.items()]) == [5, 5, 5]
    for root in roots.values():
        assert [p.name for p in root.iterdir()] == ["step-00000001"]
        assert open_checkpoint(latest_checkpoint(root)).step == 1


@pytest.mark.parametrize("point", range(OPERATIONS))
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_at_any_point_keeps_the_old_checkpoint(tmp_path, point, number):
    save(tmp_path, 1)
    operations = iter(range(OPERATIONS))

    def fail(name):
        if next(operations) == point:
            raise OSError(number, os.strerror(number))

    with pytest.raises(StorageError, match=r"step-00000002 could not be saved.*(full|damaged).*free space"):
        save(tmp_path, 2, after=fail)
    assert not list(tmp_path.glob(".*"))
    assert open_checkpoint(latest_checkpoint(tmp_path, lambda text: None)).step in (1, 2)
    save(tmp_path, 2)
    assert open_checkpoint(latest_checkpoint(tmp_path)).step == 2


def test_a_namesake_is_replaced(tmp_path):
    assert len(count_operations(tmp_path, namesake=True)) == OPERATIONS + 1
    assert open_checkpoint(latest_checkpoint(tmp_path)).step == 3


@pytest.mark.parametrize("name", ["weights.safetensors", "moments.safetensors", STATE, MARK])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_checkpoint_is_named_and_passed_over(tmp_path, name, damage):
    older, newer = save(tmp_path, 1), save(tmp_path, 2)
    content = bytearray((newer / name).read_bytes())
    content[-2] ^= 1
    if damage == "remove":
        (newer / name).unlink()
    else:
        (newer / name).write_bytes(content if damage == "flip" else content[:-2])
    with pytest.warns(UserWarning, match=rf"passing over the checkpoint .*{newer.name}"):
        assert latest_checkpoint(tmp_path) == older
    with pytest.raises(StorageError, match="is damaged"):
        open_checkpoint(newer)


def test_the_newest_goes_by_step_not_by_time(tmp_path):
    for step in (9, 10, 2):
        save(tmp_path, step)
    assert latest_checkpoint(tmp_path).name == "step-00000010"
    assert latest_checkpoint(tmp_path / "nothing-here") is None


def test_only_the_newest_are_kept(tmp_path):
    for step in (1, 2, 3):
        save(tmp_path, step)
    remove_checkpoint(save(tmp_path, 4))
    (tmp_path / "step-00000004").mkdir()  # torn
    save(tmp_path, 9)  # whole by its mark, but the run went on from 3: its content was damaged
    save(tmp_path, 5)
    keep_newest(tmp_path, 2, 5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000003", "step-00000005"]


def test_another_format_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("seehear.training.checkpoints.FORMAT_VERSION", 99)
    path = save(tmp_path, 1)
    monkeypatch.undo()
    with pytest.raises(StorageError, match=r"format_version is 99; expected 1.*no override"):
        open_checkpoint(path)


def test_nothing_is_pickled(tmp_path):
    for path in save(tmp_path, 1).iterdir():
        assert path.suffix in (".safetensors", ".json", "")
        assert not path.read_bytes().startswith((b"\x80", b"PK"))


leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False), st.text())
trees = st.dictionaries(st.text(max_size=3), st.recursive(leaves, lambda t: st.lists(t, max_size=3), max_leaves=5))


@given(trees)
def test_trees_are_separated_and_joined(tree):
    state = {"plain": tree, "array": np.arange(3), "deep": [{"tensor": torch.ones(2)}], "number": np.int64(4)}
    tensors = {}
    plain = separate(state, tensors)
    back = join(plain, tensors)
    assert back["plain"] == tree
    assert back["number"] == 4
    assert isinstance(back["array"], np.ndarray)
    assert torch.equal(back["deep"][0]["tensor"], torch.ones(2))


def test_a_state_that_is_no_data_is_refused():
    with pytest.raises(StorageError, match=r"holds a set at .\.seen."):
        separate({"seen": {1}}, {})
