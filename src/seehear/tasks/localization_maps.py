"""Maps of where a sound may come from: a network's own, and those that need no listening.

Legend: B batch, T frames, N tokens, D width, h w map, H W picture.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from seehear import signals
from seehear.contracts import Batch, Localizes, Method
from seehear.errors import UsageError
from seehear.layers.object_guidance import enlarged
from seehear.metrics import centre_disc
from seehear.randomness import Randomness, uniform

Judge = Callable[[Tensor], Tensor]  # normalised pictures [B, 3, H, W] to objectness [B, h, w]


def similarity_maps(method: Method, batch: Batch) -> Tensor:
    """How well each place of a clip's picture goes with its sound, `[B, h, w]`.

    A method that localises says so itself; of any other it is the cosine between each image token and the embedding of
    the sound. Of a film's tokens the middle time counts.

    Raises:
        UsageError: if the method encodes not both, in vectors of one width, or its tokens lie in no grid.
    """
    localizing: object = method  # by what it offers, not by its class
    if isinstance(localizing, Localizes):
        return localizing.localize(batch)
    found = method.encode(batch)
    if "audio" not in found or "image" not in found:
        raise UsageError(f"{type(method).__name__} encodes {', '.join(found)}", expected="sound and picture")
    sound, tokens, grid = found["audio"].embedding, found["image"].tokens, found["image"].grid
    places = math.prod(grid)
    if len(grid) not in (2, 3) or tokens.shape[1] < places or tokens.shape[2] != sound.shape[1]:
        raise UsageError(
            f"tokens {tuple(tokens.shape)} in a grid {grid} beside a sound {tuple(sound.shape)}",
            expected="tokens of rows and columns, as wide as the sound",
        )
    vectors = F.normalize(tokens[:, tokens.shape[1] - places :].float(), dim=-1)  # leading tokens have no place
    maps = torch.einsum("bnd,bd->bn", vectors, F.normalize(sound.float(), dim=-1)).unflatten(1, grid)
    return maps if len(grid) == 2 else maps[:, grid[0] // 2]


def pictures_of(batch: Batch, count: int) -> Batch:
    """The batch with as many frames as a method asks for: of more than `count` those around the middle.

    Raises:
        UsageError: if there are fewer.
    """
    offered = batch["frames"].shape[1]
    if offered < count:
        raise UsageError(f"{offered} frames per clip", expected=f"{count} or more")
    first = offered // 2 - count // 2
    return Batch(
        batch.sample_ids, batch.positions, {**batch.fields, "frames": batch["frames"][:, first : first + count]}
    )


def blind_maps(batch: Batch, size: tuple[int, int], grid: tuple[int, int], seed: int) -> dict[str, Tensor]:
    """Floors `[B, H, W]` without network and sound: noise, whole image, centre disc, and of several frames motion.

    Motion is the mean difference of neighbouring frames, steadied against the camera, as coarse as the `grid` of the
    network's map.
    """
    B, device = len(batch), batch.sample_ids.device
    keys = Randomness(seed).keys(torch.zeros_like(batch.sample_ids), batch.sample_ids)
    disc = torch.from_numpy(centre_disc(size)).float().to(device)
    found = {
        "noise": uniform(keys, math.prod(size), "localization noise").view(B, *size),
        "whole image": torch.zeros(B, *size, device=device),
        "centre disc": disc.expand(B, -1, -1),
    }
    frames = batch["frames"]
    if frames.shape[1] > 1:
        still, _ = signals.steady(frames.float())
        moved = (still[:, 1:] - still[:, :-1]).abs().mean(dim=(1, 2))
        found["motion"] = enlarged(F.adaptive_avg_pool2d(moved[:, None], grid)[:, 0], size)
    return found


def objectness_maps(judge: Judge, batch: Batch, size: tuple[int, int]) -> Tensor:
    """Objectness `[B, h, w]` of each clip's middle frame, resized to `size` where it has another."""
    frames = batch["frames"]
    return judge(signals.normalize_image(signals.resize(frames[:, frames.shape[1] // 2], size)))
