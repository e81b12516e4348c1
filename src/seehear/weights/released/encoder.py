"""The encoder of a released file: what it can do, what became of its keys, what its inputs must have gone through.

Legend: B clips, T frames of a clip, N tokens, D width, C classes.
"""

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from seehear.errors import UsageError
from seehear.weights.released.reading import Reading

Channels = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """What the network's inputs went through in training.

    Attributes:
        audio_mean: taken off log-mel values; None: it reads no sound.
        audio_deviation: then the divisor.
        mel_bins: of the Kaldi filter bank, 25 ms windows every 10 ms at 16 kHz.
        audio_frames: zero-padded or cut to, before normalisation.
        image_mean: of RGB in 0 to 1; None: it reads no pictures.
        image_deviation: divisor of RGB.
        image_size: height and width.
        picture_fit: "squash" straight to the size, or "crop" the centre after resizing the shorter side (bicubic).
        crop_ratio: side of that crop over the resized shorter side.
        note: what the file does not tell.
    """

    audio_mean: float | None = None
    audio_deviation: float | None = None
    mel_bins: int = 128
    audio_frames: int = 1024
    image_mean: Channels | None = (0.485, 0.456, 0.406)
    image_deviation: Channels | None = (0.229, 0.224, 0.225)
    image_size: tuple[int, int] = (224, 224)
    picture_fit: Literal["squash", "crop"] = "crop"
    crop_ratio: float = 1.0
    note: str = ""

    def lines(self) -> list[str]:
        """For people."""
        found = []
        if self.audio_mean is not None:
            found.append(
                f"sound    Kaldi log-mel, {self.mel_bins} bins, zero-padded or cut to {self.audio_frames} frames, "
                f"then (x {-self.audio_mean:+g}) / {self.audio_deviation:g}"
            )
        if self.image_mean is not None:
            height, width = self.image_size
            side = round(min(height, width) / self.crop_ratio)
            how = "squashed" if self.picture_fit == "squash" else f"shorter side to {side}, centre cropped"
            found.append(
                f"pictures RGB 0 to 1, {how} to {height} x {width}, "
                f"then (x - {_in_short(self.image_mean)}) / {_in_short(self.image_deviation)}"
            )
        return [*found, f"note     {self.note}"] if self.note else found


def _in_short(values: Channels | None) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values or ()) + ")"


class ReleasedEncoder(nn.Module):
    """An encoder with released weights, in eval mode.

    Args:
        reading: what became of the file's keys.
        preprocessing: what the inputs must have gone through.

    Attributes:
        options: of its adapter: with them the same tensors read so again.
    """

    def __init__(self, reading: Reading, preprocessing: Preprocessing):
        super().__init__()
        self.reading, self.preprocessing = reading, preprocessing
        self.options: dict[str, Any] = {}

    @property
    def layout(self) -> str:
        """As what the file was read."""
        return self.reading.layout

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Unmasked tokens `[B, N, D]` after the final norms: "audio" of `spectrogram [B, 1024, 128]`, "image" of
        `image [B, 3, 224, 224]`, both normalised.

        Raises:
            UsageError: if nothing is given, a shape does not fit, or the file has no encoder for it.
        """
        raise UsageError(f"{self.layout} weights have no encoder here", expected="a layout with an encoder")

    def classify(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Logits `[B, C]` of what is given: "audio", "image", "audiovisual"; `[B, T, C]` of several frames.

        Raises:
            UsageError: if the file has no class heads.
        """
        raise UsageError(f"{self.layout} weights have no class heads that are read", expected="a fine-tuned layout")

    def localize(self, image: Tensor, spectrogram: Tensor) -> Tensor:
        """Where in `image [B, 3, H, W]` the sound of `spectrogram [B, 1, K, T]` comes from: `[B, h, w]`.

        Raises:
            UsageError: if the file is of no network that localises.
        """
        raise UsageError(f"{self.layout} weights give no map of where a sound is", expected="the layout ez-vsl")

    def reconstruction_losses(
        self, spectrogram: Tensor, image: Tensor, audio_mask: Tensor, image_mask: Tensor
    ) -> dict[str, Tensor]:
        """Scalars "audio" and "image": squared error of removed patches (masks `[B, N]`, 1 = removed).

        Raises:
            UsageError: if the file has no decoder for both.
        """
        raise UsageError(f"{self.layout} weights have no decoder for both", expected="a pretraining layout")
