"""The unit world, built and packed once for all tests of runs."""

from pathlib import Path

import pytest

from seehear import clips, world


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of the unit world; the world itself lies beside it in `world`."""
    root = tmp_path_factory.mktemp("world")
    world.build(root / "world", "unit", workers=1)
    clips.pack(root / "world", root / "clips.lance", clip_seconds=1.6, hop=1.6, frames=4, size=32, workers=1)
    return root / "clips.lance"
