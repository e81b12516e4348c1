"""FLOP of AVSiam's pretraining, by formula: matrix products and attention only, a multiply-add counted as two.

A block over n tokens of width d costs F(n, d) = 24 n d^2 + 4 n^2 d; training is three times the forward pass. Both
passes embed every patch and the decoder takes every place, as the published code does: all arms of a comparison are
credited with the same FLOP, also one that gets by with fewer.

Legend: n tokens, d width, V values of a patch, N token places.
"""

from benchmarks.rivals.shape import AUDIO, CHANNELS, IMAGE, Shape

TRAINING = 3  # forward, and backward at twice its cost


def block(tokens: float, width: int) -> float:
    """F(n, d): one block with an MLP of four times the width."""
    return 24 * tokens * width**2 + 4 * tokens**2 * width


def embedding(shape: Shape, modality: str) -> float:
    """Embedding of all N patches of one clip."""
    places, width = shape.places(modality), shape.width
    if shape.stem == "linear":
        return 2 * places * shape.values(modality) * width
    sides, sizes = (4, 2, shape.patch // 8), (CHANNELS[modality], max(width // 4, 16), max(width // 2, 32), width)
    cells, total = places * shape.patch**2, 0.0
    for place, side in enumerate(sides):
        cells //= side**2
        total += 2 * cells * side**2 * sizes[place] * sizes[place + 1]
    return total


def contrast(shape: Shape, ratio: float) -> float:
    """Forward pass of embedding and trunk for both modalities of one clip at one masking ratio."""
    return sum(embedding(shape, m) + shape.depth * block(shape.kept(m, ratio), shape.width) for m in (AUDIO, IMAGE))


def mean_contrast(shape: Shape) -> float:
    """The same, mean over the masking ratios."""
    return sum(contrast(shape, ratio) for ratio in shape.ratios) / len(shape.ratios)


def hidden_encoder(shape: Shape) -> float:
    """Forward pass of embedding and trunk over what the reconstruction pass shows."""
    return contrast(shape, shape.reconstruction_ratio)


def fusion(shape: Shape) -> float:
    """Forward pass of the joint blocks."""
    tokens = sum(shape.kept(m, shape.reconstruction_ratio) for m in (AUDIO, IMAGE))
    return shape.fusion_depth * block(tokens, shape.width)


def decoder(shape: Shape) -> float:
    """Forward pass of projection, decoder over every place, and heads."""
    places, width = {m: shape.places(m) for m in (AUDIO, IMAGE)}, shape.decoder_width
    visible = sum(shape.kept(m, shape.reconstruction_ratio) for m in places)
    blocks = shape.decoder_depth * block(sum(places.values()), width)
    heads = sum(2 * n * width * shape.values(m) for m, n in places.items())
    return 2 * visible * shape.width * width + blocks + heads


def reconstruction(shape: Shape) -> float:
    """Forward pass of the whole reconstruction."""
    return hidden_encoder(shape) + fusion(shape) + decoder(shape)


def step(shape: Shape, clips: int) -> float:
    """Training on `clips` clips, both passes, forward and backward."""
    return TRAINING * clips * (mean_contrast(shape) + reconstruction(shape))
