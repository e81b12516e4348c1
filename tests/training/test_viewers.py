import sys

import pytest

from seehear.errors import UsageError
from seehear.training import TensorBoardViewer


def test_without_tensorboard_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    with pytest.raises(UsageError, match=r"TensorBoard is not installed; try: pip install 'seehear\[tensorboard\]'"):
        TensorBoardViewer(tmp_path)


@pytest.mark.full
def test_tensorboard_reads_back_what_was_logged(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    viewer = TensorBoardViewer(tmp_path)
    for step in (1, 2):
        viewer.log(step, {"loss": 1.0 / step})
    viewer.close()
    found = reader.EventAccumulator(str(tmp_path))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(1, 1.0), (2, 0.5)]
