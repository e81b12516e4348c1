"""The columns of vectors that a model offers: found by passes over nothing.

A column holds what the model makes of its modality alone. A model whose layers read sound and pictures together, such
as DeepAVFusion, offers vectors of both only.
"""

import torch
from torch import Tensor

from seehear.contracts import SAMPLE_RATE, Batch, Modality
from seehear.errors import UsageError
from seehear.search.columns import MODALITIES, Embedded
from seehear.weights import About, Encoder, Forward, Precision


def offered(
    encoder: Encoder, name: str = "", model: str = "", precision: Precision = "fp32", windows: str = "first"
) -> tuple[Embedded, ...]:
    """One column for each modality that the model embeds: audio, image, audiovisual.

    Args:
        encoder: the model.
        name: to call it in the columns; "" for its own name.
        model: what `seehear.load` finds it by; "" for its own name.
        precision: of its linear layers.
        windows: what is heard of long clips.

    Raises:
        UsageError: if it reads neither sound nor pictures.
    """
    audio, about = encoder.method.needs.audio, encoder.about
    widths = {modality: _width(encoder, modality) for modality in MODALITIES}
    if not any(widths.values()):
        raise UsageError(f"{about.name} embeds neither sound nor pictures", cure="take another model")
    return tuple(
        Embedded(
            slug=About(name or about.name, about.weights).slug,
            model=model or about.name,
            weights=about.weights,
            modality=modality,
            width=width,
            precision=precision,
            seconds=0.0 if audio is None else audio.seconds,
            knows=about.knows,
            windows=windows,
        )
        for modality, width in widths.items()
        if width
    )


def _width(encoder: Encoder, modality: Modality) -> int:
    """Width of the vectors of a modality, D; 0 if the model makes none of it alone."""
    fields = _nothing(encoder, modality)
    if fields is None:
        return 0
    number = torch.zeros(1, dtype=torch.int64)
    try:
        found = Forward(encoder.method)(Batch(number, number, fields))
    except UsageError:  # it needs the other modality too
        return 0
    return int(found[modality].embedding.shape[1]) if modality in found else 0


def _nothing(encoder: Encoder, modality: Modality) -> dict[str, Tensor] | None:
    """Silence and black pictures, as the modality needs them; None if the model does not read it."""
    audio, frames = encoder.method.needs.audio, encoder.method.needs.frames
    fields: dict[str, Tensor] = {}
    if modality != "image":
        if audio is None:
            return None
        samples = round(audio.seconds * SAMPLE_RATE)
        fields = {"waveform": torch.zeros(1, samples, dtype=torch.int16), "waveform_samples": torch.tensor([samples])}
    if modality != "audio":
        if frames is None:
            return None
        fields["frames"] = torch.zeros(1, frames.count, 3, frames.height, frames.width, dtype=torch.uint8)
    return fields
