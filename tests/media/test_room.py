"""The room as a whole: what it offers, and what importing it costs."""

import subprocess
import sys

import pytest

import seehear.media


def test_every_public_name_resolves():
    for name in seehear.media.__all__:
        assert getattr(seehear.media, name) is not None
        assert name in dir(seehear.media)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = seehear.media.nothing


@pytest.mark.parametrize("use", ["", "; seehear.media.Limits", "; seehear.media.Pool; seehear.media.MediaInfo"])
def test_importing_the_room_loads_no_heavy_library(use):
    program = f"import sys, seehear.media{use}; print([m for m in ('av', 'PIL', 'torch', 'scipy') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_leaf_may_be_imported_first_without_hiding_the_function():
    program = "import seehear.media.probing; from seehear.media import probe; print(callable(probe))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"
