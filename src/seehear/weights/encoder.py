"""An encoder ready to use: waveforms, pictures or files in, features out.

Legend: B clips, S samples of sound, H W picture.
"""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Batch, Features, Method
from seehear.errors import UsageError
from seehear.weights.about import About, hash_of
from seehear.weights.precision import Forward, Precision

_FILES_PER_PASS = 8


class Encoder:
    """A trained method's `encode`, fed with plain arrays and files.

    For collections, as batches, see `Embedder`.

    Args:
        method: the network.
        precision: of its linear layers (see `Forward`).
        about: its name and what it knows; by default the method's name.

    Attributes:
        method: the trained network, in eval mode.
    """

    def __init__(self, method: Method, precision: Precision = "fp32", about: About | None = None):
        self.method = method.eval()
        self.about = about or About(method.config.method, hash_of(method.state_dict()))
        self._forward = Forward(self.method, precision)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.method.parameters()).device

    def encode_audio(self, waveform: Tensor, sample_rate: int) -> Features:
        """Features of sound.

        Args:
            waveform: `[B, S]` or `[S]`, floating point in -1 to 1, mono.
            sample_rate: in Hz; anything but 16 kHz is resampled.

        Raises:
            UsageError: if the method reads no sound or the waveform has another shape.
        """
        return self._encode(self._audio_fields(waveform, sample_rate))["audio"]

    def encode_frames(self, frames: Tensor) -> Features:
        """Features of pictures `[B, 3, H, W]` or `[3, H, W]`, uint8 RGB of any size.

        Raises:
            UsageError: if the method reads no pictures or the tensor has another shape or dtype.
        """
        return self._encode(self._frame_fields(frames))["image"]

    def encode_files(self, paths: Iterable[str | Path]) -> list[dict[str, Features]]:
        """Features of each file: "audio" and "image" as far as it has them, "audiovisual" where it has both.

        A video gives its middle frame and its sound from the start; a file without anything that the method reads
        gives no features. Files that carry the same go through the network together, some at a time.

        Raises:
            MediaError: for a file that cannot be read.
        """
        paths, result = [Path(path) for path in paths], []
        for start in range(0, len(paths), _FILES_PER_PASS):
            result += self._encode_together(
                [self._file_fields(path) for path in paths[start : start + _FILES_PER_PASS]]
            )
        return result

    def _encode_together(self, files: list[dict[str, Tensor]]) -> list[dict[str, Features]]:
        """Features of each, from one pass for all that have the same fields."""
        result: list[dict[str, Features]] = [{} for _ in files]
        for kind in dict.fromkeys(tuple(fields) for fields in files):
            alike = [place for place, fields in enumerate(files) if tuple(fields) == kind]
            found = self._encode({name: torch.cat([files[place][name] for place in alike]) for name in kind})
            for row, place in enumerate(alike):
                result[place] = {modality: _row(features, row) for modality, features in found.items()}
        return result

    def _file_fields(self, path: Path) -> dict[str, Tensor]:
        from seehear import media

        info, needs = media.probe(path), self.method.needs
        fields: dict[str, Tensor] = {}
        if info.video is not None and needs.frames is not None:
            pixels = media.read_frames(path, [info.duration_seconds / 2]).pixels
            fields |= self._frame_fields(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        if info.audio is not None and needs.audio is not None:
            samples = torch.from_numpy(media.read_audio(path, 0.0, needs.audio.seconds))
            fields |= self._audio_fields(signals.waveform_from_int16(samples), SAMPLE_RATE)
        return fields

    def _audio_fields(self, waveform: Tensor, sample_rate: int) -> dict[str, Tensor]:
        need = self.method.needs.audio
        waveform = waveform[None] if waveform.ndim == 1 else waveform
        if need is None or waveform.ndim != 2 or not waveform.is_floating_point():
            raise UsageError(
                f"sound of shape {tuple(waveform.shape)} and type {waveform.dtype}",
                expected="floating-point [B, S] in -1 to 1, for a method that reads sound",
            )
        samples = signals.waveform_to_int16(signals.resample(waveform, sample_rate, SAMPLE_RATE))
        wanted = round(need.seconds * SAMPLE_RATE)
        valid = min(samples.shape[1], wanted)
        fitted = torch.nn.functional.pad(samples[:, :wanted], (0, wanted - valid))
        return {"waveform": fitted, "waveform_samples": torch.full((len(fitted),), valid)}

    def _frame_fields(self, frames: Tensor) -> dict[str, Tensor]:
        need = self.method.needs.frames
        frames = frames[None] if frames.ndim == 3 else frames
        if need is None or frames.ndim != 4 or frames.shape[1] != 3 or frames.dtype != torch.uint8:
            raise UsageError(
                f"pictures of shape {tuple(frames.shape)} and type {frames.dtype}",
                expected="uint8 [B, 3, H, W], for a method that reads pictures",
            )
        return {"frames": signals.fit_pictures(frames, need.height, need.width, need.fit)[:, None]}

    def _encode(self, fields: dict[str, Tensor]) -> dict[str, Features]:
        if not fields:
            return {}
        numbers = torch.arange(len(next(iter(fields.values()))))
        found = self._forward(Batch(numbers, numbers, fields))
        return {modality: _usable(features) for modality, features in found.items()}


def _usable(features: Features) -> Features:
    """A copy made outside of inference mode, which layers that learn can take as input."""
    tokens, pooled, embedding = (t.clone() for t in (features.tokens, features.pooled, features.embedding))
    return Features(tokens, features.grid, pooled, embedding, tuple(layer.clone() for layer in features.layers))


def _row(features: Features, row: int) -> Features:
    """Those of one clip, `[1, ...]`."""
    tokens, pooled, embedding = (t[row : row + 1] for t in (features.tokens, features.pooled, features.embedding))
    return Features(tokens, features.grid, pooled, embedding, tuple(layer[row : row + 1] for layer in features.layers))
