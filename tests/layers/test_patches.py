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
    gather_patches,
    join_picture,
    join_spectrogram,
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
