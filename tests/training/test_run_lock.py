import json
import os
import signal
import time

import pytest

from seehear.errors import StorageError, UsageError
from seehear.training.run_lock import LOCK, run_lock
from tests.training.children import hold
from tests.training.processes import exit_codes, start


def test_a_folder_in_use_is_refused_and_a_stale_lock_is_taken_over(tmp_path):
    ready = tmp_path / "ready"
    holder = start(hold, tmp_path, ready)
    while not ready.exists():
        time.sleep(0.01)
    with pytest.raises(UsageError, match=f"in use by process {holder.pid} .*delete"), run_lock(tmp_path):
        pass
    os.kill(holder.pid, signal.SIGKILL)
    assert exit_codes([holder]) == [-signal.SIGKILL]
    with run_lock(tmp_path) as stale:
        assert stale


def test_a_lock_given_back_is_free(tmp_path):
    for _ in range(2):
        with run_lock(tmp_path) as stale:
            assert not stale


def test_one_process_cannot_take_it_twice(tmp_path):
    with run_lock(tmp_path):
        with pytest.raises(UsageError, match="in use"), run_lock(tmp_path):
            pass
        assert json.loads((tmp_path / LOCK).read_text())["pid"] == os.getpid()


def test_a_reused_process_id_does_not_count_as_the_holder(tmp_path):
    with run_lock(tmp_path):
        holder = json.loads((tmp_path / LOCK).read_text())
    (tmp_path / LOCK).write_text(json.dumps(holder | {"started": holder["started"] + 1}))
    with run_lock(tmp_path) as stale:
        assert stale


def test_a_process_on_another_machine_counts_as_live(tmp_path):
    (tmp_path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": 0}))
    with pytest.raises(UsageError, match="on elsewhere"), run_lock(tmp_path):
        pass


def test_a_torn_lock_is_free(tmp_path):
    (tmp_path / LOCK).write_text('{"pid": 1')
    with run_lock(tmp_path):
        pass


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"), run_lock(tmp_path / "missing"):
        pass
