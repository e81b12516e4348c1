"""Weights: encoders ready to use, from own checkpoints (released layouts come with their own adapters)."""

from seehear.weights.buckets import Vectors
from seehear.weights.embedder import Embedder
from seehear.weights.encoder import Encoder, load
from seehear.weights.precision import Forward, Precision, Trial, quickest, try_precisions

__all__ = ["Embedder", "Encoder", "Forward", "Precision", "Trial", "Vectors", "load", "quickest", "try_precisions"]
