"""Weights: encoders ready to use, from own checkpoints (released layouts come with their own adapters)."""

from seehear.weights.encoder import Encoder, load

__all__ = ["Encoder", "load"]
