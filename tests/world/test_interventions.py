"""Interventions change what they claim and nothing else; their truth is true of what is seen and heard afterwards."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from seehear import world
from seehear.errors import DataError, UsageError
from seehear.world.disk.baselines import baselines
from seehear.world.disk.manifest import record
from seehear.world.interventions import INTERVENTIONS, SHIFT_SECONDS, intervene
from seehear.world.presets import resolve
from seehear.world.rendering import Rendered
from seehear.world.sounds.mixing import mix
from seehear.world.truth.facts import boxes

LEVEL, INDEX = 2, 4  # two to four bodies, one of which sounds
SMALL: dict[str, Any] = {"level": LEVEL, "size": 64, "seconds": 1.6}


@cache
def view(name: str = "", index: int = INDEX, **others: Any) -> Rendered:
    chosen = SMALL | others | ({"intervention": name} if name else {})
    return next(world.memory_clips("tiny", "test", count=1, start=index, **chosen))


def same_sound(first: Rendered, second: Rendered) -> bool:
    stems = first.stems.keys() == second.stems.keys() and all(
        np.array_equal(first.stems[name], second.stems[name]) for name in first.stems
    )
    return stems and np.array_equal(first.waveform, second.waveform)


def same_pictures(first: Rendered, second: Rendered) -> bool:
    return np.array_equal(first.pixels, second.pixels) and np.array_equal(first.masks, second.masks)


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_a_view_is_of_the_same_clip_and_its_stems_are_its_sound(name: str) -> None:
    plain, changed = view(), view(name)
    assert (changed.id, changed.labels, changed.caption) == (plain.id, plain.labels, plain.caption)
    assert changed.truth["intervention"]["name"] == name
    assert "intervention" not in plain.truth
    assert changed.scene.hash(1) != plain.scene.hash(1)
    total = np.sum(list(changed.stems.values()), axis=0, dtype=np.float64)
    np.testing.assert_allclose(total, changed.waveform, atol=1e-6)
    assert np.abs(changed.waveform).max() <= 1
    for number, item in enumerate(changed.truth["objects"]):
        np.testing.assert_allclose(item["boxes"], boxes(changed.masks[number]), atol=1e-4)
    untouched = set(plain.truth) - {"objects", "occlusion", *changed.truth["intervention"]["before"]}
    assert {key for key in untouched if changed.truth[key] != plain.truth[key]} == set()


@pytest.mark.parametrize("name", ["mute", "swap", "shift"])
def test_what_changes_the_sound_leaves_the_pictures(name: str) -> None:
    assert same_pictures(view(), view(name))
    assert not np.array_equal(view().waveform, view(name).waveform)


@pytest.mark.parametrize("name", ["grey", "shuffle", "without_distractors"])
def test_what_changes_the_pictures_leaves_the_sound(name: str) -> None:
    assert same_sound(view(), view(name))
    assert not np.array_equal(view().pixels, view(name).pixels)


def test_a_muted_clip_holds_its_noise_and_no_digital_silence() -> None:
    plain, muted = view(), view("mute")
    np.testing.assert_array_equal(muted.waveform, plain.stems["background"])
    blocks = muted.waveform[: len(muted.waveform) // 160 * 160].reshape(-1, 160)
    assert (np.abs(blocks).max(axis=1) > 0).all()
    assert (muted.truth["sources"], muted.truth["events"]) == ([], [])
    assert not any(item["sounding"] for item in muted.truth["objects"])
    assert muted.truth["intervention"]["before"]["events"] == plain.truth["events"]


@pytest.mark.parametrize("index", range(4))
def test_a_swapped_sound_is_that_of_a_clip_of_another_class(index: int) -> None:
    plain, swapped = view(index=index), view("swap", index=index)
    parameters = swapped.truth["intervention"]["parameters"]
    giver = swapped.scene.intervention.other if swapped.scene.intervention else None
    assert giver is not None
    assert giver.split == "test"
    assert (parameters["clip"], tuple(parameters["labels"])) == (giver.id, giver.labels)
    assert not set(giver.labels) & set(plain.labels)
    np.testing.assert_array_equal(swapped.waveform, mix(giver)[0])
    assert [item["class"] for item in swapped.truth["sources"]] == [item.instance.kind for item in giver.sources]
    assert all(item["object"] is None and not item["on_screen"] for item in swapped.truth["sources"])
    assert [item["t_on"] for item in swapped.truth["events"]] == [item.start_seconds for item in giver.events]


@pytest.mark.parametrize("index", range(4))
def test_a_shifted_sound_comes_late_and_its_noise_goes_on(index: int) -> None:
    plain, late = view(index=index), view("shift", index=index)
    seconds = late.truth["intervention"]["parameters"]["seconds"]
    samples = round(seconds * 16_000)
    assert SHIFT_SECONDS[0] <= seconds <= SHIFT_SECONDS[1] + 1e-4
    np.testing.assert_array_equal(late.stems["background"], plain.stems["background"])
    np.testing.assert_array_equal(late.stems["source 0"][samples:], plain.stems["source 0"][:-samples])
    assert not late.stems["source 0"][:samples].any()
    inside = [item["t_on"] + seconds for item in plain.truth["events"] if item["t_on"] + seconds < 1.6]
    np.testing.assert_allclose([item["t_on"] for item in late.truth["events"]], inside, atol=1e-5)


def test_a_grey_clip_has_one_channel_three_times_and_its_brightness() -> None:
    plain, grey = view(), view("grey")
    assert (grey.pixels[..., :1] == grey.pixels).all()
    np.testing.assert_array_equal(grey.masks, plain.masks)
    luma = plain.pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(grey.pixels[..., 0], luma, atol=1.5)


def test_shuffled_frames_are_the_same_frames_with_their_masks() -> None:
    plain, mixed = view(), view("shuffle")
    order = mixed.truth["intervention"]["parameters"]["order"]
    assert sorted(order) == list(range(len(plain.pixels)))
    assert order != sorted(order)
    np.testing.assert_array_equal(mixed.pixels, plain.pixels[order])
    np.testing.assert_array_equal(mixed.masks, plain.masks[:, order])


@pytest.mark.parametrize("index", range(6))
def test_without_distractors_only_silent_bodies_are_gone(index: int) -> None:
    plain, alone = view(index=index), view("without_distractors", index=index)
    heard = {source.body for source in plain.scene.sources}
    removed = alone.truth["intervention"]["parameters"]["removed"]
    assert removed == [number for number in range(len(plain.scene.bodies)) if number not in heard]
    for number, item in enumerate(alone.truth["objects"]):
        assert item["visible"] == (number in heard)
        if number in heard:
            assert not (plain.masks[number] & ~alone.masks[number]).any()
        else:
            assert not alone.masks[number].any()
    near = binary_dilation(plain.whole[removed].any(axis=0), np.ones((1, 7, 7)))  # soft edges, and the camera's view
    assert (plain.masks.any(axis=0) & ~near).any()
    np.testing.assert_array_equal(alone.pixels[~near], plain.pixels[~near])


def test_a_clip_without_distractors_is_as_it_was_where_nothing_was_removed() -> None:
    plain, alone = view(level=0), view("without_distractors", level=0)
    assert alone.truth["intervention"]["parameters"] == {"removed": []}
    assert same_pictures(plain, alone)
    assert same_sound(plain, alone)


def test_ambiguity_holds_only_for_clips_as_they_were_drawn() -> None:
    clips = {name: view(name, index=2, level=1, ambiguous=0.4) for name in ("", *INTERVENTIONS)}
    assert "candidates" in clips[""].truth
    lasting = [name for name in INTERVENTIONS if "candidates" in clips[name].truth]
    assert lasting == ["shift", "grey"]


def test_a_view_of_many_labels_takes_its_sound_from_a_clip_without_any_of_them() -> None:
    clip = next(world.memory_clips("multi", "val", count=1, size=64, seconds=1.6, intervention="swap"))
    assert not set(clip.labels) & set(clip.truth["intervention"]["parameters"]["labels"])


@pytest.mark.parametrize("track", ["A", "J"])
def test_a_view_has_the_baselines_of_the_clips_that_it_changes(track: str) -> None:
    chosen = {"track": track, "size": 64, "level": 1, **({"ambiguous": 0.4} if track == "A" else {})}
    preset = resolve("unit", clips={"test": 4}, **chosen)

    def figures(name: str) -> dict[str, dict[str, Any]]:
        clips = world.memory_clips("unit", "test", count=4, intervention=name or None, **chosen)
        return baselines(preset, [record(clip, "", 0, "none") for clip in clips])

    drawn = figures("")
    assert drawn["test"]
    assert [name for name in ("mute", "swap", "shift", "grey", "shuffle") if figures(name) != drawn] == []


def test_a_built_view_has_the_ids_of_the_world(tmp_path) -> None:
    chosen = {"clips": {"test": 2}, "workers": 1}
    plain = world.build(tmp_path / "plain", "unit", **chosen)
    muted = world.build(tmp_path / "muted", "unit", intervention="mute", **chosen)
    names = [sorted(path.name for path in report.root.glob("test/clips/*.mp4")) for report in (plain, muted)]
    assert names[0] == names[1]
    assert muted.datasheet["preset"]["intervention"] == "mute"
    with pytest.raises(UsageError, match="another world"):
        world.build(tmp_path / "muted", "unit", **chosen)


def test_impossible_interventions_are_refused() -> None:
    scene = world.scene("unit", "test", 0)
    with pytest.raises(UsageError, match=r"unknown intervention 'mutte'.*try: mute"):
        intervene(scene, "mutte")
    with pytest.raises(UsageError, match=r"unknown intervention 'gray'.*try: grey"):
        world.memory_clips("unit", "test", intervention="gray")
    with pytest.raises(UsageError, match="swap without other clips"):
        intervene(scene, "swap")
    with pytest.raises(UsageError, match="with mute; expected a clip as it was drawn"):
        intervene(intervene(scene, "mute"), "grey")
    with pytest.raises(UsageError, match="track Y shifts by itself"):
        world.scene(resolve("unit", track="Y", intervention="shift"), "test", 0)
    with pytest.raises(DataError, match="has a label of its own"):
        intervene(scene, "swap", lambda index: world.scene("unit", "test", 8 * index))
