"""Separation figures: an oracle at the ceiling, floors where they belong, keyed pairs, and what is left out."""

import json

import numpy as np
import pytest
import torch
from torch import Tensor

from seehear import world
from seehear.clips import Clip, MemoryClips
from seehear.contracts import AudioNeed, FrameNeed, Method, Needs, Separates
from seehear.errors import DataError, UsageError
from seehear.metrics.separation import VARIANT
from seehear.tasks import clip_mixtures, keyed_pairs, separation, to_json, world_duets
from seehear.tasks.separation_mixtures import Mixture
from seehear.world.truth.arrays import read_arrays, truth_arrays
from seehear.world.truth.reading import read_truth
from tests.tasks.tasks_toys import ToyMethod

SAMPLES = 14_000
PITCH = (300.0, 900.0, 1_900.0, 3_500.0, 6_000.0)
COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0), (0, 250, 250))
NEEDS = Needs(AudioNeed(SAMPLES / 16_000), FrameNeed(1, 16, 16))


class Ears(Method):
    """Lets pass what is near the pitch of the colour that it sees; of black everything, at half the level."""

    Config = dict

    def __init__(self, deaf: bool = False, broken: bool = False):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.deaf, self.broken = deaf, broken

    @property
    def needs(self) -> Needs:
        return NEEDS

    def separate(self, mixture: Tensor, frames: Tensor) -> Tensor:
        assert not self.training
        if self.broken:
            return mixture / 0 * 0
        if self.deaf:
            return 0 * mixture
        spectrum = torch.fft.rfft(mixture)
        hertz = torch.fft.rfftfreq(mixture.shape[1], 1 / 16_000)
        seen = frames[:, 0, :, 8, 8].float()
        nearest = torch.cdist(seen, torch.tensor(COLOURS).float()).argmin(dim=1)
        passed = (hertz[None] - torch.tensor(PITCH)[nearest][:, None]).abs() < 150
        passed = torch.where(seen.sum(dim=1, keepdim=True) == 0, 0.5, passed.float())
        return torch.fft.irfft(spectrum * passed, n=mixture.shape[1]) * self.scale


def _clip(number: int, samples: int = SAMPLES, level: float = 6_000.0, kind: int | None = None) -> Clip:
    kind = number % 5 if kind is None else kind
    random = np.random.default_rng(number)
    noise = np.fft.rfft(random.standard_normal(samples))
    near = np.abs(np.fft.rfftfreq(samples, 1 / 16_000) - PITCH[kind]) < 100
    humming = np.fft.irfft(noise * near, samples)
    audio = (level * humming / np.abs(humming).max() + (level > 0) * 20 * random.standard_normal(samples)).astype(
        np.int16
    )
    frames = np.broadcast_to(np.array(COLOURS[kind], np.uint8), (1, 16, 16, 3)).copy()
    return Clip(f"clip {number}", duration_seconds=1.0, labels=[f"kind {kind}"], frames=frames, audio=audio)


def _source(count: int = 4, **choices) -> MemoryClips:
    return MemoryClips([_clip(number, **choices) for number in range(count)])


def _figures(source: MemoryClips, method: Method | None = None, **choices) -> dict:
    pairs = choices.pop("pairs", None) or keyed_pairs(source, 50)
    found = separation(method or Ears(), clip_mixtures(source, NEEDS, pairs), **choices)
    return {figure.name: figure for figure in found}


def test_an_ear_that_knows_the_pitches_stands_between_floors_and_ceiling() -> None:
    method = Ears().train()
    found = _figures(_source(6), method, untrained=Ears(), batch=3)
    assert method.training
    sdr = found["separation/all/SDR"]
    assert sdr.value > 15
    assert sdr.untrained == pytest.approx(sdr.value)
    assert sdr.ceiling is not None
    assert sdr.ceiling > 15
    assert set(sdr.baselines) == {"mixture", "wrong frame", "other's frame", "blank frame", "ideal binary mask"}
    assert abs(found["separation/all/SI-SDR"].baselines["mixture"]) < 1.5
    assert sdr.baselines["other's frame"] < -3
    assert sdr.baselines["wrong frame"] < 3
    assert sdr.baselines["blank frame"] == pytest.approx(sdr.baselines["mixture"], abs=1e-3)  # all of it, but quieter
    for name in ("SIR", "SAR"):
        assert np.isfinite(found[f"separation/all/{name}"].value)
    assert found["separation/all/SAR"].baselines["mixture"] == 100
    assert VARIANT in sdr.note
    assert sdr.lower_bound is not None
    assert sdr.lower_bound <= sdr.value
    json.loads(to_json(found.values()))


