"""A planted clip, and a network that can be worked out by hand: bright places go with loud sound."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from seehear.contracts import AudioNeed, Batch, FrameNeed, Method, Needs
from seehear.media import write_video
from seehear.weights import About, Encoder

RATE, SECONDS, SIZE, CELLS = 10, 4.0, 64, 4


class Bright(Method):
    """The map is each cell's mean brightness times the mean size of the sound; `heard` seconds of it."""

    def __init__(self, heard: float = 1.0, fit: str = "squash", frames: int = 1):
        super().__init__()
        self.heard, self.fit, self.frames = heard, fit, frames
        self.weight = nn.Parameter(torch.ones(1))

    @property
    def needs(self) -> Needs:
        """Sound and pictures."""
        return Needs(AudioNeed(self.heard), FrameNeed(self.frames, 32, 32, self.fit))  # type: ignore[arg-type]

    def localize(self, batch: Batch) -> Tensor:
        """`[B, 4, 4]`."""
        assert batch["frames"].shape[1:] == (self.frames, 3, 32, 32)
        grey = batch["frames"][:, self.frames // 2].float().mean(dim=1)
        sizes = batch["waveform"].float().abs().sum(dim=1) / batch["waveform_samples"]
        return nn.functional.avg_pool2d(grey[:, None], 32 // CELLS)[:, 0] * sizes[:, None, None]


def encoder(method: Method) -> Encoder:
    """The method with a name."""
    return Encoder(method, about=About("planted", "0" * 16, knows="It knows squares."))


def write_planted(path: Path, silent: tuple[float, float] | None = None) -> None:
    """A bright square that jumps from cell to cell every second, with a tone; `silent` between two seconds."""
    frames = np.full((int(RATE * SECONDS), SIZE, SIZE, 3), 40, np.uint8)
    for number, frame in enumerate(frames):
        row, column = square_at(number / RATE)
        side = SIZE // CELLS
        frame[row * side : (row + 1) * side, column * side : (column + 1) * side] = 220
    times = np.arange(int(16_000 * SECONDS)) / 16_000
    tone = (6000 * np.sin(2 * np.pi * 500 * times)).astype(np.int16)
    if silent is not None:
        tone[(times >= silent[0]) & (times < silent[1])] = 0
    write_video(path, frames, Fraction(RATE), tone)


def square_at(seconds: float) -> tuple[int, int]:
    """Row and column of the square."""
    second = min(int(seconds), 3)
    return second, (2 * second + 1) % CELLS


class Sides(Bright):
    """Separates by colour: red pictures get what lies below 1 kHz, blue ones what lies above; it listens 1 s."""

    def separate(self, mixture: Tensor, frames: Tensor) -> Tensor:
        """`[B, S]`."""
        assert mixture.shape[1] == round(self.heard * 16_000)
        colour = frames.float().mean(dim=(1, 3, 4))
        spectrum = torch.fft.rfft(mixture)
        low = torch.arange(spectrum.shape[1]) * 16_000 / mixture.shape[1] < 1000
        keep = torch.where((colour[:, 0] > colour[:, 2])[:, None], low, ~low)
        return torch.fft.irfft(spectrum * keep, mixture.shape[1])


RED, BLUE = (230, 30, 30), (30, 30, 230)


def write_tone(path: Path, colour: tuple[int, int, int], hertz: float, seconds: float, size: float = 6000) -> None:
    """A picture of one colour with a tone."""
    times = np.arange(int(16_000 * seconds)) / 16_000
    frames = np.broadcast_to(np.array(colour, np.uint8), (max(1, int(RATE * seconds)), 32, 64, 3))
    write_video(path, frames, Fraction(RATE), (size * np.sin(2 * np.pi * hertz * times)).astype(np.int16))


def write_duet(path: Path, seconds: float = 2.5) -> None:
    """Red on the left, blue on the right, both tones at once."""
    times = np.arange(int(16_000 * seconds)) / 16_000
    frames = np.zeros((int(RATE * seconds), 32, 64, 3), np.uint8)
    frames[:, :, :32], frames[:, :, 32:] = RED, BLUE
    tones = sum(5000 * np.sin(2 * np.pi * hertz * times) for hertz in (400, 3000))
    write_video(path, frames, Fraction(RATE), np.asarray(tones).astype(np.int16))
