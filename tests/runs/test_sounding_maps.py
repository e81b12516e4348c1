"""Maps over time: equal to a slow loop over the file, the planted square where it is, nothing where it is silent."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seehear import signals
from seehear.contracts import FrameNeed
from seehear.errors import DataError, MediaError, UsageError
from seehear.media import Pool, read_audio, read_frames
from seehear.runs.sounding_maps import seen_of, sounding_maps
from seehear.runs.stretch import Stretch
from tests.runs import planted


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as processes:
        yield processes


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planted") / "clip.mp4"
    planted.write_planted(path, silent=(2.0, 3.0))
    return path


def _slow(path: Path, middle: float, start: float, end: float) -> np.ndarray:
    """The map of one moment, read from the file anew."""
    picture = read_frames(path, [middle]).pixels[0]
    small = signals.resize(torch.from_numpy(picture).permute(2, 0, 1)[None], (32, 32))[0].float().mean(dim=0).numpy()
    begin = min(max(middle - 0.5, start), end - 1.0)
    sound = read_audio(path, begin, 1.0).astype(float)
    grid = np.zeros((4, 4))
    for row in range(4):
        for column in range(4):
            grid[row, column] = small[8 * row : 8 * row + 8, 8 * column : 8 * column + 8].mean()
    return grid * np.abs(sound).mean()


@pytest.mark.parametrize(("start", "end"), [(0.0, 4.0), (1.0, 3.75)])
def test_maps_equal_a_slow_loop(clip: Path, pool: Pool, start: float, end: float) -> None:
    stretch = Stretch(clip, pool, start, end)
    maps = sounding_maps(planted.Bright(), stretch, 0.25)
    quiet = [not 2.0 <= start + middle < 3.0 for middle in maps.middles]
    assert (~maps.silent).tolist() == quiet
    slow = [_slow(clip, start + m, start, end) if loud else None for m, loud in zip(maps.middles, quiet, strict=True)]
    low = min(float(one.min()) for one in slow if one is not None)
    high = max(float(one.max()) for one in slow if one is not None)
    for seconds in np.arange(0.0, end - start, 0.07):
        number = min(int(seconds / 0.25), len(slow) - 1)
        own, found = slow[number], maps.at(float(seconds))
        if own is None:
            assert found is None
            continue
        middle = (number + 0.5) * 0.25
        other = number + 1 if seconds > middle else number - 1
        beside = slow[other] if 0 <= other < len(slow) else None
        share = abs(seconds - middle) / 0.25
        expected = own if beside is None else (1 - share) * own + share * beside
        assert found is not None
        np.testing.assert_allclose(found, (expected - low) / (high - low), atol=2e-3)


def test_the_peak_is_the_planted_square(clip: Path, pool: Pool) -> None:
    maps = sounding_maps(planted.Bright(), Stretch(clip, pool), 0.5)
    assert maps.maps.shape == (8, 4, 4)
    for tile, middle in enumerate(maps.middles):
        row, column = planted.square_at(float(middle))
        place = ((column + 0.5) / 4, (row + 0.5) / 4)
        assert maps.peak(tile) == (None if maps.silent[tile] else pytest.approx(place))


def test_several_frames_are_spread_around_the_middle(clip: Path, pool: Pool) -> None:
    maps = sounding_maps(planted.Bright(frames=3), Stretch(clip, pool), 0.5)
    single = sounding_maps(planted.Bright(), Stretch(clip, pool), 0.5)
    np.testing.assert_allclose(maps.maps, single.maps)


def test_a_network_may_hear_longer_than_the_clip(clip: Path, pool: Pool) -> None:
    maps = sounding_maps(planted.Bright(heard=10.0), Stretch(clip, pool), 1.0)
    mean = np.abs(read_audio(clip).astype(float)[: 4 * 16_000]).mean()
    assert maps.begins.tolist() == [0.0] * 4
    assert np.nanmax(maps.maps) / mean == pytest.approx(220, abs=6)


def test_what_a_centred_crop_sees_is_where_its_map_lies() -> None:
    assert seen_of(FrameNeed(1, 32, 32, "crop"), 50, 100) == pytest.approx((0.25, 0.0, 0.75, 1.0))
    assert seen_of(FrameNeed(1, 32, 64, "crop"), 100, 100) == pytest.approx((0.0, 0.25, 1.0, 0.75))
    assert seen_of(FrameNeed(1, 32, 64), 100, 100) == (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("hop", [0.0, 0.01, float("nan"), float("inf")])
def test_a_wrong_hop_is_refused(clip: Path, pool: Pool, hop: float) -> None:
    with pytest.raises(UsageError, match=r"at least 0\.05 s"):
        sounding_maps(planted.Bright(), Stretch(clip, pool), hop)


def test_maps_that_are_no_numbers_are_refused(clip: Path, pool: Pool) -> None:
    class Broken(planted.Bright):
        def localize(self, batch):
            return super().localize(batch) * float("nan")

    with pytest.raises(DataError, match="NaN"):
        sounding_maps(Broken(), Stretch(clip, pool), 1.0)


@pytest.mark.parametrize(
    ("first", "last", "kind"), [(4.5, None, UsageError), (-1.0, 2.0, UsageError), (2.0, 2.0, UsageError)]
)
def test_a_stretch_lies_in_its_file(clip: Path, pool: Pool, first: float, last: float | None, kind: type) -> None:
    with pytest.raises(kind, match="hold nothing; expected a stretch of its 4 s"):
        Stretch(clip, pool, first, last)


def test_a_silent_stretch_is_refused(clip: Path, pool: Pool) -> None:
    with pytest.raises(DataError, match="nothing is to be heard"):
        sounding_maps(planted.Bright(), Stretch(clip, pool, 2.2, 2.8), 0.2)


def test_more_than_ten_minutes_are_refused_and_a_part_of_them_is_not(
    clip: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seehear.runs.stretch.MOST_SECONDS", 3.0)
    with pytest.raises(MediaError, match="--from-seconds 0 --to-seconds"):
        Stretch(clip, pool)
    assert Stretch(clip, pool, 0.5, 3.5).seconds == 3.0


def test_frames_come_in_pieces_that_join(clip: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    stretch = Stretch(clip, pool)
    whole = [pixels for _, pixels in stretch.frames(480)]
    monkeypatch.setattr("seehear.runs.stretch._PIECE_BYTES", 7 * 64 * 64 * 3)
    pieces = [pixels for _, pixels in stretch.frames(480)]
    assert [len(pixels) for pixels in pieces] == [7] * 5 + [5]
    np.testing.assert_array_equal(np.concatenate(pieces), np.concatenate(whole))
    assert all(pixels.shape[1:] == (32, 32, 3) for _, pixels in stretch.frames(33 - 1))
