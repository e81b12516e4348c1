import json

import numpy as np
import pytest

from seehear.errors import StorageError, UsageError
from seehear.runs import ceiling_clips
from seehear.runs.ceiling_clips import Told, draw, told
from seehear.runs.ceilings import RESULT, ceilings, exact_ceiling, judged
from seehear.tasks.reference import Recipe
from seehear.world.disk import datasheet
from seehear.world.fingerprints import fingerprint
from seehear.world.presets import resolve

CLASSES = ("bell", "drum", "rain")
WORLD = resolve("unit", ambiguous=0.4, clips={"train": 16, "test": 8})
TINY = Recipe(width=4, epochs=1, batch=8)


def clip(label, sound=(), picture=(), ambiguous_in=None):
    return Told(label, ambiguous_in, {"sound": [label, *sound], "picture": [label, *picture]})


HAND_MADE = [
    clip("bell"),
    clip("drum", sound=["rain"], ambiguous_in="sound"),
    clip("rain", picture=["bell"], ambiguous_in="picture"),
    clip("rain", picture=["bell", "drum"], ambiguous_in="picture"),
]


def scores(*named):
    return np.array([[-0.1 if name == one else -3.0 for name in CLASSES] for one in named])


def test_ceilings_are_the_mean_of_one_over_the_labels_left():
    assert exact_ceiling("sound", HAND_MADE) == pytest.approx((1 + 1 / 2 + 1 + 1) / 4)
    assert exact_ceiling("picture", HAND_MADE) == pytest.approx((1 + 1 + 1 / 2 + 1 / 3) / 4)
    assert exact_ceiling("both", HAND_MADE) == 1
    each = [Told("a", "each", {"sound": ["a", "b"], "picture": ["a", "b"]})]
    assert exact_ceiling("both", each) == 0.5


def test_scores_are_held_against_the_ceiling():
    found = judged("sound", CLASSES, HAND_MADE, scores("bell", "rain", "rain", "drum"))
    assert (found["ceiling"], found["accuracy"]) == (0.875, 0.5)
    assert found["share"] == pytest.approx(0.5 / 0.875, abs=1e-4)
    assert not found["passed"]
    assert 0 < found["from"] < 0.5 < found["to"] < 1
    assert found["from"] == pytest.approx(1 - found["to"], abs=1e-4)
    assert found["by_ambiguity"] == {
        "none": {"clips": 1, "accuracy": 1.0, "ceiling": 1.0},
        "picture": {"clips": 2, "accuracy": 0.5, "ceiling": 1.0},
        "sound": {"clips": 1, "accuracy": 0.0, "ceiling": 0.5},
    }
    assert found["recall"] == {
        "bell": {"clips": 1, "accuracy": 1.0},
        "drum": {"clips": 0, "accuracy": None},
        "rain": {"clips": 2, "accuracy": 0.5},
    }
    assert found["weak"] == ["rain"]
    assert found["confusions"] == [{"label": "rain", "taken_for": "drum", "clips": 1, "of": 2}]


def test_nine_tenths_of_the_ceiling_pass_and_less_does_not():
    clips = [clip("bell", picture=["drum"], ambiguous_in="picture")] * 20  # the picture's ceiling is a half
    for right, passed in ((9, True), (8, False)):
        found = judged("picture", CLASSES, clips, scores(*["bell"] * right, *["drum"] * (20 - right)))
        assert found["passed"] == passed
        assert found["confusions"] == []  # none of these could be told


def test_the_truth_of_drawn_clips_is_that_of_their_scenes():
    facts = [told(WORLD, "test", index, 0) for index in range(40)]
    assert {one.ambiguous_in for one in facts} == {None, "sound", "picture"}
    for one in facts:
        for modality in ("sound", "picture"):
            assert one.label in one.candidates[modality]
            assert len(one.candidates[modality]) == (2 if one.ambiguous_in == modality else 1)


