"""The columns of vectors that a model offers: found by one pass over nothing."""

import torch

from seehear.contracts import SAMPLE_RATE, Batch
from seehear.errors import UsageError
from seehear.search.columns import MODALITIES, Embedded
from seehear.weights import About, Encoder, Forward, Precision


def offered(
    encoder: Encoder, name: str = "", model: str = "", precision: Precision = "fp32", windows: str = "first"
) -> tuple[Embedded, ...]:
    """One column for each modality that the model has features of: audio, image, audiovisual.

    Args:
        encoder: the model.
        name: to call it in the columns; "" for its own name.
        model: what `seehear.load` finds it by; "" for its own name.
        precision: of its linear layers.
        windows: what is heard of long clips.

    Raises:
        UsageError: if it reads neither sound nor pictures.
    """
    audio, frames = encoder.method.needs.audio, encoder.method.needs.frames
    fields = {}
    if audio is not None:
        samples = round(audio.seconds * SAMPLE_RATE)
        fields = {"waveform": torch.zeros(1, samples, dtype=torch.int16), "waveform_samples": torch.tensor([samples])}
    if frames is not None:
        fields["frames"] = torch.zeros(1, frames.count, 3, frames.height, frames.width, dtype=torch.uint8)
    if not fields:
        raise UsageError(f"{encoder.about.name} reads neither sound nor pictures", cure="take another model")
    number = torch.zeros(1, dtype=torch.int64)
    found = Forward(encoder.method)(Batch(number, number, fields))
    about = encoder.about
    return tuple(
        Embedded(
            slug=About(name or about.name, about.weights).slug,
            model=model or about.name,
            weights=about.weights,
            modality=modality,
            width=int(found[modality].embedding.shape[1]),
            precision=precision,
            seconds=0.0 if audio is None else audio.seconds,
            knows=about.knows,
            windows=windows,
        )
        for modality in MODALITIES
        if modality in found
    )
