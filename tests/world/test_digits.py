"""Track N: real digits in disjoint splits, on cards that show them, with a voice that says one."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from seehear.world import memory_clips, scene
from seehear.world.digits import images
from seehear.world.painting.picture import paint
from seehear.world.presets import resolve
from seehear.world.speech.speakers import numbers
from seehear.world.tracks.digits import baselines
from seehear.world.truth.facts import boxes
from seehear.world.truth.schema import check_truth

N = resolve("unit", track="N", level=1)


def test_every_image_is_in_one_split_stratified():
    everything = load_digits()
    shared = {split: [images.numbers(split, name) for name in images.NAMES] for split in ("train", "val", "test")}
    flat = sorted(number for own in shared.values() for digits in own for number in digits)
    assert flat == list(range(1_797))
    for own, share in zip(shared.values(), (0.7, 0.1, 0.2), strict=True):
        for digit, chosen in enumerate(own):
            assert set(everything.target[chosen]) == {digit}
            assert len(chosen) / (everything.target == digit).sum() == pytest.approx(share, abs=0.01)
    assert images.numbers("test_iid", "two") == images.numbers("train", "two")


def test_up_sampling_keeps_the_image():
    real = load_digits().images / 16
    for number in (0, 17, 1_000):
        fine = images.ink(number)
        assert fine.shape == (images.FINE, images.FINE)
        back = fine.reshape(8, 8, 8, 8).mean(axis=(1, 3))
        assert np.abs(back - real[number]).max() < 0.2
        assert np.corrcoef(back.ravel(), real[number].ravel())[0, 1] > 0.98


def test_clips_say_what_they_show():
    shown, voices = [], []
    for index in range(40):
        clip = scene(N, "test", index, 0)
        word = images.NAMES[index % 10]
        assert clip.labels == (word,)
        assert clip.facts["speech"]["transcript"] == word
        assert [images.digit(body.instance.number) for body in clip.bodies] == clip.facts["digits"]["shown"]
        assert clip.facts["digits"]["shown"][0] == word
        assert clip.facts["candidates"] == {"sound": [word], "picture": sorted(clip.facts["digits"]["shown"])}
        assert clip.facts["ambiguous_in"] == ("picture" if len(clip.bodies) == 2 else None)
        assert not any(body.flip for body in clip.bodies)
        for body in clip.bodies:
            assert body.instance.number in images.numbers("test", images.digit(body.instance.number))
        assert clip.sources[0].instance.number in numbers("test")
        assert 0 <= clip.noise.snr_db <= 20
        assert clip.events[-1].stop_seconds < clip.format.seconds
        shown.append(len(clip.bodies))
        voices.append(clip.facts["speech"]["speaker"])
    assert 10 < shown.count(2) < 30
    assert len(set(voices)) > 6


def test_the_card_shows_its_image_upright():
    """The painted card, averaged to 8 x 8 and turned back to dark on light, looks most like its own digit."""
    real = load_digits()
    right = 0
    for index in range(20):
        clip = scene(resolve(N, level=0), "train", index, 0)
        pictures = paint(clip)
        x0, y0, x1, y1 = np.round(boxes(pictures.masks[0])[0] * 64).astype(int)
        grey = pictures.pixels[0, y0:y1, x0:x1].mean(axis=2)
        side = len(grey) // 8 * 8, grey.shape[1] // 8 * 8
        small = grey[: side[0], : side[1]].reshape(8, side[0] // 8, 8, side[1] // 8).mean(axis=(1, 3))[1:-1, 1:-1]
        alike = [
            abs(np.corrcoef(small.ravel(), real.images[real.target == digit].mean(axis=0)[1:-1, 1:-1].ravel())[0, 1])
            for digit in range(10)
        ]
        right += int(np.argmax(alike)) == index % 10
    assert right >= 10  # chance is 2; turned, sheared, and only compared with mean digits


def test_cards_drift_slowly():
    clip = next(memory_clips(N, "train", count=1, level=0))
    boxes = np.array(clip.truth["objects"][0]["boxes"])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    steps = np.abs(np.diff(middles, axis=0)).max()
    assert np.abs(middles[-1] - middles[0]).max() > 0.005
    assert steps < 0.03


def test_truth_keeps_to_its_schema_and_names_what_is_real():
    for clip in memory_clips(N, "val", count=4):
        check_truth(clip.truth, strict=True)
        assert clip.truth["digits"]["images"] == "real"
        assert clip.truth["digits"]["sounds"] == "synthetic"
        assert clip.truth["speech"]["mouth_source"] is None


def test_baselines_follow_from_the_second_cards():
    records = [{"split": "test", "truth": scene(N, "test", index, 0).facts} for index in range(40)]
    found = baselines(records)["digit"]
    two = np.mean([len(item["truth"]["digits"]["shown"]) == 2 for item in records])
    assert found["chance"] == found["majority"] == 0.1
    assert found["ceiling_picture"] == pytest.approx(1 - two / 2, abs=1e-4)
    assert found["ceiling_sound"] == found["ceiling"] == 1.0
