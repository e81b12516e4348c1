"""Tensors to tensors, batched, on any device: filter banks, STFT, resampling, image operations, augmentation."""

from seehear.signals.fbank import ENERGY_FLOOR, LOG_FLOOR, fbank, frame_count, frame_samples, valid_frames
from seehear.signals.spectrogram import (
    SPECTROGRAM_MEAN,
    SPECTROGRAM_STD,
    denormalize_spectrogram,
    fit_frames,
    normalize_spectrogram,
)
from seehear.signals.waveform import waveform_from_int16, waveform_to_int16

__all__ = [
    "ENERGY_FLOOR",
    "LOG_FLOOR",
    "SPECTROGRAM_MEAN",
    "SPECTROGRAM_STD",
    "denormalize_spectrogram",
    "fbank",
    "fit_frames",
    "frame_count",
    "frame_samples",
    "normalize_spectrogram",
    "valid_frames",
    "waveform_from_int16",
    "waveform_to_int16",
]
