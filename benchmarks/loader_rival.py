"""R0's loader: the pattern of the published loaders of audio-visual masked autoencoders, in our own words.

To keep one frame it decodes the whole clip, stacks every frame into one tensor, takes ten of them through an
antialiased bicubic resize in float and through normalisation, and keeps one of the ten at random. The sound lies in a
wav of its own that is read whole; its log-mel spectrogram is made here, on the CPU, and padded to 1,024 frames.

Source: the released code of AVSiam (arXiv 2403.19638) as the project's performance sheet describes it (its items 1
and 2). Legend: T frames, H W picture, S samples.
"""

import wave
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seehear import signals

TAKEN, SIDE, SPECTROGRAM_FRAMES = 10, 224, 1024


def load(video: Path, sound: Path, draw: float) -> tuple[Tensor, Tensor]:
    """One clip: a frame `[3, 224, 224]` and a spectrogram `[1024, 128]`, both normalised.

    Args:
        video: the mp4 file.
        sound: its sound as a wav file of 16 kHz, mono, 16 bits.
        draw: in [0, 1): which of the ten frames is kept.
    """
    frames = every_frame(video)
    places = torch.linspace(0, len(frames) - 1, TAKEN).long()
    resized = functional.interpolate(
        frames[places].float() / 255, size=(SIDE, SIDE), mode="bicubic", antialias=True, align_corners=False
    )
    normalised = signals.normalize_image(resized)
    return normalised[int(draw * TAKEN)], spectrogram(sound)


def every_frame(video: Path) -> Tensor:
    """uint8 `[T, 3, H, W]`: all frames of the clip, one after the other."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        frames = [torch.from_numpy(frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
    return torch.stack(frames).permute(0, 3, 1, 2)


def spectrogram(sound: Path) -> Tensor:
    """Normalised log-mel spectrogram `[1024, 128]` of the whole file."""
    with wave.open(str(sound), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").copy()
    mel = signals.fbank(torch.from_numpy(samples)[None])
    return signals.normalize_spectrogram(signals.fit_frames(mel, SPECTROGRAM_FRAMES))[0]
