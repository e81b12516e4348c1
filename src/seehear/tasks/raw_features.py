"""Raw features: the baseline that any network must beat. Mean log-mel of the sound, mean colour of the pictures.

Legend: B batch, S samples, T frames of the spectrogram or of the clip, F mel bins.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear.contracts import SAMPLE_RATE, Batch
from seehear.signals import fbank, frame_samples, valid_frames, waveform_from_int16
from seehear.tasks.collect import Collector, Vectors
from seehear.tasks.embeddings import Embeddings

_FRAME_LENGTH_MS, _FRAME_SHIFT_MS = 25.0, 10.0  # of fbank's defaults


def raw_features(
    batches: Iterable[Batch], *, names: Mapping[int, str] | None = None, label_names: Sequence[str] = ()
) -> Embeddings:
    """Mean log-mel over the valid frames (128 wide) and mean RGB (3 wide) of each clip.

    They are the pooled features; the embeddings are the same at length 1.

    Args:
        batches: batches with `waveform`, `frames` or both.
        names: name of each sample id, for people.
        label_names: name of each class.

    Raises:
        DataError: if there is no clip.
    """
    collector = Collector()
    for batch in batches:
        features: dict[str, Vectors] = {}
        if "waveform" in batch:
            features["audio"] = _both(mean_log_mel(batch["waveform"], batch["waveform_samples"]))
        if "frames" in batch:
            features["image"] = _both(mean_colour(batch["frames"]))
        collector.add(batch, features)
    return collector.finish(names, label_names)


def mean_log_mel(waveform: Tensor, samples: Tensor) -> Tensor:
    """Mean log-mel `[B, F]` over the frames within the valid `samples [B]` of int16 `waveform [B, S]`.

    Zero for a clip shorter than one frame.
    """
    values = fbank(
        waveform_from_int16(waveform),
        samples=samples,
        frame_length_ms=_FRAME_LENGTH_MS,
        frame_shift_ms=_FRAME_SHIFT_MS,
    )
    valid = valid_frames(samples, values.shape[1], *frame_samples(SAMPLE_RATE, _FRAME_LENGTH_MS, _FRAME_SHIFT_MS))
    return (values * valid[:, :, None]).sum(dim=1) / valid.sum(dim=1).clamp_min(1)[:, None]


def mean_colour(frames: Tensor) -> Tensor:
    """Mean RGB `[B, 3]` in 0 to 1 over all frames and pixels of uint8 `frames [B, T, 3, H, W]`."""
    return frames.double().mean(dim=(1, 3, 4)).float() / 255


def _both(values: Tensor) -> Vectors:
    return F.normalize(values, dim=-1), values.to(torch.float32)
