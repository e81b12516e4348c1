"""Several collections as one: every clip as its own collection reads it."""

import numpy as np
import pytest

from seehear.clips.clip import Clip
from seehear.clips.joined import JoinedClips
from seehear.clips.memory import MemoryClips
from seehear.contracts import AudioNeed, Needs
from seehear.errors import DataError


def collection(names, seed, label):
    generator = np.random.default_rng(seed)
    return MemoryClips(
        Clip(
            id=name,
            source=f"{name}.wav",
            start_seconds=0.0,
            duration_seconds=1.0,
            split="train",
            labels=[label],
            caption="",
            audio=generator.integers(-9, 9, 16_000).astype(np.int16),
            truth={"seed": seed},
        )
        for name in names
    )


def test_clips_are_those_of_their_collections_in_any_order():
    parts = [collection(["a", "b"], 0, "dog"), collection(["c"], 1, "bell"), collection(["d", "e"], 2, "dog")]
    joined, needs = JoinedClips(parts), Needs(audio=AudioNeed(1.0))
    assert joined.names == ["a", "b", "c", "d", "e"]
    assert joined.label_names == ("bell", "dog")
    assert joined.labels == [["dog"], ["dog"], ["bell"], ["dog"], ["dog"]]
    order = [4, 0, 2, 1, 3]
    expected = [parts[0].read(0, needs), parts[0].read(1, needs), parts[1].read(0, needs)]
    expected += [parts[2].read(0, needs), parts[2].read(1, needs)]
    for place, clip in zip(order, joined.read_many(order, needs), strict=True):
        assert np.array_equal(clip.audio, expected[place].audio)
        assert clip.id == expected[place].id
    assert [joined.truth(i)["seed"] for i in range(5)] == [0, 0, 1, 2, 2]
    part = joined.subset(indices=[3, 1])
    assert part.read(0, needs).id == "d"


def test_names_that_are_taken_get_a_number_in_front():
    joined = JoinedClips([collection(["a", "b"], 0, "dog"), collection(["b", "c"], 1, "dog")])
    assert joined.names == ["a", "b", "2/b", "2/c"]
    assert len(set(joined.ids.tolist())) == 4


def test_identity_depends_on_every_part():
    one, two, three = (collection([n], s, "dog") for n, s in (("a", 0), ("b", 1), ("b", 2)))
    assert JoinedClips([one, two]).fingerprint != JoinedClips([one, three]).fingerprint
    with pytest.raises(DataError):
        JoinedClips([])