def test_pairs_of_one_class_are_told_apart() -> None:
    source = MemoryClips([_clip(number, kind=kind) for number, kind in enumerate([0, 0, 1, 2, 3, 4])])
    found = _figures(source, pairs=[(0, 1), (2, 3), (4, 5)])
    assert found["separation/other class/SDR"].note.startswith("2 mixtures")
    assert found["separation/same class/SDR"].note.startswith("1 mixtures")
    assert found["separation/same class/SDR"].lower_bound is None
    assert found["separation/other class/SDR"].value > found["separation/same class/SDR"].value + 10
    whole = (2 * found["separation/other class/SDR"].value + found["separation/same class/SDR"].value) / 3
    assert found["separation/all/SDR"].value == pytest.approx(whole)


def test_unlabelled_pairs_belong_to_no_group() -> None:
    clips = [_clip(number) for number in range(3)]
    for clip in clips:
        clip.labels = []
    names = {name.split("/")[1] for name in _figures(MemoryClips(clips))}
    assert names == {"all"}


def test_pairs_depend_on_the_clips_alone() -> None:
    source = _source(11)
    pairs = keyed_pairs(source, 50, seed=2)
    assert len(pairs) == 5
    assert len({row for pair in pairs for row in pair}) == 10
    names = [tuple(source.names[row] for row in pair) for pair in pairs]
    moved = source.subset(indices=np.random.default_rng(0).permutation(11))
    assert [tuple(moved.names[row] for row in pair) for pair in keyed_pairs(moved, 50, seed=2)] == names
    assert keyed_pairs(source, 2, seed=2) == pairs[:2]
    assert keyed_pairs(source, 50, seed=3) != pairs
    with pytest.raises(DataError, match="at least 3"):
        keyed_pairs(_source(2), 1)


def test_a_wrong_frame_is_of_a_third_clip_of_another_class() -> None:
    source = _source(10)
    for mixture in clip_mixtures(source, NEEDS, keyed_pairs(source, 5)):
        assert isinstance(mixture, Mixture)
        assert not (mixture.wrong == mixture.frames).flatten(1).all(dim=1).any()


def test_mixtures_are_as_long_as_the_shorter_clip() -> None:
    source = MemoryClips([_clip(0), _clip(1, samples=12_000), _clip(2), _clip(3, samples=7_000), _clip(4)])
    first, second, third = clip_mixtures(source, NEEDS, [(0, 1), (2, 3), (0, 4)])
    assert isinstance(first, Mixture)
    assert first.sources.shape == (2, 12_000)
    assert first.cut
    assert second == "under half a second"
    assert isinstance(third, Mixture)
    assert not third.cut
    note = _figures(source, pairs=[(0, 1), (2, 3), (0, 4)])["separation/all/SDR"].note
    assert "left out 1 under half a second; 1 cut to the shorter clip" in note


def test_what_cannot_be_mixed_is_counted_by_its_reason() -> None:
    mute, blind = _clip(6), _clip(7)
    mute.audio = blind.frames = None
    source = MemoryClips([*(_clip(number) for number in range(4)), _clip(4, level=0.0), mute, blind])
    assert all(row not in (5, 6) for pair in keyed_pairs(source, 9) for row in pair)
    note = _figures(source, pairs=[(0, 1), (2, 4), (0, 5), (6, 1)])["separation/all/SDR"].note
    assert note.startswith("1 mixtures")
    assert "left out 1 with a silent source, 2 without sound or picture" in note
    with pytest.raises(UsageError, match="two rows out of 7"):
        _figures(source, pairs=[(0, 7)])
    with pytest.raises(UsageError, match="two rows out of 7"):
        _figures(source, pairs=[(3, 3)])


