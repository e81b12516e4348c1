"""Random loudness (DeepAVFusion's augmentation of sound, arXiv 2312.01017): a gain in decibels, then full scale."""

from torch import Tensor

from seehear.randomness import uniform


def random_gain(waveform: Tensor, keys: Tensor, decibels: float, purpose: str = "gain") -> Tensor:
    """`waveform [B, S]` from -1 to 1, row b louder by U(-`decibels`, `decibels`) dB of `keys [B]`, cut at -1 and 1."""
    level = (2 * uniform(keys, 1, purpose) - 1) * decibels
    return (waveform * 10 ** (level / 20).to(waveform.dtype)).clamp(-1, 1)
