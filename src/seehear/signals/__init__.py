"""Tensors to tensors, batched, on any device: filter banks, STFT, resampling, image operations, augmentation."""

from seehear.signals.crop import crop_resize
from seehear.signals.crop_boxes import random_resized_crop_boxes
from seehear.signals.fbank import ENERGY_FLOOR, LOG_FLOOR, fbank, frame_count, frame_samples, valid_frames
from seehear.signals.flip import flip
from seehear.signals.gain import random_gain
from seehear.signals.image_scale import IMAGE_MEAN, IMAGE_STD, denormalize_image, normalize_image
from seehear.signals.log_mel import htk_bank, log_mel
from seehear.signals.log_spectrogram import log_spectrogram, power_density
from seehear.signals.mirror import mirror_short
from seehear.signals.noise import add_noise
from seehear.signals.repeat import repeat_short
from seehear.signals.resample import resample
from seehear.signals.resize import fit_pictures, resize
from seehear.signals.roll import random_shifts, roll_time
from seehear.signals.separation import Bands, band_magnitude, mixture_spectrum, over_bins, separated
from seehear.signals.spec_augment import spec_augment
from seehear.signals.spectrogram import (
    SPECTROGRAM_MEAN,
    SPECTROGRAM_STD,
    denormalize_spectrogram,
    fit_frames,
    normalize_spectrogram,
)
from seehear.signals.steady import steady
from seehear.signals.stft import istft, stft
from seehear.signals.waveform import waveform_from_int16, waveform_to_int16

__all__ = [
    "ENERGY_FLOOR",
    "IMAGE_MEAN",
    "IMAGE_STD",
    "LOG_FLOOR",
    "SPECTROGRAM_MEAN",
    "SPECTROGRAM_STD",
    "Bands",
    "add_noise",
    "band_magnitude",
    "crop_resize",
    "denormalize_image",
    "denormalize_spectrogram",
    "fbank",
    "fit_frames",
    "fit_pictures",
    "flip",
    "frame_count",
    "frame_samples",
    "htk_bank",
    "istft",
    "log_mel",
    "log_spectrogram",
    "mirror_short",
    "mixture_spectrum",
    "normalize_image",
    "normalize_spectrogram",
    "over_bins",
    "power_density",
    "random_gain",
    "random_resized_crop_boxes",
    "random_shifts",
    "repeat_short",
    "resample",
    "resize",
    "roll_time",
    "separated",
    "spec_augment",
    "steady",
    "stft",
    "valid_frames",
    "waveform_from_int16",
    "waveform_to_int16",
]
