"""The contracts that every room hangs on: Batch, Needs, Features, Losses, Method, Sampler, Stream, Figure."""

from seehear.contracts.batches import FIELDS, SAMPLE_RATE, Batch, FieldSpec, Replacement, declare_field
from seehear.contracts.features import Branch, Features, Losses, Modality, Progress, Reconstruction
from seehear.contracts.figures import Figure, Figures
from seehear.contracts.methods import (
    Classifies,
    Contrast,
    Embeds,
    Encodes,
    Localizes,
    Method,
    PartsMethod,
    Reconstructs,
    Separates,
)
from seehear.contracts.needs import AudioNeed, FrameNeed, Needs
from seehear.contracts.streams import Sampler, Stream

__all__ = [
    "FIELDS",
    "SAMPLE_RATE",
    "AudioNeed",
    "Batch",
    "Branch",
    "Classifies",
    "Contrast",
    "Embeds",
    "Encodes",
    "Features",
    "FieldSpec",
    "Figure",
    "Figures",
    "FrameNeed",
    "Localizes",
    "Losses",
    "Method",
    "Modality",
    "Needs",
    "PartsMethod",
    "Progress",
    "Reconstruction",
    "Reconstructs",
    "Replacement",
    "Sampler",
    "Separates",
    "Stream",
    "declare_field",
]
