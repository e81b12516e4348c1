"""From batch fields to what DeepAVFusion reads: log10-mel spectrograms beside pictures (arXiv 2312.01017).

Sound that ends early goes on as its mirror image; in training its loudness is drawn anew (U(-6, 6) dB). Spectrograms
are not normalised: `audio_mean` and `audio_deviation` of the configuration stay 0 and 1. Pictures are those of
`layers.inputs`. Augmentation is keyed: `keys=None` means none.

Legend: B batch, T frames, F mel bins, N tokens, V values of a patch.
"""

import torch
from torch import Tensor

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Batch
from seehear.layers.inputs import InputConfig, pictures, whole_patches
from seehear.layers.patches import cut_picture, cut_spectrogram

LOG_MEL_INPUTS = InputConfig(
    audio_seconds=3.0,
    frame_length_ms=50.0,
    frame_shift_ms=15.625,
    audio_frames=192,
    audio_mean=0.0,
    audio_deviation=1.0,
    fit="crop",
    audio_noise=False,
    audio_roll=False,
    flip=True,
    crop_scale=(0.5, 1.0),
)
"""The paper's; crops are square shares of the picture's shape."""


def log_mels(batch: Batch, config: InputConfig, keys: Tensor | None, gain_db: float = 6.0) -> Tensor:
    """Log-mel spectrograms `[B, T, F]` of `batch["waveform"]`, of another loudness where `keys [B]` are given."""
    waveform = signals.mirror_short(batch["waveform"], batch["waveform_samples"])
    values = signals.waveform_from_int16(waveform)
    if keys is not None and gain_db:
        values = signals.random_gain(values, keys, gain_db)
    size, shift = (round(SAMPLE_RATE * ms / 1000) for ms in (config.frame_length_ms, config.frame_shift_ms))
    spectrogram = signals.fit_frames(signals.log_mel(values, size, shift, config.mel_bins), config.audio_frames)
    return signals.normalize_spectrogram(spectrogram, config.audio_mean, config.audio_deviation)


def log_mel_patches(
    batch: Batch, config: InputConfig, patch: int, keys: Tensor | None, dtype: torch.dtype, gain_db: float = 6.0
) -> dict[str, Tensor]:
    """Patch values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given."""
    result = {}
    if "waveform" in batch:
        values = log_mels(batch, config, keys, gain_db).to(dtype)
        result["audio"] = cut_spectrogram(whole_patches(values, config, patch), patch)
    if "frames" in batch:
        result["image"] = cut_picture(pictures(batch, config, keys).to(dtype), patch)
    return result
