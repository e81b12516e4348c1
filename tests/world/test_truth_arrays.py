"""Masks and stems as files: exact, packed into tables and back, damaged ones refused."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seehear.errors import DataError, StorageError, UsageError
from seehear.world import build, memory_clips
from seehear.world.disk import manifest
from seehear.world.truth.arrays import FULL_SCALE, instance_map, packed, quantised, read_arrays, steps, truth_arrays
from seehear.world.truth.reading import read_truth


@pytest.fixture(scope="module")
def clip():
    """A clip with several bodies, some of them hidden in part, and an off-screen source or two."""
    clips = memory_clips("base", "test", size=64, seconds=1.6, level=3, seed=1)
    return next(item for item in clips if len(item.scene.bodies) > 2 and (item.whole & ~item.masks).any())


@pytest.fixture
def stored(clip):
    """Its arrays, to be damaged."""
    return {name: np.copy(array) for name, array in truth_arrays(clip).items()}


def test_masks_come_back_as_they_were(clip, tmp_path):
    (tmp_path / "clip.npz").write_bytes(packed(truth_arrays(clip)))
    found = read_arrays(tmp_path / "clip.npz", clip.truth)
    np.testing.assert_array_equal(found.masks, clip.masks)
    np.testing.assert_array_equal(found.whole_masks, clip.whole)
    assert found.masks.dtype == found.whole_masks.dtype == np.bool_
    assert (clip.masks.sum(axis=0) <= 1).all()
    assert packed(truth_arrays(clip)) == packed(truth_arrays(clip))


def test_stems_add_up_to_the_sound_track_exactly(clip):
    arrays = truth_arrays(clip, ("stems",))
    assert sorted(arrays) == ["stem_gain", "stem_names", "stems"]
    np.testing.assert_array_equal(arrays["stems"].astype(int).sum(axis=0), steps(clip.waveform))
    found = read_arrays(arrays, clip.truth).stems
    assert list(found) == list(clip.stems)
    for name, stem in clip.stems.items():
        assert found[name].dtype == np.float32
        assert np.abs(found[name] - stem).max() <= 1.01 / FULL_SCALE
    assert np.abs(sum(found.values()) - clip.waveform).max() <= 0.51 / FULL_SCALE


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=st.floats(-3, 3, width=32)))
def test_stems_beyond_full_scale_share_one_gain(stems):
    waveform = stems.sum(axis=0, dtype=np.float64).astype(np.float32)
    found, gain = quantised(list(stems), waveform)
    assert 0 < gain <= 1
    assert gain == 1 or np.abs(stems).max() > 0.9999
    np.testing.assert_array_equal(found.astype(int).sum(axis=0), steps(waveform, float(gain)))
    assert np.abs(found - stems * (FULL_SCALE * gain)).max() <= 1.02


def test_choices(clip):
    assert truth_arrays(clip, ()) == {}
    found = read_arrays(truth_arrays(clip, ("masks",)))
    assert found.stems is None
    assert found.masks is not None
    with pytest.raises(UsageError, match=r"(?s)unknown truth array 'mask'.*try: masks"):
        truth_arrays(clip, ("mask",))


def test_overlapping_masks_are_refused():
    masks = np.zeros((2, 3, 4, 4), bool)
    masks[0, 1, 2:] = True
    masks[1, 1, 2, 3] = True
    with pytest.raises(DataError, match="frame 1: the pixel at row 2, column 3 belongs to the bodies 0 and 1"):
        instance_map(masks)


def cut(arrays, name, value):
    return {key: array for key, array in arrays.items() if key != name} | ({} if value is None else {name: value})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "masks",
            lambda a: a[:, :5],
            r"masks uint8 \[20, 5, 64\] of \[\d, 20, 64, 64\]; expected masks: uint8 \[T, H, W",
        ),
        ("masks", lambda a: a.astype(np.int32), "masks int32"),
        ("masks", lambda a: np.full_like(a, 200), "masks of body 199 of"),
        ("masks", lambda a: np.where(a > 0, 1, 0).astype(np.uint8), "visible pixels beyond a whole body"),
        ("whole_masks", lambda a: a[:-1], r"whole_masks uint8 \[\d+\]"),
        ("whole_shape", lambda a: a[1:], "holds masks uint8"),
        ("whole_shape", lambda a: None, "holds no whole_shape; expected whole_shape"),
        ("stems", lambda a: a[0], "stems int16"),
        ("stems", lambda a: a.astype(np.float32), "stems float32"),
        ("stem_names", lambda a: None, "holds no stem_names"),
        ("stem_names", lambda a: a[::-1], r"holds the stems \['background'.*as the truth says"),
        ("stem_gain", lambda a: np.array(0.0), r"stem_gain 0\.0"),
        ("stem_gain", lambda a: np.array(np.nan), "stem_gain nan"),
    ],
)
def test_damaged_arrays_are_named(clip, stored, name, change, message):
    with pytest.raises(DataError, match=message):
        read_arrays(cut(stored, name, change(stored[name])), clip.truth)


def test_arrays_of_another_clip_are_refused(clip, stored):
    other = next(memory_clips("unit", "test"))
    with pytest.raises(DataError, match=r"truth arrays holds masks of \d bodies in 20 frames; expected 1 in 20"):
        read_arrays(stored, other.truth)


def test_damaged_files_are_refused(clip, tmp_path):
    path, data = tmp_path / "clip.npz", packed(truth_arrays(clip))
    with pytest.raises(StorageError, match="cannot be read"):
        read_arrays(path)
    middle = len(data) // 2
    for damaged in (b"", b"text", data[:100], data[:-30], data[:middle] + bytes(99) + data[middle + 99 :]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"clip\.npz is damaged"):
            read_arrays(path)
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    path.write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match="a single array"):
        read_arrays(path)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A few clips with all their arrays."""
    root = tmp_path_factory.mktemp("arrays") / "world"
    build(root, "unit", level=1, clips={"train": 3, "test": 2}, workers=1, arrays=("stems", "masks"))
    return root


