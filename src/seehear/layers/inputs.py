"""From batch fields to what a network reads: normalised spectrograms and pictures, on the batch's device.

Source: AVSiam and CAV-MAE (arXiv 2403.19638, 2210.07839) and their released loaders: Kaldi filter banks of the
mean-free waveform, zero-padded or cut to a fixed number of frames BEFORE normalisation with (x + 5.081) / 4.4849; in
training noise U(0, 1) * U(0, 1) / 10 and a random roll in time, in fine-tuning SpecAugment before normalisation;
pictures with ImageNet mean and deviation. Augmentation is keyed: `keys=None` means none.

Legend: B batch, T frames, F mel bins, H W picture.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seehear import signals
from seehear.contracts import Batch
from seehear.errors import UsageError
from seehear.layers.patches import cut_picture, cut_spectrogram
from seehear.randomness import uniform


@dataclass(frozen=True)
class InputConfig:
    """Shapes, normalisation and augmentation of both modalities; the defaults are AVSiam's at 224 pixels."""

    audio_seconds: float = 10.24
    mel_bins: int = 128
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    audio_frames: int = 1024
    audio_mean: float = -5.081
    audio_deviation: float = 4.4849
    drop_remainder: bool = False
    """Leave out mel bins and frames at the end that fill no whole patch: patches of 14 read 126 of 128 bins."""
    image_height: int = 224
    image_width: int = 224
    fit: Literal["squash", "crop"] = "squash"
    audio_noise: bool = True
    audio_roll: bool = True
    flip: bool = False
    """Mirror half of the training pictures (the paper does not)."""
    crop_scale: tuple[float, float] = (1.0, 1.0)
    """Share of the picture's area that a training crop keeps; (1, 1), the paper's way, is no cropping."""
    spec_augment: tuple[int, int] = (0, 0)
    """Widest stripe of mel bins and of frames that is wiped out in training (fine-tuning: 48 and 192 of 128 x 1024)."""

    def grids(self, patch: int) -> dict[str, tuple[int, int]]:
        """Token grids: (frequencies, times) of the sound, (rows, columns) of the picture.

        Raises:
            UsageError: if a side is no multiple of the patch.
        """
        sides = {
            "mel_bins": self.mel_bins,
            "audio_frames": self.audio_frames,
            "image_height": self.image_height,
            "image_width": self.image_width,
        }
        for name, side in sides.items():
            if side % patch and not (self.drop_remainder and name in ("mel_bins", "audio_frames")):
                raise UsageError(f"{name} is {side}", expected=f"a multiple of the patch side, {patch}")
        return {
            "audio": (self.mel_bins // patch, self.audio_frames // patch),
            "image": (self.image_height // patch, self.image_width // patch),
        }

    def picture_units(self, images: Tensor) -> Tensor:
        """Network values `[B, 3, H, W]` back to 0 to 1."""
        return signals.denormalize_image(images).clamp(0, 1)

    def spectrogram_units(self, spectrogram: Tensor) -> Tensor:
        """Network values `[B, T, F]` back to log-mel."""
        return signals.denormalize_spectrogram(spectrogram, self.audio_mean, self.audio_deviation)


def spectrograms(batch: Batch, config: InputConfig, keys: Tensor | None) -> Tensor:
    """Normalised log-mel spectrograms `[B, T, F]` of `batch["waveform"]`, augmented where `keys [B]` are given."""
    values = signals.fbank(
        batch["waveform"],
        samples=batch["waveform_samples"],
        num_mel_bins=config.mel_bins,
        frame_length_ms=config.frame_length_ms,
        frame_shift_ms=config.frame_shift_ms,
    )
    values = signals.fit_frames(values, config.audio_frames)
    if keys is not None and any(config.spec_augment):
        values = signals.spec_augment(values, keys, *config.spec_augment)
    values = signals.normalize_spectrogram(values, config.audio_mean, config.audio_deviation)
    if keys is not None and config.audio_noise:
        values = signals.add_noise(values, keys)
    if keys is not None and config.audio_roll:
        shift = (uniform(keys, 1, "roll")[:, 0] * config.audio_frames).long()
        values = signals.roll_time(values, shift)
    return values


def pictures(batch: Batch, config: InputConfig, keys: Tensor | None) -> Tensor:
    """Normalised pictures `[B, 3, H, W]` of the single frame in `batch["frames"]`, augmented where `keys` are given."""
    if batch["frames"].shape[1] != 1:
        raise UsageError(f"{batch['frames'].shape[1]} frames per clip", expected="one")
    return films(batch, config, keys, 1)[:, 0]


def films(batch: Batch, config: InputConfig, keys: Tensor | None, count: int) -> Tensor:
    """Normalised frames `[B, count, 3, H, W]` of `batch["frames"]`; given `keys`, a clip's are augmented alike.

    A film of fewer frames starts over, so that a single picture stands still.

    Raises:
        UsageError: if there are more than `count` frames.
    """
    frames = batch["frames"]
    offered = frames.shape[1]
    if offered > count:
        raise UsageError(f"{offered} frames per clip", expected=f"at most {count}")
    images = signals.normalize_image(frames)
    if keys is not None and config.crop_scale != (1.0, 1.0):
        size = (config.image_height, config.image_width)
        boxes = signals.random_resized_crop_boxes(
            keys, *size, scale=config.crop_scale, ratio=(1.0, 1.0), purpose="crop"
        )
        images = signals.crop_resize(images.flatten(1, 2), boxes, size).unflatten(1, (offered, 3))
    if keys is not None and config.flip:
        images = signals.flip(images, uniform(keys, 1, "flip")[:, 0] < 0.5)
    return images if offered == count else images[:, torch.arange(count, device=images.device) % offered]


def whole_patches(spectrogram: Tensor, config: InputConfig, patch: int) -> Tensor:
    """`[B, T, F]` without the frames and bins at the end that `drop_remainder` leaves out."""
    rows, columns = config.grids(patch)["audio"]
    return spectrogram[:, : columns * patch, : rows * patch]


def patches_of(
    batch: Batch, config: InputConfig, patch: int, keys: Tensor | None, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Normalised patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given."""
    result = {}
    if "waveform" in batch:
        values = spectrograms(batch, config, keys).to(dtype)
        result["audio"] = cut_spectrogram(whole_patches(values, config, patch), patch)
    if "frames" in batch:
        result["image"] = cut_picture(pictures(batch, config, keys).to(dtype), patch)
    return result
