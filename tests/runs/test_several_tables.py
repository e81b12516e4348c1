"""Several tables at once: what a run trains on, and what it is evaluated on."""

from dataclasses import replace

import pytest

from seehear import clips
from seehear.contracts import AudioNeed, Needs
from seehear.errors import SeeHearError
from seehear.runs.splits import open_split
from seehear.training import DataConfig
from tests.clips.test_joined import collection

NEEDS = Needs(audio=AudioNeed(1.0))


def test_training_clips_are_those_of_all_tables(tmp_path):
    for name, seed in (("one", 0), ("two", 1)):
        clips.pack(collection([f"{name}-{i}" for i in range(3)], seed, name), str(tmp_path / name) + ".lance",
                   modality="audio")  # fmt: skip
    data = DataConfig(table=f"{tmp_path}/one.lance", more_tables=(f"{tmp_path}/two.lance",))
    together = open_split(data, "train", NEEDS)
    assert sorted(together.names) == [f"{name}-{i}" for name in ("one", "two") for i in range(3)]
    assert together.label_names == ("one", "two")
    assert len(open_split(replace(data, more_tables=()), "train", NEEDS)) == 3
    assert len(open_split(data, "train", NEEDS, f"{tmp_path}/two.lance")) == 3
    with pytest.raises(SeeHearError, match="none"):
        open_split(replace(data, more_tables=(f"{tmp_path}/none.lance",)), "train", NEEDS)