def test_a_build_stores_what_memory_holds(world):
    for item, clip in zip(
        manifest.read(world / "test" / manifest.MANIFEST), memory_clips("unit", "test", level=1, count=2), strict=True
    ):
        assert item["truth"] == json.loads(json.dumps(clip.truth))
        path = world / "test" / item["truth_arrays"]
        assert path.stat().st_size == item["truth_arrays_bytes"]
        found = read_arrays(path, item["truth"])
        np.testing.assert_array_equal(found.masks, clip.masks)
        np.testing.assert_array_equal(found.whole_masks, clip.whole)
        assert list(found.stems) == list(clip.stems)


def test_a_table_gives_back_what_the_folder_holds(world, tmp_path):
    from seehear import clips

    clips.pack(world, tmp_path / "clips.lance", frames=2, size=64, workers=1)
    table = clips.open(tmp_path / "clips.lance")
    known = {item["id"]: item for s in ("train", "test") for item in manifest.read(world / s / manifest.MANIFEST)}
    assert sorted(table.names) == sorted(known)
    for index, name in enumerate(table.names):
        item = known[name]
        found = read_truth(table.truth(index))
        assert found.facts["scene_hash"] == item["scene_hash"]
        np.testing.assert_array_equal(found.objects.boxes, read_truth(item["truth"], strict=True).objects.boxes)
        arrays = read_arrays(table.truth_arrays(index), table.truth(index))
        wanted = read_arrays(world / item["split"] / item["truth_arrays"])
        np.testing.assert_array_equal(arrays.masks, wanted.masks)
        np.testing.assert_array_equal(arrays.whole_masks, wanted.whole_masks)
        for stem in wanted.stems:
            np.testing.assert_array_equal(arrays.stems[stem], wanted.stems[stem])


def test_damaged_arrays_are_made_again_and_other_choices_are_another_world(world):
    first = sorted((world / "train" / "arrays").iterdir())[0]
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    choices = {"level": 1, "clips": {"train": 3, "test": 2}, "workers": 1}
    assert build(world, "unit", arrays=("masks", "stems"), **choices).made == 1
    assert first.read_bytes() == whole
    with pytest.raises(UsageError, match=r"another world: arrays \['masks', 'stems'\]; expected \[\]"):
        build(world, "unit", **choices)
    with pytest.raises(UsageError, match="unknown truth array 'boxes'"):
        build(world, "unit", arrays=("boxes",), **choices)
