"""Masked reconstruction and the fills beside it, against loops and closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seehear.contracts import Reconstruction
from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness
from seehear.tasks import reconstruction
from seehear.tasks.fills import cut, drawn, mean_patch, nearest_patch, smooth_fill
from tests.tasks.tasks_toys import ToyMethod, clips, in_batches


def seen(original: torch.Tensor, hidden: torch.Tensor, patch: tuple[int, int]) -> Reconstruction:
    """A reconstruction that drew nothing: `hidden [B, R, K]` says which patches are masked."""
    mask = hidden.repeat_interleave(patch[0], 1).repeat_interleave(patch[1], 2)
    mask = mask if original.ndim == 3 else mask[:, None].expand_as(original)
    return Reconstruction(original, original.clone(), mask, patch)


def example(seed: int, sound: bool = False):
    rng = torch.Generator().manual_seed(seed)
    hidden = torch.rand(2, 3, 4, generator=rng) < 0.6
    hidden[:, 1, 2] = False
    shape = (2, 6, 8) if sound else (2, 3, 6, 8)
    return seen(torch.rand(shape, generator=rng), hidden, (2, 2)), hidden


def patch_at(picture: torch.Tensor, row: int, column: int) -> torch.Tensor:
    return picture[..., 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(-1).double()


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_fills_equal_the_loops(seed, sound):
    given_, hidden = example(seed, sound)
    patches = cut(given_)
    means, nearest = mean_patch(patches), nearest_patch(patches)
    for sample in range(2):
        visible = [(r, c) for r in range(3) for c in range(4) if not hidden[sample, r, c]]
        original = given_.original[sample]
        for row in range(3):
            for column in range(4):
                place = row * 4 + column
                if not hidden[sample, row, column]:
                    expected = [patch_at(original, row, column)] * 2
                else:
                    distances = [math.dist((row, column), v) for v in visible]
                    near = [v for v, d in zip(visible, distances, strict=True) if d <= min(distances) + 1e-9]
                    expected = [torch.stack([patch_at(original, *v) for v in some]).mean(0) for some in (visible, near)]
                torch.testing.assert_close(means[sample, place], expected[0])
                torch.testing.assert_close(nearest[sample, place], expected[1])


def test_smooth_fill_by_hand():
    """Two visible flat patches in a row of three: the middle is their mean, and the edges run between centres."""
    original = torch.zeros(1, 1, 2, 6)
    original[..., 4:] = 1.0
    original[..., 2:4] = 9.0  # hidden
    patches = cut(seen(original.expand(1, 3, 2, 6), torch.tensor([[[False, True, False]]]), (2, 2)))
    filled = smooth_fill(patches)[0, 1]
    torch.testing.assert_close(filled.view(3, 2, 2)[0, 0], torch.tensor([0.375, 0.625], dtype=torch.float64))
    torch.testing.assert_close(smooth_fill(patches)[0, 0], torch.zeros(12, dtype=torch.float64))


def test_constant_pictures_are_filled_perfectly():
    original = torch.full((2, 3, 6, 8), 0.3)
    patches = cut(seen(original, example(0)[1], (2, 2)))
    for fill in (mean_patch, nearest_patch, smooth_fill):
        torch.testing.assert_close(fill(patches), patches.values)


def test_smooth_fill_is_the_stronger_one_on_a_smooth_picture():
    ramp = torch.linspace(0, 1, 32)[None, None, :, None] + torch.linspace(0, 2, 32)[None, None, None, :]
    hidden = torch.rand(4, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.75
    patches = cut(seen(ramp.expand(4, 3, 32, 32).contiguous(), hidden, (4, 4)))
    errors = [
        float((fill(patches) - patches.values).square().mean()) for fill in (smooth_fill, nearest_patch, mean_patch)
    ]
    assert errors[0] < errors[1] < errors[2]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_fills_do_not_look_at_what_is_hidden(seed):
    given_, hidden = example(seed % 50)
    other, _ = example(seed % 50)
    noise = torch.rand(other.original.shape, generator=torch.Generator().manual_seed(seed))
    other.original[other.mask] += noise[other.mask]
    for fill in (mean_patch, nearest_patch, smooth_fill):
        one, two = fill(cut(given_)), fill(cut(other))
        assert torch.equal(one[hidden.flatten(1)], two[hidden.flatten(1)])


class PerfectMethod(ToyMethod):
    def draw(self, original):
        return original


class GreyMethod(ToyMethod):
    """Draws the mean of everything (known beforehand)."""

    level = 0.0

    def draw(self, original):
        return torch.full_like(original, self.level)


def only(figures):
    found = list(figures)
    assert len(found) == 1
    return found[0]


def test_perfect_is_zero_and_the_mean_is_one():
    fields = clips(12)
    assert only(reconstruction(PerfectMethod(), in_batches(fields, 5))).value == 0.0
    grey = GreyMethod()
    hidden = grey.reconstruct(next(in_batches(fields, 12)), Randomness(0))["image"]
    grey.level = float(hidden.original[hidden.mask].double().mean())
    figure = only(reconstruction(grey, in_batches(fields, 5)))
    assert figure.value == pytest.approx(1.0, abs=0.01)
    assert (figure.name, figure.chance, figure.ceiling) == ("reconstruction/image/masked MSE", 1.0, 0.0)
    assert not figure.higher_is_better
    assert set(figure.baselines) == {"mean patch", "nearest patch", "smooth fill"}
    assert figure.note.startswith("12 clips, patches of 4 x 4")


def test_value_and_baselines_equal_plain_sums():
    fields, method = clips(6), ToyMethod()
    batch = next(in_batches(fields, 6))
    batch.positions.zero_()
    one = method.reconstruct(batch, Randomness(0))["image"]
    truth = one.original[one.mask].double()
    figure = only(reconstruction(method, in_batches(fields, 4)))
    assert figure.value == pytest.approx(float(truth.square().mean() / truth.var(correction=0)), rel=1e-6)
    patches = cut(one)
    expected = (mean_patch(patches) - patches.values)[patches.hidden].square().mean() / truth.var(correction=0)
    assert figure.baselines["mean patch"] == pytest.approx(float(expected), rel=1e-6)
    torch.testing.assert_close(drawn(one, patches)[~patches.hidden], patches.values[~patches.hidden])


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_and_order_do_not_matter(size):
    fields = clips(15)
    order = np.random.default_rng(size).permutation(15)
    expected = only(reconstruction(ToyMethod(), in_batches(fields, 15)))
    found = only(reconstruction(ToyMethod(), in_batches(fields, size, order)))
    assert found.value == pytest.approx(expected.value, abs=1e-9)
    for name, value in expected.baselines.items():
        assert found.baselines[name] == pytest.approx(value, abs=1e-9)


def test_another_seed_hides_other_patches():
    fields = clips(5)
    values = {only(reconstruction(ToyMethod(), in_batches(fields, 5), seed=s)).value for s in (0, 1)}
    assert len(values) == 2


def test_the_untrained_network_stands_beside():
    fields = clips(9)
    figure = only(reconstruction(PerfectMethod(), in_batches(fields, 4), untrained=ToyMethod()))
    assert figure.untrained == pytest.approx(only(reconstruction(ToyMethod(), in_batches(fields, 4))).value)


def test_clips_without_pictures_do_not_count():
    fields = clips(8)
    fields["has_image"][3], fields["has_image"][7] = False, False
    fields["frames"][3] = 255
    figure = only(reconstruction(ToyMethod(), in_batches(fields, 3)))
    kept = {n: v[fields["has_image"]] for n, v in fields.items()}
    assert figure.value == pytest.approx(only(reconstruction(ToyMethod(), in_batches(kept, 3))).value)
    assert figure.note.startswith("6 clips")


def test_broken_reconstructions_are_refused():
    fields = clips(4)
    with pytest.raises(DataError, match="no clip to reconstruct"):
        list(reconstruction(ToyMethod(), []))
    grey = GreyMethod()
    grey.level = float("nan")
    with pytest.raises(DataError, match="holds NaN"):
        list(reconstruction(grey, in_batches(fields, 4)))
    flat = {**fields, "frames": torch.full_like(fields["frames"], 9)}
    with pytest.raises(DataError, match="clips that vary"):
        list(reconstruction(ToyMethod(), in_batches(flat, 4)))

    class NoDrawing(ToyMethod):
        reconstruct = None

    with pytest.raises(UsageError, match="NoDrawing does not reconstruct"):
        list(reconstruction(NoDrawing(), in_batches(fields, 4)))


def test_masks_that_are_no_patches_are_refused():
    given_, _ = example(0)
    with pytest.raises(DataError, match="do not tile"):
        cut(Reconstruction(given_.original, given_.reconstruction, given_.mask, (4, 4)))
    with pytest.raises(DataError, match="shows no patch"):
        cut(seen(given_.original, torch.ones(2, 3, 4, dtype=torch.bool), (2, 2)))
    torn = given_.mask.clone()
    torn[0, 0, 0, 0] ^= True
    with pytest.raises(DataError, match="hidden in part"):
        cut(Reconstruction(given_.original, given_.reconstruction, torn, (2, 2)))


def test_a_network_that_is_lent_statistics_stands_beside_them():
    class Lent(ToyMethod):
        def reconstruct(self, batch, randomness):
            return {m: replace(r, lent=True) for m, r in super().reconstruct(batch, randomness).items()}

    plain = {f.name: f for f in reconstruction(ToyMethod(), in_batches(clips(6), 3))}
    lent = {f.name: f for f in reconstruction(Lent(), in_batches(clips(6), 3))}
    for name, figure in lent.items():
        assert figure.value == plain[name].value
        assert "its own true mean" not in plain[name].baselines
        assert 0 < figure.baselines["its own true mean"] < 1
        assert "lent" in figure.note