def test_silence_as_an_estimate_is_counted_and_never_scored() -> None:
    with pytest.raises(DataError, match="2 with a silent estimate"):
        _figures(_source(), Ears(deaf=True))
    sdr = _figures(_source(), untrained=Ears(deaf=True))["separation/all/SDR"]
    assert sdr.untrained is None
    assert "untrained silent in 2" in sdr.note


def test_networks_that_do_not_separate_are_refused() -> None:
    assert isinstance(Ears(), Separates)
    with pytest.raises(UsageError, match="ToyMethod does not separate"):
        _figures(_source(), ToyMethod())
    with pytest.raises(DataError, match="NaN or infinity"):
        _figures(_source(), Ears(broken=True))
    with pytest.raises(DataError, match="there was none"):
        list(separation(Ears(), []))
    with pytest.raises(UsageError, match="0 mixtures at a time"):
        _figures(_source(), batch=0)
    with pytest.raises(UsageError, match="sound and picture"):
        list(clip_mixtures(_source(), Needs(audio=NEEDS.audio), [(0, 1)]))


class _Table:
    """Rendered clips of track P as a packed table offers them."""

    def __init__(self, rendered):
        self.rendered, self.names = rendered, [clip.id for clip in rendered]

    def __len__(self):
        return len(self.rendered)

    def truth(self, row):
        return json.loads(json.dumps(self.rendered[row].truth))

    def truth_arrays(self, row):
        return truth_arrays(self.rendered[row], ("stems",))

    def read(self, row, needs):
        pixels = self.rendered[row].pixels
        middle = len(pixels) // 2
        clip = self.rendered[row].scene
        return Clip(
            clip.id,
            duration_seconds=clip.format.seconds,
            frames=pixels[middle : middle + 1],
            frame_seconds=np.array([clip.format.seconds * middle / len(pixels)]),
        )


@pytest.fixture(scope="module")
def duets() -> _Table:
    return _Table(list(world.memory_clips("unit", "test", track="P", count=8)))


def test_duets_of_the_world_are_its_stems_and_the_regions_of_its_bodies(duets: _Table) -> None:
    needs = Needs(AudioNeed(1.6), FrameNeed(1, 32, 32))
    found = list(world_duets(duets, needs))
    assert len(found) == 8
    truths = [read_truth(duets.truth(row)) for row in range(8)]
    rows = [row for row, truth in enumerate(truths) if truth.facts["separation"]["sources"] == 2]
    mixtures = [mixture for mixture in found if isinstance(mixture, Mixture)]
    assert found.count("not of two bodies that sound") == 8 - len(rows)
    assert len(mixtures) == len(rows) >= 2
    for mixture, row in zip(mixtures, rows, strict=True):
        arrays = read_arrays(duets.truth_arrays(row))
        assert arrays.stems is not None
        np.testing.assert_allclose(mixture.sources[1], arrays.stems["source 1"], atol=1e-7)
        np.testing.assert_allclose(mixture.sound, sum(arrays.stems.values()), atol=1e-6)
        assert mixture.frames.shape == (2, 1, 3, 32, 32)
        assert mixture.same_class is False
        assert not (mixture.wrong == mixture.frames).flatten(1).all(dim=1).any()


def test_a_region_is_the_square_around_the_box(duets: _Table) -> None:
    from seehear.tasks.separation_mixtures import _region

    frame = np.arange(40 * 60 * 3).reshape(40, 60, 3).astype(np.uint8)
    found = _region(frame, np.array([0.25, 0.25, 0.5, 0.5]))  # x 15 to 30, y 10 to 20
    np.testing.assert_array_equal(found, frame[4:26, 11:34])
    assert _region(frame, np.zeros(4)) is None
    assert _region(frame, np.array([0, 0, 0.1, 0.1])).shape[2] == 3
