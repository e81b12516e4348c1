import gc
import threading

import numpy as np
import pytest
import torch

from seehear.clips import Clip, Loader, MemoryClips, ShuffleSampler
from seehear.contracts import AudioNeed, Batch, FrameNeed, Needs
from seehear.errors import DataError, MediaError, SkipReason, UsageError
from seehear.randomness import Randomness
from tests.clips.made_clips import NEEDS, Damaged, make_clip, make_clips


def make_loader(source, batch: int = 6, needs: Needs = NEEDS, seed: int = 3, **options) -> Loader:
    sampler = ShuffleSampler(source.ids, batch, seed)
    return Loader(source, needs, sampler, Randomness(seed, len(source)), **options)


def joined(batches: list[Batch]) -> dict[str, object]:
    """Everything in some batches, laid end to end."""
    result: dict[str, object] = {"ids": torch.cat([b.sample_ids for b in batches])}
    result["positions"] = torch.cat([b.positions for b in batches])
    result["replacements"] = [r for b in batches for r in b.replacements]
    for name, first in batches[0].fields.items():
        parts = [b[name] for b in batches]
        result[name] = (
            torch.cat(parts) if isinstance(first, torch.Tensor) else [text for part in parts for text in part]
        )
    return result


def same(one: dict[str, object], other: dict[str, object]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(v, other[k]) if isinstance(v, torch.Tensor) else v == other[k] for k, v in one.items())


def test_fields_are_those_that_are_needed() -> None:
    source = make_clips(10)
    (batch,) = make_loader(source).batches(2, 3)
    assert batch.positions.tolist() == list(range(12, 18))
    assert batch["waveform"].shape == (6, 800)
    assert batch["frames"].shape == (6, 2, 3, 8, 8)
    assert batch["labels"].shape == (6, 3)
    number = {int(i): n for i, n in zip(source.ids, range(10), strict=True)}
    for row in range(6):
        i = number[int(batch.sample_ids[row])]
        assert batch["caption"][row] == f"number {i}"
        assert set(batch["frames"][row, :, 0].flatten().tolist()) == {i}
        assert batch["waveform"][row].numpy() // 100 == pytest.approx(i)
        assert batch["labels"][row].argmax() == i % 3
    (batch,) = make_loader(source, needs=Needs(audio=AudioNeed(0.01))).batches(0, 1)
    assert sorted(batch.fields) == ["has_audio", "waveform", "waveform_samples"]


def test_picture_and_sound_are_of_one_moment() -> None:
    """In a clip of 1 s with a frame each 0.1 s, a window of 0.3 s shows only its own frames."""
    clips = [make_clip(i, frames=10, seconds=1.0, audio=np.arange(16_000, dtype=np.int16)) for i in range(8)]
    needs = Needs(AudioNeed(0.3), FrameNeed(2, 8, 8))
    loader = make_loader(MemoryClips(clips), needs=needs)
    starts = set()
    for batch in loader.batches(0, 20):
        start = batch["waveform"][:, 0].float() / 16_000
        shown = batch["frames"][:, :, 1, 0, 0] * 0.1 + 0.05
        assert torch.all(shown >= start[:, None] - 1e-3)
        assert torch.all(shown <= start[:, None] + 0.3 + 1e-3)
        starts |= set(start.tolist())
    assert len(starts) > 100


def test_short_sound_is_padded_and_says_so() -> None:
    source = make_clips(4, seconds=0.02)
    (batch,) = make_loader(source, batch=4).batches(0, 1)
    assert batch["waveform_samples"].tolist() == [320] * 4
    assert batch["waveform"][:, 320:].abs().sum() == 0


@pytest.mark.parametrize("bad", [set(), {1, 5, 9}])
def test_threads_prefetch_rank_and_first_step_change_nothing(bad: set[int]) -> None:
    clips = [make_clip(i, seconds=0.3) for i in range(20)]
    expected = joined(list(make_loader(Damaged(clips, bad), threads=0).batches(0, 9)))
    for threads, prefetch in ((1, 1), (2, 4), (3, 9)):
        loader = make_loader(Damaged(clips, bad), threads=threads, prefetch=prefetch)
        assert same(joined(list(loader.batches(0, 9))), expected)
    resumed = make_loader(Damaged(clips, bad))
    assert same(joined([*resumed.batches(0, 4), *resumed.batches(4, 9)]), expected)
    ranks = [list(make_loader(Damaged(clips, bad), rank=r, world_size=2).batches(0, 9)) for r in range(2)]
    assert same(joined([ranks[rank][step] for step in range(9) for rank in range(2)]), expected)


def test_listing_order_of_the_source_changes_nothing() -> None:
    source = make_clips(20)
    turned = source.subset(indices=np.arange(20)[::-1])
    assert same(joined(list(make_loader(source).batches(0, 5))), joined(list(make_loader(turned).batches(0, 5))))


def test_two_epochs_and_two_seeds_draw_differently() -> None:
    source = make_clips(6, seconds=1.0)
    first, second = make_loader(source).batches(0, 2)
    order = [int(torch.nonzero(second.sample_ids == i)) for i in first.sample_ids]
    assert not torch.equal(first["waveform"], second["waveform"][order])
    (other,) = make_loader(source, seed=4).batches(0, 1)
    assert not torch.equal(first["waveform"], other["waveform"])


def test_fewer_clips_than_a_batch_repeat() -> None:
    (batch,) = make_loader(make_clips(3), batch=7).batches(0, 1)
    assert len(batch) == 7
    assert len(set(batch.sample_ids.tolist())) == 3


