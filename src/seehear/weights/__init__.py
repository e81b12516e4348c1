"""Weights: encoders ready to use, from own checkpoints and from released files."""

from seehear.weights.about import About
from seehear.weights.buckets import Vectors
from seehear.weights.embedder import Embedder
from seehear.weights.encoded_file import EncodedFile
from seehear.weights.encoder import Encoder
from seehear.weights.exported import export
from seehear.weights.loading import load
from seehear.weights.precision import Forward, Precision, Trial, quickest, try_precisions
from seehear.weights.publishing import publish
from seehear.weights.released.converted import open_converted, write_converted
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.files import open_weights
from seehear.weights.released.layouts import from_released
from seehear.weights.released.opening import open_released

__all__ = [
    "About",
    "Embedder",
    "EncodedFile",
    "Encoder",
    "Forward",
    "Precision",
    "ReleasedEncoder",
    "Trial",
    "Vectors",
    "export",
    "from_released",
    "load",
    "open_converted",
    "open_released",
    "open_weights",
    "publish",
    "quickest",
    "try_precisions",
    "write_converted",
]
