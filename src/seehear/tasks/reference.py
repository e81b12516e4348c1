"""A supervised reference: a small convolutional network that learns the classes of one modality from labels.

It says what the labels can teach of a modality in minutes on two cores, so it stands beside exact ceilings: what they
promise must be within reach. Nothing is pretrained. Late fusion adds the log-probabilities of the two references: they
err independently of each other once the class is given, so that the sum is the best that can be made of the two.

Residual-free stages of 3 x 3 convolutions with batch normalisation; means and maxima over the picture or over time and
frequency, so that what is small or short still counts. AdamW with a cosine from a short rise; keyed augmentation.

Legend: N clips, B of them in a step, C classes.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seehear.errors import DataError, DivergedError, UsageError
from seehear.randomness import Randomness, permutation
from seehear.tasks.reference_views import CHANNELS, Modality, inputs

RISE = 0.1  # share of the steps in which the rate grows
_EVALUATED_TOGETHER = 100


@dataclass(frozen=True)
class Recipe:
    """How a reference is made: width of the first stage, passes over the clips, clips per step, AdamW's settings."""

    width: int = 24
    epochs: int = 8
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    dropout: float = 0.2


class Reference(nn.Module):
    """The network: inputs of `reference_views` to logits `[B, C]`."""

    def __init__(self, modality: Modality, classes: int, recipe: Recipe = Recipe()):
        super().__init__()
        self.modality: Modality = modality
        w = recipe.width
        stages = [_convolution(CHANNELS[modality], w, 5, 2)]
        for before, after in ((w, 2 * w), (2 * w, 4 * w), (4 * w, 6 * w)):
            stages += [_convolution(before, after, 3, 2), _convolution(after, after, 3, 1)]
        self.stages = nn.Sequential(*stages)
        self.stages.to(memory_format=torch.channels_last)  # pyrefly: ignore[no-matching-overload]
        self.head = nn.Sequential(nn.Dropout(recipe.dropout), nn.Linear(2 * 6 * w, classes))

    def forward(self, x: Tensor) -> Tensor:
        """Logits `[B, C]`, float32."""
        with torch.autocast(x.device.type, torch.bfloat16, enabled=_fast_bf16()):
            x = self.stages(x.contiguous(memory_format=torch.channels_last))
            found = self.head(torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1))
        return found.float()


def fit(
    modality: Modality,
    views: Tensor,
    targets: Tensor,
    classes: int,
    *,
    seed: int = 0,
    recipe: Recipe = Recipe(),
    seconds: float = math.inf,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Reference:
    """Train a reference; equal arguments and threads give equal networks, unless the time runs out.

    Args:
        modality: "sound" or "picture".
        views: `[N, ...]` of `sound_view` or `picture_view`.
        targets: `[N]` int64, the class of each.
        classes: C.
        seed: of weights, order, augmentation and dropout.
        recipe: how.
        seconds: the time that it may take: on a slow machine the rate falls with the clock and the last steps are left
            out.
        progress: called with (steps done, steps in all).

    Raises:
        UsageError: if views and targets do not fit, or there is less than one step of them.
        DataError: if a target is no class.
        DivergedError: if the loss is no longer a number.
    """
    _check(views, targets, classes, recipe)
    steps = recipe.epochs * len(views) // recipe.batch
    randomness = Randomness(seed, len(views))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Reference(modality, classes, recipe)
        optimizer = _optimizer(network, recipe)
        begun = time.monotonic()
        for step in range(steps):
            share = max(step / steps, (time.monotonic() - begun) / seconds)
            if share >= 1:
                break
            rate = recipe.rate * min(1.0, (step + 1) / (RISE * steps)) * (1 + math.cos(math.pi * share)) / 2
            for group in optimizer.param_groups:
                group["lr"] = rate
            _step(network, optimizer, views, targets, _positions(step, recipe.batch), randomness)
            progress(step + 1, steps)
    if not all(bool(p.isfinite().all()) for p in network.parameters()):
        raise DivergedError(f"the reference of the {modality} left the finite numbers", cure="a lower rate")
    return network.eval()


def log_probabilities(network: Reference, views: Tensor) -> Tensor:
    """`[N, C]` float32 of `views [N, ...]`."""
    network.eval()
    with torch.inference_mode():
        parts = views.split(_EVALUATED_TOGETHER)
        return torch.cat([network(inputs(network.modality, part)).log_softmax(dim=1) for part in parts])


def _convolution(before: int, after: int, size: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


def _fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 by itself (twice as fast here); elsewhere it would be slower."""
    return torch.cpu._is_avx512_bf16_supported()


def _optimizer(network: Reference, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW that lets norms and biases be."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim < 2]
    groups = [{"params": weights, "weight_decay": recipe.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)


def _positions(step: int, batch: int) -> Tensor:
    return torch.arange(step * batch, (step + 1) * batch)


def _step(
    network: Reference,
    optimizer: torch.optim.Optimizer,
    views: Tensor,
    targets: Tensor,
    positions: Tensor,
    randomness: Randomness,
) -> None:
    """One step on the clips at `positions [B]` of the endless, epoch-wise shuffled order."""
    rows = _shuffled(positions, len(views), randomness)
    x = inputs(network.modality, views[rows], randomness.keys(positions, rows))
    loss = F.cross_entropy(network(x), targets[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _shuffled(positions: Tensor, count: int, randomness: Randomness) -> Tensor:
    """The clips `[B]` at `positions`: every epoch goes through all `count` of them in an order of its own."""
    epochs = positions // count
    rows = torch.empty_like(positions)
    for epoch in epochs.unique():
        key = randomness.keys(epoch[None] * count, torch.zeros(1, dtype=torch.int64))
        order = permutation(key, count, "order")[0]
        here = epochs == epoch
        rows[here] = order[positions[here] % count]
    return rows


def _check(views: Tensor, targets: Tensor, classes: int, recipe: Recipe) -> None:
    if len(views) != len(targets) or recipe.epochs * len(views) < recipe.batch:
        raise UsageError(
            f"{len(views)} views with {len(targets)} targets, {recipe.epochs} epochs",
            expected=f"one target each, and clips for at least one step of {recipe.batch}",
        )
    if targets.min() < 0 or targets.max() >= classes:
        raise DataError(f"targets {int(targets.min())} to {int(targets.max())}", expected=f"0 to {classes - 1}")