def test_bad_clips_are_replaced_in_their_place_and_recorded() -> None:
    clips = [make_clip(i) for i in range(30)]
    good = joined(list(make_loader(Damaged(clips, set())).batches(0, 5)))
    loader = make_loader(Damaged(clips, {2, 7}, SkipReason.TIMED_OUT))
    batches = list(loader.batches(0, 5))
    found = joined(batches)
    bad_ids = {int(loader.source.ids[i]) for i in (2, 7)}
    places = [i for i, sample in enumerate(good["ids"].tolist()) if sample in bad_ids]
    assert len(places) == 2
    assert [(r.position, r.sample_id, r.reason) for r in found["replacements"]] == [
        (p, good["ids"][p].item(), "decoding took too long") for p in places
    ]
    for record in found["replacements"]:
        assert found["ids"][record.position] == record.replaced_by
        assert record.replaced_by not in good["ids"][record.position // 6 * 6 :][:6]
    kept = [i for i in range(30) if i not in places]
    assert torch.equal(found["waveform"][kept], good["waveform"][kept])
    assert all(len(batch) == 6 and len(set(batch.sample_ids.tolist())) == 6 for batch in batches)
    assert loader.bad.counts == {"decoding took too long": 2}


def test_too_many_bad_clips_stop_the_run() -> None:
    clips = [make_clip(i) for i in range(60)]
    loader = make_loader(Damaged(clips, set(range(11))))
    with pytest.raises(DataError, match=r"11 clips could not be read.*at most 10.*doctor"):
        list(loader.batches(0, 10))
    assert len(list(make_loader(Damaged(clips, set(range(10)))).batches(0, 10))) == 10
    with pytest.raises(DataError, match="at most 0"):
        list(make_loader(Damaged(clips, {0}), max_bad=0).batches(0, 10))
    with pytest.raises(DataError, match="50 clips in a row"):
        list(make_loader(Damaged(clips, set(range(60)))).batches(0, 1))
    assert make_loader(make_clips(5000, frames=1, seconds=0.001)).bad.most == 50


def test_raise_policy_raises_the_typed_error() -> None:
    clips = [make_clip(i) for i in range(6)]
    for threads in (0, 2):
        with pytest.raises(MediaError) as caught:
            list(make_loader(Damaged(clips, {3}), on_bad="raise", threads=threads).batches(0, 1))
        assert caught.value.reason == SkipReason.TRUNCATED


def test_other_errors_surface_as_they_are() -> None:
    class Broken(Damaged):
        def _decode(self, rows, needs, choices):
            raise ZeroDivisionError("a fault")

    for threads in (0, 2):
        with pytest.raises(ZeroDivisionError):
            list(make_loader(Broken([make_clip(i) for i in range(6)], set()), threads=threads).batches(0, 3))


def test_stopping_early_leaves_no_threads() -> None:
    gc.collect()
    before = threading.active_count()
    batches = make_loader(make_clips(20), threads=3, prefetch=6).batches(0, 1000)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_memory_is_bounded_and_the_lag_of_the_sampler_kept() -> None:
    class Slow(ShuffleSampler):
        lag = 2
        planned = -1

        def plan(self, step: int) -> np.ndarray:
            self.planned = max(self.planned, step)
            return super().plan(step)

    source = make_clips(20)
    sampler = Slow(source.ids, 5, 0)
    batches = Loader(source, NEEDS, sampler, Randomness(0, 20), threads=2, prefetch=8).batches(0, 10)
    for step in range(5):
        next(batches)
        assert sampler.planned <= step + 1  # plan(step + 1) needs what was observed up to step - 1


def test_clips_that_lack_a_modality_are_refused_or_masked() -> None:
    source = MemoryClips([make_clip(0), make_clip(1, audio=None), make_clip(2, frames=3), make_clip(3, frames=1)])
    with pytest.raises(DataError, match=r"1 have no sound.*source.usable"):
        make_loader(source)
    assert source.usable(NEEDS).names == ["clip0", "clip2", "clip3"]
    (batch,) = make_loader(source, batch=4, incomplete="mask").batches(0, 1)
    silent = source.ids[1]
    assert batch["has_audio"].tolist() == [int(i) != silent for i in batch.sample_ids]
    assert batch["waveform_samples"][~batch["has_audio"]].tolist() == [0]
    assert batch["has_image"].all()


def test_what_cannot_be_met_is_refused() -> None:
    source = make_clips(8)
    for options in ({"world_size": 4}, {"rank": 1}, {"rank": -1}):
        with pytest.raises(UsageError, match="global batch of 6"):
            make_loader(source, **options)
    for needs in (Needs(AudioNeed(1.0, 44_100)), Needs(AudioNeed(0.0)), Needs(frames=FrameNeed(0, 8, 8))):
        with pytest.raises(UsageError, match=r"asked for|at least 1"):
            make_loader(source, needs=needs)
    stranger = ShuffleSampler(make_clips(9).ids, 6, 0)
    with pytest.raises(UsageError, match="does not have"):
        list(Loader(source, NEEDS, stranger, Randomness(0, 8)).batches(0, 2))


def test_is_a_stream() -> None:
    source = make_clips(8)
    loader = make_loader(source)
    assert (loader.global_batch, loader.clips_per_epoch) == (6, 8)
    assert loader.fingerprint == source.fingerprint


def test_clips_without_any_picture_are_heard() -> None:
    source = MemoryClips(Clip(f"c{i}", audio=make_clip(i).audio) for i in range(5))
    (batch,) = make_loader(source, batch=5, needs=Needs(AudioNeed(0.05))).batches(0, 1)
    assert batch["waveform"].shape == (5, 800)
