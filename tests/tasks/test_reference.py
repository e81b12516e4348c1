import numpy as np
import pytest
import torch

from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness
from seehear.tasks.reference import Recipe, Reference, _positions, _shuffled, fit, log_probabilities
from seehear.tasks.reference_views import CHANNELS, inputs, picture_view, sound_view

SMALL = Recipe(width=4, epochs=12, batch=16, rate=1e-2)
SHAPES = {"sound": (40, 128), "picture": (8, 32, 32)}


def views(modality, count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    if modality == "sound":
        return torch.randn(count, *SHAPES["sound"], generator=generator).half()
    return torch.randint(0, 256, (count, *SHAPES["picture"]), generator=generator, dtype=torch.uint8)


def film(moving, rng, frames=10, side=32):
    """A standing bar and a lying bar on a rough ground under a shaking camera; body `moving` goes back and forth."""
    ground = rng.integers(60, 120, (side + 8, side + 8, 3), dtype=np.uint8)
    places = rng.permutation([(6, 6), (22, 20)])
    pictures = []
    for t in range(frames):
        picture = ground.copy()
        for body, (row, column) in enumerate(places):
            height, width = ((12, 4), (4, 12))[body]
            column = column + (3 if body == moving and t % 2 else 0)
            picture[row : row + height, column : column + width] = 230
        r, c = rng.integers(3, 6, 2)
        pictures.append(picture[r : r + side, c : c + side])
    return torch.from_numpy(np.stack(pictures))


def test_views_are_small_and_of_the_stated_kind():
    sound = sound_view(torch.rand(2, 16_000) - 0.5)
    assert (sound.dtype, sound.shape) == (torch.float16, (2, 98, 128))
    assert sound.isfinite().all()
    picture = picture_view(torch.randint(0, 256, (5, 128, 128, 3), dtype=torch.uint8))
    assert (picture.dtype, picture.shape) == (torch.uint8, (8, 96, 96))


def test_a_picture_view_shows_motion_where_something_moves_and_nowhere_else():
    frames = torch.full((8, 64, 64, 3), 90, dtype=torch.uint8)
    frames += torch.randint(0, 40, (64, 64, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    still = picture_view(frames)
    assert torch.equal(still[:3], frames[0].permute(2, 0, 1))
    assert not still[6:].any()
    frames[1::2, 20:30, 20:30] = 255
    moved = picture_view(frames)
    there = torch.zeros(64, 64, dtype=torch.bool)
    there[20:30, 20:30] = True
    assert (moved[6:, there] > 0).all()
    assert not moved[6:, ~there].any()
    assert torch.equal(moved[:3], still[:3])


def test_the_farthest_colour_is_that_of_a_short_visit():
    frames = torch.randint(80, 120, (32, 32, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    frames = frames.repeat(9, 1, 1, 1)
    ground = frames[0].permute(2, 0, 1).clone()
    frames[4, :8, :8] = torch.tensor([250, 0, 0], dtype=torch.uint8)
    view = picture_view(frames)
    assert view[3:6, :8, :8].flatten(1).unique(dim=1).squeeze(1).tolist() == [250, 0, 0]
    assert torch.equal(view[3:6, 8:], ground[:, 8:])


@pytest.mark.parametrize("modality", ["sound", "picture"])
def test_augmentation_follows_its_keys_and_keeps_shapes(modality):
    given = views(modality)
    plain = inputs(modality, given)
    keys = torch.arange(4)
    one, same, other = (inputs(modality, given, k) for k in (keys, keys, keys + 100))
    assert plain.shape == one.shape == (4, CHANNELS[modality], *SHAPES[modality][-2:])
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert not torch.equal(one, plain)
    assert torch.equal(inputs(modality, given[2:], keys[2:]), one[2:])


@pytest.mark.parametrize("modality", ["sound", "picture"])
def test_gradients_reach_every_parameter(modality):
    torch.manual_seed(0)
    network = Reference(modality, 5, Recipe(width=4, dropout=0.0))
    found = network(inputs(modality, views(modality)))
    assert (found.dtype, found.shape) == (torch.float32, (4, 5))
    (found * torch.randn(4, 5)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_an_epoch_shows_every_clip_once_in_an_order_of_its_own():
    randomness = Randomness(0, 10)
    rows = torch.cat([_shuffled(_positions(step, 4), 10, randomness) for step in range(5)])
    first, second = rows[:10].tolist(), rows[10:].tolist()
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_the_picture_reference_learns_which_body_moves():
    rng = np.random.default_rng(0)
    targets = torch.arange(96) % 2
    films = torch.stack([picture_view(film(int(label), rng)) for label in targets])
    network = fit("picture", films[:64], targets[:64], 2, recipe=SMALL)
    found = log_probabilities(network, films[64:])
    assert found.exp().sum(dim=1).sub(1).abs().max() < 1e-4
    assert (found.argmax(dim=1) == targets[64:]).float().mean() > 0.9


def test_the_sound_reference_learns_struck_from_held_tones_of_any_pitch():
    generator = torch.Generator().manual_seed(0)
    times = torch.arange(8_000) / 16_000
    targets = torch.arange(96) % 2
    pitch = 200 * 8 ** torch.rand(96, 1, generator=generator)
    struck = torch.exp(-((times * 4) % 1) * 8)
    tones = torch.sin(2 * torch.pi * pitch * times) * torch.where(targets[:, None] == 1, struck, torch.ones(()))
    heard = sound_view(0.2 * tones + 1e-3 * torch.randn(96, 8_000, generator=generator))
    network = fit("sound", heard[:64], targets[:64], 2, recipe=SMALL)
    assert (log_probabilities(network, heard[64:]).argmax(dim=1) == targets[64:]).float().mean() > 0.9


def test_equal_arguments_give_equal_networks_and_leave_the_global_state():
    given, targets = views("picture", 32), torch.arange(32) % 3
    recipe = Recipe(width=4, epochs=1, batch=8)
    state = torch.get_rng_state()
    one, same, other = (fit("picture", given, targets, 3, recipe=recipe, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(log_probabilities(one, given), log_probabilities(same, given))
    assert not torch.equal(log_probabilities(one, given), log_probabilities(other, given))


def test_steps_are_left_out_when_the_time_is_over():
    done = []
    given, targets = views("picture", 32), torch.arange(32) % 3
    recipe = Recipe(width=4, epochs=4, batch=8)
    network = fit("picture", given, targets, 3, recipe=recipe, seconds=1e-9, progress=lambda k, n: done.append((k, n)))
    assert len(done) <= 1
    assert log_probabilities(network, given).isfinite().all()


def test_what_does_not_fit_is_refused():
    given = views("picture", 8)
    with pytest.raises(UsageError, match="one target each"):
        fit("picture", given, torch.zeros(7, dtype=torch.int64), 2, recipe=SMALL)
    with pytest.raises(UsageError, match="at least one step of 1000"):
        fit("picture", given, torch.zeros(8, dtype=torch.int64), 2, recipe=Recipe(batch=1000))
    with pytest.raises(DataError, match="0 to 1"):
        fit("picture", given, torch.full((8,), 2), 2, recipe=Recipe(batch=8))
