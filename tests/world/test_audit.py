"""The audit finds planted leaks and passes clean data."""

import numpy as np
import pytest

from seehear.errors import DataError
from seehear.world.classes import NAMES
from seehear.world.disk.audit import FEWEST_CLIPS, audit, near_duplicates, refuse_failed
from seehear.world.truth.nuisance import hue_histogram, lead_in_seconds

CLASSES = ("bell", "drum", "bird", "rain")


def records(count: int = FEWEST_CLIPS, leak: str = "", strength: float = 0.0) -> list[dict]:
    rng = np.random.default_rng(0)
    result = []
    for k in range(count):
        label = CLASSES[k % 4]
        nuisance = {
            "mean_rgb": rng.normal(0.5, 0.1, 3),
            "hue_histogram": rng.dirichlet(np.ones(8)),
            "loudness_db": rng.uniform(-30, -18),
            "lead_in_seconds": rng.uniform(0.1, 1.2),
            "objects": 1,
            "position": rng.uniform(0, 1, 2),
            "first_brightness": rng.normal(0.5, 0.1),
            "pitch_hz": rng.uniform(100, 1000),
            "centroid_hz": rng.uniform(100, 1000),
            "bytes": int(rng.integers(1000, 2000)),
            "signature": rng.integers(0, 256, 80).astype(np.uint8).tobytes().hex(),
        }
        if leak:
            nuisance[leak] = nuisance[leak] + strength * (k % 4)
        split = "train" if k < 0.8 * count else "test"
        result.append({"id": f"clip {k}", "split": split, "labels": [label], "truth": {}, "nuisance": nuisance})
    return result


def test_clean_records_pass():
    found = audit(records())
    assert found["status"] == "passed"
    assert found["chance"] == 0.25
    assert found["duplicates"] == []
    refuse_failed(found)


@pytest.mark.parametrize(("leak", "strength"), [("loudness_db", 2.0), ("mean_rgb", 0.05), ("position", 0.2)])
def test_a_planted_leak_fails_and_is_named(leak, strength):
    found = audit(records(leak=leak, strength=strength))
    assert found["status"] == "failed"
    assert [name for name, value in found["gated"].items() if not value["passed"]] == [leak]
    with pytest.raises(DataError, match=leak):
        refuse_failed(found)


def test_where_offsets_are_hidden_features_may_tell_the_class_but_not_the_offset():
    clips = records(leak="lead_in_seconds", strength=0.5)
    for k, item in enumerate(clips):
        item["truth"] = {"sync_offset": k // 4 % 7 - 3}
    assert audit(clips)["status"] == "passed"
    for item in clips:
        item["nuisance"]["lead_in_seconds"] += 0.3 * item["truth"]["sync_offset"]
    found = audit(clips)
    assert not found["gated"]["lead_in_seconds"]["passed"]
    assert found["chance"] == 0.144  # 144 of 1,000 clips have the most frequent one


def test_of_a_run_only_the_first_clip_counts():
    clips = records()
    for k, item in enumerate(clips):
        item["truth"] = {"stream": {"place_in_run": 0 if k < 600 else k}}
    assert audit(clips)["clips"] == 600


def test_what_is_only_reported_does_not_fail():
    found = audit(records(leak="pitch_hz", strength=500.0))
    assert found["reported"]["pitch_and_centroid"]["accuracy"] > 0.4
    assert found["status"] == "passed"


def test_pitch_must_not_be_all_where_there_are_twenty_classes():
    clips = records(count=1200)
    for k, item in enumerate(clips):
        item["labels"] = [NAMES[k % len(NAMES)]]
    found = audit(clips)
    assert found["status"] == "passed"
    assert found["gated"]["pitch_and_centroid"]["limit"] == 0.4
    assert list(found["reported"]) == ["bytes"]
    for k, item in enumerate(clips):
        item["nuisance"]["pitch_hz"] += 2000 * (k % 5)
        item["nuisance"]["centroid_hz"] += 2000 * (k % 20 // 5)
    found = audit(clips)
    assert not found["gated"]["pitch_and_centroid"]["passed"]
    with pytest.raises(DataError, match=r"pitch_and_centroid \(0\.\d+, at most 0\.400\)"):
        refuse_failed(found)


def test_parents_are_no_second_class_and_clips_of_several_or_none_do_not_count():
    clips = records(count=1600)
    for k, item in enumerate(clips[:400]):
        item["labels"] = [["bell", "drum"], []][k % 2]
    for item in clips[400:1000]:
        item["truth"] = {"label_single": item["labels"][0]}
        item["labels"] = [*item["labels"], "a parent"]
    assert audit(clips)["clips"] == 1200


def test_a_copy_between_splits_is_found():
    planted = records()
    planted[-1]["nuisance"]["signature"] = planted[0]["nuisance"]["signature"]
    assert near_duplicates(planted) == [["clip 999", "clip 0"]]
    for item in planted[:800]:
        item["split"] = "val"
    assert near_duplicates(planted) == [["clip 999", "clip 0"]]
    with pytest.raises(DataError, match="near-duplicate"):
        refuse_failed(audit(planted))


def test_small_builds_are_not_audited():
    assert audit(records(FEWEST_CLIPS - 1))["status"] == "not audited"
    alike = records()
    for item in alike:
        item["labels"] = ["bell"]
    assert audit(alike)["status"] == "not audited"


def test_lead_in_is_where_the_sound_begins():
    sound = np.full(16_000, 1e-4)
    sound[4_800:] = 0.5
    assert lead_in_seconds(sound, 16_000) == pytest.approx(0.3)


def test_hue_histogram_puts_pure_colours_in_their_bins():
    picture = np.zeros((2, 2, 3))
    picture[..., 0] = 1
    assert hue_histogram(picture).tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    picture[0, :, 2] = 1
    histogram = hue_histogram(picture)
    assert histogram[0] == pytest.approx(0.5)
    assert histogram[6] == pytest.approx(0.5)  # magenta, 5/6 of the circle
