import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seehear.clips.index as index_module
from seehear.clips import Clip, MemoryClips
from seehear.clips.index import LabelCodes, sample_ids
from seehear.errors import DataError, UsageError
from seehear.randomness import stable_hash
from tests.clips.made_clips import NEEDS, make_clip, make_clips

label_lists = st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4), min_size=1, max_size=12)


@given(label_lists, st.data())
def test_label_codes_hold_the_lists(labels: list[list[str]], data: st.DataObject) -> None:
    codes = LabelCodes.of(labels)
    assert codes.names == tuple(sorted({name for row in labels for name in row}))
    chosen = np.array(data.draw(st.lists(st.integers(0, len(labels) - 1), max_size=8)), dtype=np.int64)
    part = codes.take(chosen)
    assert [part.of_clip(i) for i in range(len(part))] == [labels[i] for i in chosen]
    expected = [[float(name in labels[i]) for name in codes.names] for i in chosen]
    assert part.matrix(np.arange(len(part))).tolist() == codes.matrix(chosen).tolist() == expected


def test_ids_are_hashes_of_names() -> None:
    assert sample_ids(["a", "b"]).tolist() == [stable_hash("a"), stable_hash("b")]


def test_equal_names_and_equal_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="'a' occurs 3 times"):
        sample_ids(["a", "b", "a", "a"])
    monkeypatch.setattr(index_module, "stable_hash", lambda name: 7)
    with pytest.raises(DataError, match="'a' and 'b' have the same number 7"):
        sample_ids(["a", "b"])


def test_subset_by_split_and_indices() -> None:
    clips = make_clips(8)
    test = clips.subset(split="test")
    assert test.names == ["clip3", "clip7"]
    assert test.label_names == clips.label_names == ("class0", "class1", "class2")
    assert clips.subset(split="train", indices=[7, 6, 5]).names == ["clip6", "clip5"]
    inner = test.subset(indices=[1])
    assert inner.read(0, NEEDS).id == "clip7"
    assert inner.truth(0) == {"number": 7}
    assert inner.label_matrix([0]).tolist() == [[0, 1, 0]]
    with pytest.raises(UsageError, match="try: test"):
        clips.subset(split="tset")
    with pytest.raises(UsageError, match="index 8"):
        clips.subset(indices=[8])


def test_fingerprint_is_of_content_and_choice_but_not_of_order() -> None:
    clips = make_clips(6)
    assert clips.fingerprint == make_clips(6).fingerprint
    assert clips.subset(indices=[4, 1]).fingerprint == clips.subset(indices=[1, 4]).fingerprint
    changed = make_clip(5)
    assert changed.audio is not None
    changed.audio[7] += 1
    others = [clips.subset(indices=[1]), make_clips(7), MemoryClips([*map(make_clip, range(5)), changed])]
    assert len({clips.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_memory_clips_read_what_is_asked_for() -> None:
    clips = make_clips(3)
    clip = clips.read(2, NEEDS)
    assert clip.frames is not None
    assert clip.audio is not None
    assert clip.frames[:, 0, 0].tolist() == [[2, 0, 0], [2, 0, 0]]  # of frames at 0.02, 0.06, ... s one is in 0.05 s
    assert clip.audio.tolist() == (200 + np.arange(800) % 100).tolist()
    assert clip.truth == {"number": 2}


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match="uint8"):
        MemoryClips([Clip("a", frames=np.zeros((2, 8, 8), np.uint8))])
    with pytest.raises(UsageError, match="int16"):
        MemoryClips([Clip("a", audio=np.zeros(9))])
    with pytest.raises(UsageError, match="2 frames and 1 times"):
        MemoryClips([Clip("a", frames=np.zeros((2, 8, 8, 3), np.uint8), frame_seconds=np.zeros(1))])
    with pytest.raises(DataError, match="no clips"):
        MemoryClips([])
