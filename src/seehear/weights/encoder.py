"""An encoder ready to use: waveforms, pictures or files in, features out.

Legend: B clips, C channels, S samples of sound, T frames of a clip, H W picture, N tokens.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from seehear import signals
from seehear.contracts import SAMPLE_RATE, Batch, Features, Method, Modality
from seehear.errors import UsageError
from seehear.weights.about import About, hash_of
from seehear.weights.encoded_file import EncodedFile
from seehear.weights.precision import Forward, Precision

if TYPE_CHECKING:
    from seehear.media import Limits, Pool
    from seehear.weights.file_windows import Window

_PER_PASS = 8
_MOST_CHANNELS = 16  # more are samples in the wrong axis


class Encoder:
    """A trained method's `encode`, fed with plain arrays and files.

    Every input goes through the preprocessing that the network was trained with: sound to 16 kHz and the length that
    it hears, pictures to its size. Equal calls give equal features. For collections, as batches, see `Embedder`.

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
        """Features of sound; of sound longer than the network hears its beginning (`encode_files` hears all).

        Args:
            waveform: `[S]`, `[B, S]`, or `[B, C, S]` whose channels are averaged; floating point in -1 to 1.
            sample_rate: in Hz; anything but 16 kHz is resampled.

        Raises:
            UsageError: if the method reads no sound, or the waveform has another shape, no samples, or holds NaN.
        """
        return self._encode(self._audio_fields(waveform, sample_rate))["audio"]

    def encode_frames(self, frames: Tensor) -> Features:
        """Features of pictures, uint8 RGB of any size.

        Args:
            frames: `[3, H, W]`, `[B, 3, H, W]`, or `[B, T, 3, H, W]` with the T frames of a clip that the network
                reads. A network of several frames sees one picture as a film that stands still.

        Raises:
            UsageError: if the method reads no pictures or the tensor has another shape or dtype.
        """
        return self._encode(self._frame_fields(frames))["image"]

    def encode_files(
        self,
        paths: Iterable[str | Path],
        *,
        hop: float | None = None,
        tokens: bool = True,
        limits: "Limits | None" = None,
    ) -> list[EncodedFile]:
        """Features of each file: "audio" and "image" as far as it has them, "audiovisual" where it has both.

        A file is read to its end in windows of the length that the network hears, cut as `pack` cuts clips; where
        that leaves a tail, the last window ends with the file. Of each window the network gets its sound and its
        middle frame (several frames evenly spread, where it reads several). A file without anything that the method
        reads gives no features. Files are decoded in processes of their own.

        Args:
            paths: the files.
            hop: seconds from one window to the next; None for the window's length.
            tokens: False keeps none (`[V, 0, D]`): an hour of windows of a ViT-Base has 0.8 GB of them.
            limits: on decoding; by default those for one's own media.

        Raises:
            MediaError: for a file that cannot be read, with its typed reason.
            UsageError: if `hop` is not positive.
        """
        from seehear.media import Limits
        from seehear.weights.file_windows import read_windows

        names = [os.fsdecode(path) for path in paths]
        spans: list[list[Window]] = [[] for _ in names]
        parts: list[dict[Modality, list[tuple[int, Features]]]] = [{} for _ in names]
        windows = read_windows(names, self.method.needs, hop, self._pool, limits or Limits())
        while together := list(islice(windows, _PER_PASS)):
            for window, found in zip(together, self._encode_windows(together), strict=True):
                number = len(spans[window.file])
                spans[window.file].append(replace(window, frames=None, audio=None))
                for modality, features in found.items():
                    kept = features if tokens else replace(features, tokens=features.tokens[:, :0], layers=())
                    parts[window.file].setdefault(modality, []).append((number, kept))
        return [_file(*each) for each in zip(names, spans, parts, strict=True)]

    @cached_property
    def _pool(self) -> "Pool":
        from seehear.media import Pool

        return Pool()

    def _encode_windows(self, windows: "list[Window]") -> list[dict[Modality, Features]]:
        return self._encode_together([self._window_fields(window) for window in windows])

    def _encode_together(self, clips: list[dict[str, Tensor]]) -> list[dict[Modality, Features]]:
        """Features of each, from one pass for all that have the same fields."""
        result: list[dict[Modality, Features]] = [{} for _ in clips]
        for kind in dict.fromkeys(tuple(fields) for fields in clips):
            alike = [place for place, fields in enumerate(clips) if tuple(fields) == kind]
            found = self._encode({name: torch.cat([clips[place][name] for place in alike]) for name in kind})
            for row, place in enumerate(alike):
                result[place] = {modality: _row(features, row) for modality, features in found.items()}
        return result

    def _window_fields(self, window: "Window") -> dict[str, Tensor]:
        fields: dict[str, Tensor] = {}
        if window.frames is not None:
            fields |= self._frame_fields(torch.from_numpy(window.frames).permute(0, 3, 1, 2)[None])
        if window.audio is not None and len(window.audio):
            fields |= self._audio_fields(signals.waveform_from_int16(torch.from_numpy(window.audio)), SAMPLE_RATE)
        return fields

    def _audio_fields(self, waveform: Tensor, sample_rate: int) -> dict[str, Tensor]:
        need, shape = self.method.needs.audio, tuple(waveform.shape)
        if waveform.ndim == 3 and 1 <= shape[1] <= _MOST_CHANNELS:
            waveform = waveform.mean(dim=1) if waveform.is_floating_point() else waveform
        waveform = waveform[None] if waveform.ndim == 1 else waveform
        if need is None or waveform.ndim != 2 or not waveform.is_floating_point() or not waveform.numel():
            raise UsageError(
                f"sound of shape {shape} and type {waveform.dtype}",
                expected="floating-point [S], [B, S] or [B, C, S] in -1 to 1, for a method that reads sound",
            )
        if not bool(torch.isfinite(waveform).all()):
            raise UsageError("sound with NaN or infinite samples", expected="numbers in -1 to 1")
        samples = signals.waveform_to_int16(signals.resample(waveform, sample_rate, SAMPLE_RATE))
        wanted = round(need.seconds * SAMPLE_RATE)
        valid = min(samples.shape[1], wanted)
        fitted = torch.nn.functional.pad(samples[:, :wanted], (0, wanted - valid))
        return {"waveform": fitted, "waveform_samples": torch.full((len(fitted),), valid)}

    def _frame_fields(self, frames: Tensor) -> dict[str, Tensor]:
        need, shape = self.method.needs.frames, tuple(frames.shape)
        frames = frames[None] if frames.ndim == 3 else frames
        if need is not None and frames.ndim == 4:
            frames = frames[:, None].expand(-1, need.count, -1, -1, -1)
        if (
            need is None
            or frames.ndim != 5
            or frames.shape[1:3] != (need.count, 3)
            or frames.dtype != torch.uint8
            or not frames.numel()
        ):
            raise UsageError(
                f"pictures of shape {shape} and type {frames.dtype}",
                expected="uint8 [3, H, W], [B, 3, H, W] or [B, T, 3, H, W], for a method that reads pictures",
            )
        fitted = signals.fit_pictures(frames.flatten(0, 1), need.height, need.width, need.fit)
        return {"frames": fitted.unflatten(0, frames.shape[:2])}

    def _encode(self, fields: dict[str, Tensor]) -> dict[Modality, Features]:
        if not fields:
            return {}
        numbers = torch.arange(len(next(iter(fields.values()))))
        passes: Iterator[dict[str, Features]] = (
            self._forward(Batch(numbers[part], numbers[part], {name: value[part] for name, value in fields.items()}))
            for part in (slice(i, i + _PER_PASS) for i in range(0, len(numbers), _PER_PASS))
        )
        found = list(passes)
        return {m: _joined([features[m] for features in found]) for m in _MODALITIES if m in found[0]}


