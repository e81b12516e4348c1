"""A released plain ViT as a method, so that it encodes batches like any other: one modality, raw clips in.

Sound becomes a Kaldi spectrogram, pictures are resized, as the file's `Preprocessing` says. The pooled feature is the
mean of the patch tokens, as in this project's own methods: the class token of a self-supervised ViT is not always
trained.

Legend: B clips, K class token and registers, N patches, D width.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

from torch import Tensor

from seehear import signals
from seehear.contracts import SAMPLE_RATE, AudioNeed, Batch, Branch, Features, FrameNeed, Method, Needs
from seehear.errors import UsageError
from seehear.layers.features import features_of
from seehear.weights.released.encoder import Channels, Preprocessing
from seehear.weights.released.vit import ViTEncoder

FRAME_LENGTH_MS, FRAME_SHIFT_MS = 25.0, 10.0


@dataclass(frozen=True)
class Config:
    """As what the file was read, and what its inputs go through."""

    method: ClassVar[str] = "released"
    layout: str
    preprocessing: Preprocessing


class ReleasedMethod(Method):
    """See the file's header; it can be used, and not trained here.

    Args:
        encoder: of a plain ViT file.
    """

    Config = Config

    def __init__(self, encoder: ViTEncoder):
        super().__init__()
        self.encoder = encoder
        self.config = Config(encoder.layout, encoder.preprocessing)

    @property
    def needs(self) -> Needs:
        """Sound that fills the spectrogram, or one picture of the size that the centre is cropped from."""
        given = self.config.preprocessing
        if self.encoder.modality == "audio":
            samples = (given.audio_frames - 1) * FRAME_SHIFT_MS + FRAME_LENGTH_MS
            return Needs(audio=AudioNeed(samples / 1000))
        ratio = given.crop_ratio if given.picture_fit == "crop" else 1.0
        height, width = (round(side / ratio) for side in given.image_size)
        return Needs(frames=FrameNeed(1, height, width, cast(Literal["squash", "crop"], given.picture_fit)))

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        """Features of the modality that the file reads; `with_layers` gives none.

        Raises:
            UsageError: if the batch lacks it.
        """
        modality = self.encoder.modality
        if ("waveform" if modality == "audio" else "frames") not in batch:
            raise UsageError(f"nothing to encode in {batch}", expected=f"{modality}, which {self.config.layout} reads")
        if modality == "audio":
            tokens = self.encoder.forward_features(spectrogram=self._spectrogram(batch))["audio"]
        else:
            tokens = self.encoder.forward_features(image=self._image(batch))["image"]
        rows, columns = self.encoder.trunk.grids[modality]
        patches = tokens[:, tokens.shape[1] - rows * columns :]
        if modality == "audio":  # read time by time
            patches = patches.unflatten(1, (rows, columns)).transpose(1, 2).flatten(1, 2)
            rows, columns = columns, rows
        return {modality: features_of(Branch(patches), (rows, columns))}

    def _spectrogram(self, batch: Batch) -> Tensor:
        given = self.config.preprocessing
        values = signals.fbank(
            batch["waveform"],
            samples=batch["waveform_samples"],
            sample_rate=SAMPLE_RATE,
            num_mel_bins=given.mel_bins,
            frame_length_ms=FRAME_LENGTH_MS,
            frame_shift_ms=FRAME_SHIFT_MS,
        )
        mean, deviation = cast(float, given.audio_mean), cast(float, given.audio_deviation)
        return signals.normalize_spectrogram(signals.fit_frames(values, given.audio_frames), mean, deviation)

    def _image(self, batch: Batch) -> Tensor:
        given = self.config.preprocessing
        frames = batch["frames"]
        if frames.shape[1] != 1:
            raise UsageError(f"{frames.shape[1]} frames per clip", expected="one")
        (height, width), (rows, columns) = given.image_size, frames.shape[-2:]
        top, left = (rows - height) // 2, (columns - width) // 2
        centre = frames[:, 0, :, top : top + height, left : left + width]
        mean, deviation = cast(Channels, given.image_mean), cast(Channels, given.image_deviation)
        return signals.normalize_image(centre, mean, deviation)
