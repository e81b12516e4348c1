import pytest
import torch

from seehear.clips import in_order
from seehear.contracts import AudioNeed, FrameNeed, Needs
from seehear.errors import MediaError, UsageError
from tests.clips.made_clips import NEEDS, Damaged, make_clip, make_clips


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("size", [1, 4, 7, 64])
def test_every_clip_once_whatever_the_batch_size(size: int, threads: int) -> None:
    source = make_clips(11)
    batches = list(in_order(source, NEEDS, size, threads=threads))
    assert [len(b) for b in batches] == [size] * (11 // size) + [11 % size] * (11 % size > 0)
    assert torch.cat([b.positions for b in batches]).tolist() == list(range(11))
    assert torch.cat([b.sample_ids for b in batches]).tolist() == source.ids.tolist()
    assert [text for b in batches for text in b["caption"]] == source.captions


def test_frames_and_sound_are_fixed() -> None:
    source = make_clips(3, frames=5, seconds=0.2)
    (batch,) = in_order(source, Needs(AudioNeed(0.1), FrameNeed(1, 8, 8)))
    assert batch["waveform"][1].tolist() == (100 + torch.arange(1600) % 100).tolist()
    assert batch["frames"][:, 0, 1, 0, 0].tolist() == [1, 1, 1]  # of the frames at 0.02, 0.06 (of 0.1 s) the second
    (batch,) = in_order(source, Needs(frames=FrameNeed(1, 8, 8)))
    assert batch["frames"][:, 0, 1, 0, 0].tolist() == [2, 2, 2]
    (batch,) = in_order(source, Needs(frames=FrameNeed(5, 8, 8)))
    assert batch["frames"][0, :, 1, 0, 0].tolist() == [0, 1, 2, 3, 4]


def test_unreadable_clips_raise_or_are_listed() -> None:
    source = Damaged([make_clip(i) for i in range(9)], {0, 3, 4, 5})
    with pytest.raises(MediaError):
        list(in_order(source, NEEDS, 3))
    walk = in_order(source, NEEDS, 3, on_bad="skip")
    batches = list(walk)
    assert torch.cat([b.positions for b in batches]).tolist() == [1, 2, 6, 7, 8]
    assert [(s.index, s.name, s.reason) for s in walk.skipped] == [
        (i, f"clip{i}", "truncated or damaged") for i in (0, 3, 4, 5)
    ]
    assert walk.counts == {"truncated or damaged": 4}


def test_bad_batch_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="batch size of 0"):
        in_order(make_clips(2), NEEDS, 0)
