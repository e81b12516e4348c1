"""Tables to search in, made once."""

import shutil
from pathlib import Path

import pytest

from tests.search import made_tables


@pytest.fixture(scope="session")
def packed_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 clips of the world, of which one has only sound and one only pictures; no model has embedded it."""
    made = made_tables.world_clips(24)
    made[22].id, made[22].frames, made[22].frame_seconds = made_tables.ONLY_SOUND, None, None
    made[23].id, made[23].audio = made_tables.ONLY_PICTURE, None
    return made_tables.pack(made, tmp_path_factory.mktemp("packed") / "clips.lance")


@pytest.fixture(scope="session")
def embedded_table(packed_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same embedded by the model that ships with the package; not to be written to."""
    table = tmp_path_factory.mktemp("embedded") / "clips.lance"
    shutil.copytree(packed_table, table)
    made_tables.embed(table)
    return table


@pytest.fixture
def own_table(embedded_table: Path, tmp_path: Path) -> Path:
    """A copy of the embedded table, to write to."""
    return Path(shutil.copytree(embedded_table, tmp_path / "clips.lance"))
