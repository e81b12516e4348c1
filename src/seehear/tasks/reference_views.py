"""What the supervised references read of a clip, small enough to keep thousands of them in memory.

The sound is its log-mel spectrogram. The pictures are steadied and laid into one: the first frame; at every place the
colour that lies farthest from the mean (where a thing went); how much the place varies; how much it changes from one
frame to the next. So a still body and a moving one differ, and a small network on one picture sees motion.

Augmentation is keyed and touches only what the world draws alike for all classes: colour, mirroring, place and size in
the picture; in the sound the time of its events, a little of its pitch, and stripes that are wiped out.

Legend: B clips, T frames, H W picture, S samples, F mel bins.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from seehear import signals
from seehear.randomness import permutation, uniform

Modality = Literal["sound", "picture"]
CHANNELS: dict[Modality, int] = {"sound": 1, "picture": 8}
SIDE = 96  # pixels; larger pictures are made smaller
TIME_MASK, FREQUENCY_MASK, RAISE = 48, 20, 6  # frames and mel bins, at most
FARTHEST, ZOOM = 0.1, (0.8, 1.25)  # moves of a training picture in its widths, and what it is scaled by
GAIN, LIGHT = (0.7, 1.3), 0.15  # of each colour channel
_SPREAD = 4.0  # of log-mel values, roughly


def sound_view(waveform: Tensor) -> Tensor:
    """Log-mel spectrograms, float16 `[B, T, F]`, of `waveform [B, S]` in -1 to 1."""
    return signals.fbank(waveform).half()


def picture_view(frames: Tensor) -> Tensor:
    """One picture of a clip's `frames`, uint8 `[T, H, W, 3]` to uint8 `[8, H, W]`, at most `SIDE` pixels wide.

    Channels: first frame (3), farthest colour (3), deviation over time, mean change per frame; the last two as roots,
    which shows small motion too.
    """
    x = signals.steady(frames.permute(0, 3, 1, 2)[None].float())[0][0]
    if max(x.shape[2:]) > SIDE:
        x = F.interpolate(x, size=(SIDE, SIDE), mode="area")
    away = x - x.mean(dim=0)
    farthest = away.abs().sum(dim=1).argmax(dim=0)
    colour = x.gather(0, farthest[None, None].expand(1, 3, -1, -1))[0]
    deviation = away.square().mean(dim=0).sum(dim=0).sqrt()
    change = (x[1:] - x[:-1]).abs().sum(dim=1).mean(dim=0)
    motion = (torch.stack([deviation, change]) * 255).sqrt()
    return torch.cat([x[0], colour, motion]).round().clamp(0, 255).to(torch.uint8)


def inputs(modality: Modality, views: Tensor, keys: Tensor | None = None) -> Tensor:
    """What the network reads, float32 `[B, C, ...]`, of `views [B, ...]`; augmented where `keys [B]` are given."""
    return _sound_inputs(views, keys) if modality == "sound" else _picture_inputs(views, keys)


def _sound_inputs(views: Tensor, keys: Tensor | None) -> Tensor:
    x = views.float()
    x = (x - x.mean(dim=(1, 2), keepdim=True)) / _SPREAD
    if keys is not None:
        x = signals.roll_time(x, signals.random_shifts(keys, x.shape[1]))
        x = _raised(x, signals.random_shifts(keys, RAISE, "raise"))
        x = signals.spec_augment(x, keys, FREQUENCY_MASK, TIME_MASK)
    return x[:, None]


def _raised(x: Tensor, bins: Tensor) -> Tensor:
    """Spectrograms `[B, T, F]` moved up by `bins [B]`; the outermost bin is repeated where nothing is known."""
    source = (torch.arange(x.shape[2]) - bins[:, None]).clamp(0, x.shape[2] - 1)
    return x.gather(2, source[:, None].expand_as(x))


def _picture_inputs(views: Tensor, keys: Tensor | None) -> Tensor:
    x = views.float() / 255
    if keys is None:
        return _centred(x)
    x = signals.flip(x, uniform(keys, 1, "flip")[:, 0] < 0.5)
    x = signals.crop_resize(x, _boxes(keys), (x.shape[2], x.shape[3]), normalized=True)
    channels = permutation(keys, 3, "colours")
    order = torch.cat([channels, channels + 3, torch.tensor([[6, 7]]).expand(len(x), -1)], dim=1)
    x = _centred(x.gather(1, order[:, :, None, None].expand_as(x)))
    colours = uniform(keys, 6, "light")[:, :, None, None]
    gain, light = GAIN[0] + (GAIN[1] - GAIN[0]) * colours[:, :3], 4 * LIGHT * (2 * colours[:, 3:] - 1)
    return torch.cat([x[:, :3] * gain + light, x[:, 3:6] * gain + light, x[:, 6:]], dim=1)


def _centred(x: Tensor) -> Tensor:
    """Colours about 0, motion from 0 on, both of deviation near 1."""
    return 4 * torch.cat([x[:, :6] - 0.5, x[:, 6:]], dim=1)


def _boxes(keys: Tensor) -> Tensor:
    """What of a picture is shown: left, top, right, bottom as shares, `[B, 4]`."""
    draws = uniform(keys, 3, "box")
    half = 0.5 / (ZOOM[0] * (ZOOM[1] / ZOOM[0]) ** draws[:, :1])
    middle = 0.5 + FARTHEST * (2 * draws[:, 1:] - 1)
    return torch.cat([middle - half, middle + half], dim=1)
