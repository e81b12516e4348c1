"""What all tests share: hypothesis draws the same examples on every machine, and no example is timed."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


@pytest.fixture(scope="session")
def real_clips() -> Path:
    """The folder of real recordings that SEEHEAR_MEDIA names; the test is skipped where it names none."""
    folder = os.environ.get("SEEHEAR_MEDIA")
    if not folder:
        pytest.skip("SEEHEAR_MEDIA names no folder of real clips")
    return Path(folder)
