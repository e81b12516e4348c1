import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.signals import steady

SIDE, MARGIN = 48, 8


@st.composite
def shaken(draw):
    """One scene seen through a window that jumps by whole pixels: frames `[1, T, 3, H, W]` and the jumps `[T, 2]`."""
    jumps = draw(st.lists(st.tuples(*[st.integers(-3, 3)] * 2), min_size=1, max_size=4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    wide = torch.rand(3, SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, generator=generator, dtype=torch.float64)
    jumps = [(0, 0), *((-rows, -columns) for rows, columns in jumps)]
    frames = [wide[:, MARGIN + r : MARGIN + r + SIDE, MARGIN + c : MARGIN + c + SIDE] for r, c in jumps]
    return torch.stack(frames)[None], -torch.tensor(jumps)


@given(shaken())
def test_every_jump_is_found_and_undone(drawn):
    frames, jumps = drawn
    still, offsets = steady(frames)
    assert torch.equal(offsets[0], jumps)
    inside = still[..., 4:-4, 4:-4]
    assert torch.equal(inside, inside[:, :1].expand_as(inside))


def test_the_edge_is_repeated_where_nothing_is_known():
    frames = torch.rand(1, 2, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    frames[0, 1] = frames[0, 0].roll(-2, dims=1)  # content two rows higher: the lowest two are missing
    still, offsets = steady(frames)
    assert offsets[0, 1].tolist() == [-2, 0]
    assert torch.equal(still[0, 1, :, :2], frames[0, 1, :, :1].expand(-1, 2, -1))


def test_a_body_that_moves_does_not_move_the_camera():
    background = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    frames = background.repeat(1, 6, 1, 1, 1)
    for t in range(6):
        frames[0, t, :, 20:32, 4 * t : 4 * t + 12] = 1.0
    still, offsets = steady(frames)
    assert not offsets.any()
    assert torch.equal(still, frames)


def test_flat_pictures_stay_where_they_are():
    frames = torch.full((1, 3, 3, 16, 16), 0.5)
    assert torch.equal(steady(frames)[0], frames)


@pytest.mark.parametrize("frames", [torch.zeros(2, 3, 8, 8), torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)])
def test_other_inputs_are_refused(frames):
    with pytest.raises(UsageError, match="expected"):
        steady(frames)