def test_joint_labels_need_both():
    clips = [told(resolve("unit", track="J"), "test", index, 0) for index in range(16)]
    assert [exact_ceiling(modality, clips) for modality in ("sound", "picture", "both")] == [0.25, 0.25, 1]


@pytest.mark.parametrize(
    "choices", [{}, {"ambiguous": 0.4, "intervention": "mute"}, {"labelling": "multi"}, {"track": "K"}]
)
def test_a_world_that_does_not_say_what_is_left_is_refused(choices):
    with pytest.raises(UsageError, match="do not say what each modality leaves"):
        ceilings(resolve("tiny", **choices))


def test_drawing_goes_on_where_it_stopped_and_ends_when_the_time_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(ceiling_clips, "CHUNK", 2)
    few = draw(WORLD, "train", 6, 0, tmp_path, workers=1, until=0.0)
    assert len(few.told) == 2
    counted = []
    whole = draw(WORLD, "train", 6, 0, tmp_path, workers=1, progress=lambda done, total: counted.append((done, total)))
    assert counted == [(2, 6), (4, 6), (6, 6)]
    assert whole.told == [told(WORLD, "train", index, 0) for index in range(6)]
    assert (whole.views["picture"][:2] == few.views["picture"]).all()
    assert whole.views["sound"].shape == (6, 158, 128)
    counted.clear()
    draw(WORLD, "train", 6, 0, tmp_path, workers=1, progress=lambda done, total: counted.append((done, total)))
    assert counted == [(6, 6)]


def test_a_world_gets_its_ceilings_and_keeps_nothing_else(tmp_path):
    marked = {"complete": True, "fingerprint": fingerprint(WORLD, 3)}
    datasheet.write(tmp_path, WORLD, 3, marked)
    (tmp_path / ".ceilings-of-other-settings").mkdir()
    said = []
    found = ceilings(tmp_path, clips=16, test_clips=4, recipe=TINY, workers=1, tell=said.append)
    assert json.loads((tmp_path / RESULT).read_text()) == found
    assert found["world"]["seed"] == 3
    assert found["clips"] == {"train": 16, "test": 8}
    assert found["steps"] == {"sound": 2, "picture": 2}
    assert found["passed"] == all(own["passed"] for own in found["modalities"].values())
    own = [told(WORLD, "test", index, 3) for index in range(8)]
    for modality in ("sound", "picture", "both"):
        assert found["modalities"][modality]["ceiling"] == round(exact_ceiling(modality, own), 4)
    sheet = datasheet.read(tmp_path)
    assert sheet["ceilings"]["sound"]["accuracy"] == found["modalities"]["sound"]["accuracy"]
    assert sheet["ceilings"]["details"] == RESULT
    assert sheet["complete"]
    assert not list(tmp_path.glob(".ceilings-*"))
    assert any("drawing train clips 16 of 16" in line for line in said)


def test_a_stopped_start_goes_on_to_the_same_figures(tmp_path, monkeypatch):
    given = {"clips": 16, "test_clips": 8, "recipe": TINY, "workers": 1, "folder": tmp_path}
    whole = ceilings(WORLD, **given)

    def stop(line):
        if "picture" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ceilings(WORLD, **given, tell=stop)
    assert list(tmp_path.glob(".ceilings-*/sound-16-8.npz"))

    def never(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(ceiling_clips, "_make", never)
    again = ceilings(WORLD, **given)
    assert again["modalities"] == whole["modalities"]
    assert not list(tmp_path.iterdir())


def test_a_world_from_before_a_change_is_refused(tmp_path):
    datasheet.write(tmp_path, WORLD, 0, {"complete": True, "fingerprint": "0" * 16})
    with pytest.raises(StorageError, match="before a change of the world"):
        ceilings(tmp_path)


def test_a_folder_without_a_world_is_refused(tmp_path):
    with pytest.raises(StorageError, match="holds no world"):
        ceilings(tmp_path)
