"""From batch fields to time-major patches of sound and tubes of film, and back (MAViL, arXiv 2212.08071).

Legend: B batch, N patches, V values of a patch, T frames of a spectrogram or a film, F mel bins, H W picture.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from seehear.contracts import Batch
from seehear.layers.inputs import InputConfig, films, spectrograms, whole_patches
from seehear.layers.patches import cut_spectrogram_by_time, cut_tubes, join_spectrogram_by_time, join_tubes


@dataclass(frozen=True)
class FilmPatches:
    """How sound and film are cut.

    Attributes:
        inputs: what is cut.
        patch: side of a patch.
        frames: of a film.
        tube: frames of a tube.
    """

    inputs: InputConfig
    patch: int
    frames: int
    tube: int

    @property
    def grids(self) -> dict[str, tuple[int, ...]]:
        """(times, frequencies) of the sound, (times, rows, columns) of the film."""
        (frequencies, times), (rows, columns) = self.inputs.grids(self.patch).values()
        return {"audio": (times, frequencies), "image": (self.frames // self.tube, rows, columns)}

    def cut(self, batch: Batch, keys: Tensor | None, dtype: torch.dtype) -> dict[str, Tensor]:
        """Normalised values `[B, N, V]` of the modalities in `batch`, augmented where `keys [B]` are given.

        Raises:
            UsageError: if a clip has more frames than a film (one of fewer starts over).
        """
        found = {}
        if "waveform" in batch:
            values = whole_patches(spectrograms(batch, self.inputs, keys), self.inputs, self.patch)
            found["audio"] = cut_spectrogram_by_time(values.to(dtype), self.patch)
        if "frames" in batch:
            found["image"] = cut_tubes(films(batch, self.inputs, keys, self.frames).to(dtype), self.tube, self.patch)
        return found

    def join(self, modality: str, patches: Tensor) -> Tensor:
        """Patches `[B, N, V]` as a spectrogram `[B, T, F]`, tubes as the frames side by side, `[B, 3, H, T W]`."""
        (frequencies, times), (rows, columns) = self.inputs.grids(self.patch).values()
        if modality == "audio":
            return join_spectrogram_by_time(patches, self.patch, (times, frequencies))
        frames = join_tubes(patches, self.tube, self.patch, (self.frames // self.tube, rows, columns))
        return frames.permute(0, 2, 3, 1, 4).flatten(3)
