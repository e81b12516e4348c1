"""Bytes that a step must move at least, by formula, for the roofline: how many FLOP a machine does for a byte.

Weights are read forward and backward, gradients written, and the optimiser reads and writes weights and two moments:
40 bytes of a parameter in fp32. Each activation that a block holds, 17 n d values, is written once and read once in
either direction. What a step really moves is more; no program moves less without computing things again.

Legend: n tokens, d width.
"""

from benchmarks.rivals.shape import AUDIO, IMAGE, Shape

BYTES_OF_A_PARAMETER = 40
HELD = 17  # values of width d that a block holds for each token
PASSES = 3  # written, read forward, read backward


def held_values(shape: Shape, clips: int) -> float:
    """Values that all blocks hold for the backward pass of both objectives."""
    ratios = [*shape.ratios, *[shape.reconstruction_ratio] * len(shape.ratios)]
    seen = sum(shape.kept(m, ratio) for m in (AUDIO, IMAGE) for ratio in ratios) / len(shape.ratios)
    fused = sum(shape.kept(m, shape.reconstruction_ratio) for m in (AUDIO, IMAGE))
    drawn = sum(shape.places(m) for m in (AUDIO, IMAGE))
    wide = seen * shape.width * shape.depth + fused * shape.width * shape.fusion_depth
    return HELD * clips * (wide + drawn * shape.decoder_width * shape.decoder_depth)


def least_bytes(shape: Shape, clips: int, parameters: float, value_bytes: int) -> float:
    """Bytes of one training step; activations are of `value_bytes` each."""
    return BYTES_OF_A_PARAMETER * parameters + PASSES * value_bytes * held_values(shape, clips)