_MODALITIES: tuple[Modality, ...] = ("audio", "image", "audiovisual")


def _file(path: str, spans: "list[Window]", parts: dict[Modality, list[tuple[int, Features]]]) -> EncodedFile:
    return EncodedFile(
        path,
        np.array([window.span.start_seconds for window in spans]),
        np.array([window.span.duration_seconds for window in spans]),
        {modality: _joined([features for _, features in rows]) for modality, rows in parts.items()},
        {modality: np.array([number for number, _ in rows]) for modality, rows in parts.items()},
    )


def _joined(parts: list[Features]) -> Features:
    """The clips of all parts: copies made outside of inference mode, which layers that learn can take as input."""

    def join(values: Iterable[Tensor]) -> Tensor:
        tensors = list(values)
        return torch.cat(tensors) if len(tensors) > 1 else tensors[0].clone()

    return Features(
        join(part.tokens for part in parts),
        parts[0].grid,
        join(part.pooled for part in parts),
        join(part.embedding for part in parts),
        tuple(join(layer) for layer in zip(*(part.layers for part in parts), strict=True)),
    )


def _row(features: Features, row: int) -> Features:
    """Those of one clip, `[1, ...]`."""
    tokens, pooled, embedding = (t[row : row + 1] for t in (features.tokens, features.pooled, features.embedding))
    return Features(tokens, features.grid, pooled, embedding, tuple(layer[row : row + 1] for layer in features.layers))
