"""Track P: true mixtures whose stems sum to them, solos in training, SDR as by hand."""

import json

import numpy as np
import pytest
from scipy.signal import stft

from seehear.world import memory_clips, scene
from seehear.world.presets import resolve
from seehear.world.tracks import separation
from seehear.world.tracks.separation import ideal_ratio_masked, sdr_db
from seehear.world.truth.schema import check_truth

PRESET = resolve("base", track="P", level=0, size=64, seconds=1.6)


@pytest.fixture(scope="module")
def clips():
    return list(memory_clips(PRESET, "test", 0, 16))


def test_half_of_the_training_clips_are_solos_and_no_others():
    train = [scene(PRESET, "train", index, 0) for index in range(300)]
    solo = [clip.facts["separation"]["solo"] for clip in train]
    assert abs(np.mean(solo) - 0.5) < 0.09
    assert all((len(clip.sources) == 1) == own for clip, own in zip(train, solo, strict=True))
    for split in ("val", "test", "test_iid"):
        counts = [len(scene(PRESET, split, index, 0).sources) for index in range(60)]
        assert set(counts) == {2, 3}
        assert 0.3 < np.mean([count == 2 for count in counts]) < 0.7


@pytest.mark.parametrize("level", [0, 1, 3])
def test_every_source_is_seen_and_of_a_class_of_its_own(level):
    for index in range(30):
        clip = scene(resolve("base", track="P", level=level), "test", index, 1)
        classes = [source.instance.kind for source in clip.sources]
        assert len(set(classes)) == len(classes) == clip.facts["separation"]["sources"]
        assert [clip.bodies[source.body].instance.kind for source in clip.sources] == classes
        assert clip.labels == tuple(classes)


def test_stems_sum_to_the_mixture_and_all_are_heard(clips):
    for clip in clips:
        total = np.sum([stem.astype(np.float64) for stem in clip.stems.values()], axis=0)
        np.testing.assert_allclose(clip.waveform, total, atol=1e-6)
        levels = [source["rms_db"] for source in clip.truth["sources"]]
        assert max(levels) - min(levels) < 6
        json.dumps(clip.truth)


def test_measured_figures_are_those_of_the_stems(clips):
    for clip in clips:
        own = clip.truth["separation"]
        for number in range(own["sources"]):
            stem = clip.stems[f"source {number}"].astype(np.float64)
            rest = clip.waveform - stem
            expected = 10 * np.log10((stem**2).mean() / (rest**2).mean())
            assert own["mixture_sdr_db"][number] == pytest.approx(expected, abs=0.02)
            assert own["ideal_ratio_mask_sdr_db"][number] > expected + 3


@pytest.mark.parametrize("intervention", ["mute", "swap", "without_distractors"])
def test_views_keep_the_figures_of_the_clip_as_drawn(intervention, clips):
    changed = next(memory_clips(PRESET, "test", 0, 1, intervention=intervention))
    check_truth(json.loads(json.dumps(changed.truth)), strict=True)
    assert changed.truth["separation"] == clips[0].truth["separation"]


def test_sdr_worked_out_by_hand():
    stem = np.array([1.0, -1.0, 2.0])
    assert sdr_db(stem, np.zeros(3)) == pytest.approx(0.0)
    assert sdr_db(stem, 0.9 * stem) == pytest.approx(20.0)
    assert sdr_db(stem, -stem) == pytest.approx(-6.0206, abs=1e-3)
    assert sdr_db(stem, stem) == pytest.approx(100.0)


def test_masked_parts_sum_to_the_mixture_and_disjoint_parts_come_back():
    time = np.arange(16_000) / 16_000
    parts = np.stack([np.sin(2 * np.pi * 440 * time), np.sin(2 * np.pi * 3_000 * time)])
    masked = ideal_ratio_masked(parts)
    np.testing.assert_allclose(masked.sum(axis=0), parts.sum(axis=0), atol=1e-9)
    assert min(sdr_db(part[2_000:-2_000], own[2_000:-2_000]) for part, own in zip(parts, masked, strict=True)) > 40


def test_the_mask_is_the_share_of_magnitude():
    parts = np.random.default_rng(0).standard_normal((3, 4_096))
    spectra = stft(parts, nperseg=separation.WINDOW, noverlap=separation.WINDOW - separation.HOP)[2]
    alone = ideal_ratio_masked(np.stack([parts[0], np.zeros(4_096)]))
    np.testing.assert_allclose(alone, np.stack([parts[0], np.zeros(4_096)]), atol=1e-9)
    share = np.abs(spectra[0]) / np.abs(spectra).sum(axis=0)
    back = stft(ideal_ratio_masked(parts)[0], nperseg=separation.WINDOW, noverlap=separation.WINDOW - separation.HOP)[2]
    wanted = share * spectra.sum(axis=0)
    assert np.abs(back - wanted).mean() < 0.5 * np.abs(wanted).mean()  # a masked spectrogram is nearly consistent


def test_baselines_leave_solos_out_and_stand_apart(clips):
    records = [{"truth": clip.truth} for clip in clips]
    found = separation.baselines(records)
    assert -4.5 < found["mixture"]["all"]["sdr_db"] < 0.5
    assert found["mixture"]["3"]["sdr_db"] < found["mixture"]["2"]["sdr_db"]
    assert found["ideal_ratio_mask"]["all"]["sdr_db"] > found["mixture"]["all"]["sdr_db"] + 10
    solo = {"solo": True, "sources": 1, "mixture_sdr_db": [30.0], "ideal_ratio_mask_sdr_db": [35.0]}
    assert separation.baselines([*records, {"truth": {"separation": solo}}]) == found
    own = {"solo": False, "sources": 2, "mixture_sdr_db": [1.0, -1.0], "ideal_ratio_mask_sdr_db": [10.0, 12.0]}
    by_hand = separation.baselines([{"truth": {"separation": own}}])
    assert by_hand == {
        "mixture": {"all": {"sdr_db": 0.0}, "2": {"sdr_db": 0.0}},
        "silence": {"all": {"sdr_db": 0.0}, "2": {"sdr_db": 0.0}},
        "ideal_ratio_mask": {"all": {"sdr_db": 11.0}, "2": {"sdr_db": 11.0}},
    }
