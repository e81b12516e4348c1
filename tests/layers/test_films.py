"""Films: all frames of a clip are cropped and mirrored alike, as its single picture would be."""

import torch

from seehear.contracts import Batch
from seehear.layers.inputs import InputConfig, films, pictures
from seehear.randomness import Randomness

INPUTS = InputConfig(image_height=16, image_width=24, flip=True, crop_scale=(0.3, 0.9))


def _batch(frames: torch.Tensor) -> Batch:
    places = torch.arange(len(frames))
    return Batch(places * 7, places, {"frames": frames})


def test_frames_of_a_clip_are_augmented_alike_and_as_its_picture_alone():
    frames = torch.randint(0, 256, (6, 3, 3, 16, 24), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    batch = _batch(frames)
    keys = Randomness(1, 6).keys(batch.positions, batch.sample_ids)
    film = films(batch, INPUTS, keys, 3)
    assert film.shape == (6, 3, 3, 16, 24)
    for i in range(3):
        alone = pictures(_batch(frames[:, i : i + 1]), INPUTS, keys)
        torch.testing.assert_close(film[:, i], alone)
    plain = films(batch, INPUTS, None, 3)
    assert not torch.equal(film, plain)
    still = films(_batch(frames[:, :1].expand(-1, 3, -1, -1, -1)), INPUTS, keys, 3)
    assert torch.equal(still[:, 0], still[:, 2])
