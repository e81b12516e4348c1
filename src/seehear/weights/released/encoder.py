"""The encoder of a released file: what it can do, what became of its keys, what its inputs must have gone through.

Legend: B clips, T frames of a clip, N tokens, D width, C classes.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from seehear.errors import UsageError
from seehear.weights.released.state import Reading


@dataclass(frozen=True)
class Preprocessing:
    """What the network's inputs went through in training.

    Attributes:
        audio_mean: taken off log-mel values.
        audio_deviation: then the divisor.
        mel_bins: of the Kaldi filter bank, 25 ms windows every 10 ms at 16 kHz.
        audio_frames: zero-padded or cut to, before normalisation.
        image_mean: of RGB in 0 to 1.
        image_deviation: divisor of RGB.
        picture_fit: "squash" straight to the size, or "crop" the centre after resizing the shorter side.
    """

    audio_mean: float | None = None
    audio_deviation: float | None = None
    mel_bins: int = 128
    audio_frames: int = 1024
    image_mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    image_deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    picture_fit: Literal["squash", "crop"] = "crop"


def refuse_shape(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse an input that is not `[B, *shape]`, floating point.

    Raises:
        UsageError: if it is not.
    """
    if tuple(values.shape[1:]) != shape or not values.is_floating_point():
        raise UsageError(
            f"{name} of shape {tuple(values.shape)} and type {values.dtype}",
            expected=f"floating point [B, {', '.join(map(str, shape))}]",
        )


class ReleasedEncoder(nn.Module):
    """An encoder with released weights, in eval mode.

    Args:
        reading: what became of the file's keys.
        preprocessing: what the inputs must have gone through.
    """

    def __init__(self, reading: Reading, preprocessing: Preprocessing):
        super().__init__()
        self.reading, self.preprocessing = reading, preprocessing

    @property
    def layout(self) -> str:
        """As what the file was read."""
        return self.reading.layout

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Unmasked tokens `[B, N, D]` after the final norms, "audio" of `spectrogram [B, 1024, 128]` and "image" of
        `image [B, 3, H, W]`, both normalised.

        Raises:
            UsageError: if nothing is given, a shape does not fit, or the file has no encoder for it.
        """
        raise NotImplementedError

    def classify(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Logits `[B, C]` of what is given: "audio", "image", "audiovisual"; `[B, T, C]` of several frames.

        Raises:
            UsageError: if the file has no class heads.
        """
        raise UsageError(f"{self.layout} weights have no class heads", expected="a fine-tuned layout")

    def reconstruction_losses(
        self, spectrogram: Tensor, image: Tensor, audio_mask: Tensor, image_mask: Tensor
    ) -> dict[str, Tensor]:
        """Scalars "audio" and "image": squared error of removed patches (masks `[B, N]`, 1 = removed).

        Raises:
            UsageError: if the file has no decoder for both.
        """
        raise UsageError(f"{self.layout} weights reconstruct nothing here", expected="a pretraining layout")
