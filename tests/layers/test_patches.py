"""Patches: order of tokens and values, the convolution they stand for, and exact stems."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.errors import UsageError
from seehear.layers.patches import (
    PatchEmbedding,
    conv_to_linear,
    cut_picture,
    cut_spectrogram,
    cut_spectrogram_by_time,
    cut_tubes,
    gather_patches,
    join_picture,
    join_spectrogram,
    join_spectrogram_by_time,
    join_tubes,
)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.sampled_from([1, 2, 4]), st.integers(1, 3))
def test_join_is_the_inverse_of_cut(batch, rows, columns, patch, channels):
    images = torch.randn(batch, channels, rows * patch, columns * patch)
    assert torch.equal(join_picture(cut_picture(images, patch), patch, (rows, columns)), images)
    spectrogram = torch.randn(batch, columns * patch, rows * patch)
    assert torch.equal(join_spectrogram(cut_spectrogram(spectrogram, patch), patch, (rows, columns)), spectrogram)


def test_spectrogram_tokens_are_frequency_major_with_the_frame_fastest():
    spectrogram = torch.arange(4 * 6.0).view(1, 4, 6)  # 4 frames, 6 mel bins
    patches = cut_spectrogram(spectrogram, 2)  # grid 3 frequencies x 2 times
    assert torch.equal(patches[0, 1], torch.stack([spectrogram[0, t, f] for f in (0, 1) for t in (2, 3)]))
    assert torch.equal(patches[0, 2], torch.stack([spectrogram[0, t, f] for f in (2, 3) for t in (0, 1)]))


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.sampled_from([1, 2, 4]))
def test_tubes_and_spectrograms_by_time_are_joined_as_they_were_cut(tube, times, rows, columns, patch):
    films = torch.randn(2, times * tube, 3, rows * patch, columns * patch)
    tubes = cut_tubes(films, tube, patch)
    assert tubes.shape == (2, times * rows * columns, patch * patch * tube * 3)
    assert torch.equal(join_tubes(tubes, tube, patch, (times, rows, columns)), films)
    spectrogram = torch.randn(2, columns * patch, rows * patch)
    by_time = cut_spectrogram_by_time(spectrogram, patch)
    assert torch.equal(join_spectrogram_by_time(by_time, patch, (columns, rows)), spectrogram)


def test_tubes_are_ordered_by_time_row_and_column_and_hold_row_column_frame_channel():
    films = torch.arange(4 * 3 * 4 * 6.0).view(1, 4, 3, 4, 6)
    tube = cut_tubes(films, 2, 2)[0, 1 * 6 + 1 * 3 + 2]  # second pair of frames, second row, third column
    expected = [films[0, t, c, y, x] for y in (2, 3) for x in (4, 5) for t in (2, 3) for c in range(3)]
    assert torch.equal(tube, torch.stack(expected))


def test_time_major_spectrogram_tokens_have_the_mel_bin_fastest():
    spectrogram = torch.arange(4 * 6.0).view(1, 4, 6)  # 4 frames, 6 mel bins
    patches = cut_spectrogram_by_time(spectrogram, 2)  # grid 2 times x 3 frequencies
    assert torch.equal(patches[0, 1], torch.stack([spectrogram[0, t, f] for t in (0, 1) for f in (2, 3)]))
    assert torch.equal(patches[0, 3], torch.stack([spectrogram[0, t, f] for t in (2, 3) for f in (0, 1)]))


def test_a_linear_stem_on_tubes_is_the_convolution_in_three_dimensions():
    convolution = torch.nn.Conv3d(3, 5, (2, 4, 4), (2, 4, 4))
    stem = PatchEmbedding(4, 2 * 3, 5)
    stem.proj.weight.data, stem.proj.bias.data = conv_to_linear(convolution.weight.data), convolution.bias.data
    films = torch.randn(2, 6, 3, 8, 12)
    expected = convolution(films.transpose(1, 2)).flatten(2).transpose(1, 2)
    torch.testing.assert_close(stem(cut_tubes(films, 2, 4)), expected)


def test_a_linear_stem_on_a_spectrogram_by_time_is_the_convolution_on_time_by_mel():
    convolution = torch.nn.Conv2d(1, 5, 4, 4)
    stem = PatchEmbedding(4, 1, 5)
    stem.proj.weight.data, stem.proj.bias.data = conv_to_linear(convolution.weight.data), convolution.bias.data
    spectrogram = torch.randn(2, 12, 8)
    expected = convolution(spectrogram[:, None]).flatten(2).transpose(1, 2)
    torch.testing.assert_close(stem(cut_spectrogram_by_time(spectrogram, 4)), expected)


def test_films_that_tubes_do_not_fill_are_refused():
    with pytest.raises(UsageError, match=r"films of 3 frames.*multiple of the tube's, 2"):
        cut_tubes(torch.zeros(1, 3, 3, 4, 4), 2, 4)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_linear_stem_is_the_convolution(channels):
    convolution = torch.nn.Conv2d(channels, 5, 4, 4)
    stem = PatchEmbedding(4, channels, 5)
    stem.proj.weight.data, stem.proj.bias.data = conv_to_linear(convolution.weight.data), convolution.bias.data
    images = torch.randn(2, channels, 8, 12)
    torch.testing.assert_close(stem(cut_picture(images, 4)), convolution(images).flatten(2).transpose(1, 2))


@pytest.mark.parametrize("stem", ["linear", "hierarchical"])
def test_gathering_before_the_projection_changes_nothing(stem):
    embedding = PatchEmbedding(8, 3, 16, stem)
    patches = torch.randn(4, 6, 192)
    rows, keep = torch.tensor([2, 0]), torch.tensor([[5, 1, 2], [0, 3, 4]])
    gathered = gather_patches(patches, rows, keep)
    torch.testing.assert_close(embedding(gathered), embedding(patches)[rows[:, None], keep])


def test_the_hierarchical_stem_reads_the_whole_patch():
    """Every value of the patch reaches the token through the three merges."""
    embedding = PatchEmbedding(8, 1, 16, "hierarchical").double()
    x = torch.zeros(1, 1, 64, dtype=torch.float64, requires_grad=True)
    embedding(x).sum().backward()
    assert x.grad.abs().min() > 0


@pytest.mark.parametrize(("size", "stem", "patch"), [((9, 8), "linear", 4), ((8, 8), "hierarchical", 4)])
def test_sizes_that_do_not_fit_are_refused(size, stem, patch):
    with pytest.raises(UsageError, match="multiple"):
        PatchEmbedding(patch, 1, 16, stem)(cut_picture(torch.zeros(1, 1, *size), patch))
