"""One training step: every phase of the method on one batch, each with forward, backward and optimiser step.

Nothing here waits for the device. Legend: b clips of this rank, P phases.
"""

from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from seehear.contracts import Batch, Contrast, Losses, Method, Progress
from seehear.errors import UsageError
from seehear.randomness import Randomness
from seehear.training.distributed import Peers
from seehear.training.gradient_cache import GradientCache
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import PhaseOptimizer, guarded_step, set_rate
from seehear.training.precision import autocast
from seehear.training.sharding import gathered, without_exchange


@dataclass
class StepResult:
    """What one step gave, still on the device.

    Attributes:
        values: scalars to log by name; "phase/name" where the method has several phases.
        features: entries of the losses with one row per clip, `[b, ...]`, for the sampler.
    """

    values: dict[str, Tensor] = field(default_factory=dict)
    features: dict[str, Tensor] = field(default_factory=dict)


class Stepper:
    """Runs steps.

    Args:
        method: on its device.
        optimizers: of each phase.
        guard: keeps what is not finite away from the weights.
        peers: the ranks; the wrapped method is built here.
        randomness: of the run.
        accumulate: pieces to cut each batch into.
        gradient_cache_chunk: clips of a piece whose embeddings' gradients are cached, or None.
        gradient_clip: largest gradient norm of a phase, or None.
        bf16: run the forward pass under bf16 autocast.
        deterministic: see `Peers.wrap`.

    Raises:
        UsageError: if gradients are to be cached and those of the method cannot be.
    """

    def __init__(
        self,
        method: Method,
        optimizers: dict[str, PhaseOptimizer],
        guard: NonFiniteGuard,
        peers: Peers,
        randomness: Randomness,
        *,
        accumulate: int = 1,
        gradient_cache_chunk: int | None = None,
        gradient_clip: float | None = None,
        bf16: bool = False,
        deterministic: bool = True,
    ):
        self._method, self._optimizers, self._guard, self._device = method, optimizers, guard, peers.device
        self._wrapped = peers.wrap(method, deterministic)
        self._randomness, self._accumulate, self._clip, self._bf16 = randomness, accumulate, gradient_clip, bf16
        self._chunk = gradient_cache_chunk
        self._cache = None if gradient_cache_chunk is None else GradientCache(method, randomness, bf16)

    def __call__(self, batch: Batch, rate: float, progress: Progress) -> StepResult:
        """Train on `batch` (of this rank) at the learning rate `rate`.

        Raises:
            UsageError: if the batch cannot be cut into equal pieces, or a phase gives no `loss`.
        """
        count = self._accumulate if self._chunk is None else -(-len(batch) // self._chunk)
        pieces = [piece.to(self._device) for piece in split(batch, count)]
        result = StepResult()
        self._guard.begin()
        for phase in self._method.phases:
            prefix = f"{phase}/" if len(self._method.phases) > 1 else ""
            self._phase(pieces, phase, prefix, rate, (progress.step + 1) / progress.total_steps, result)
        self._method.after_step(progress)
        self._guard.finish()
        return result

    def _phase(
        self, pieces: list[Batch], phase: str, prefix: str, rate: float, done: float, result: StepResult
    ) -> None:
        self._method.zero_grad(set_to_none=True)
        contrasts = [None] * len(pieces) if self._cache is None else self._cache.contrasts(pieces, phase)
        parts = [
            self._forward_backward(piece, phase, contrast, len(pieces), piece is pieces[-1])
            for piece, contrast in zip(pieces, contrasts, strict=True)
        ]
        mine = self._optimizers[phase]
        self._drop_foreign_gradients(mine)
        norm = gathered(nn.utils.get_total_norm([p.grad for p in mine.parameters if p.grad is not None]))
        if self._clip is not None:
            nn.utils.clip_grads_with_norm_(mine.parameters, self._clip, norm)
        loss = torch.stack([p["loss"] for p in parts]).mean()
        set_rate(mine.optimizer, rate, done)
        guarded_step(mine.optimizer, self._guard.judge(loss, norm))
        _collect(parts, prefix, result)
        result.values[f"{prefix}gradient_norm"] = norm

    def _forward_backward(self, piece: Batch, phase: str, contrast: Contrast | None, pieces: int, last: bool) -> Losses:
        """Losses of one of `pieces` pieces, detached, with its gradients added."""
        passes, losses = self._method.passes_of(phase), {}
        for one in passes:
            found = self._pass(piece, one, contrast, pieces, last and one is passes[-1])
            losses |= found | {"loss": found["loss"] + losses.get("loss", 0.0)}
        return losses

    def _pass(self, piece: Batch, name: str, contrast: Contrast | None, pieces: int, last: bool) -> Losses:
        wrapped, cached = self._wrapped, () if contrast is None else (contrast,)
        with nullcontext() if last else without_exchange(wrapped):
            with autocast(self._bf16, self._device):
                losses = wrapped(piece, self._randomness, name, *cached)
            if "loss" not in losses:
                raise UsageError(f"phase {name!r} gave {', '.join(losses) or 'nothing'}", expected="an entry 'loss'")
            (losses["loss"] / pieces).backward()
        return {name: value.detach() for name, value in losses.items()}

    def _drop_foreign_gradients(self, mine: PhaseOptimizer) -> None:
        """Forget gradients of parameters that this phase does not train, though its optimiser may hold them."""
        trained = set(mine.parameters)
        for group in mine.optimizer.param_groups:
            for parameter in group["params"]:
                if parameter not in trained:
                    parameter.grad = None


def _collect(gathered: list[Losses], prefix: str, result: StepResult) -> None:
    """Scalars are averaged over the pieces; entries with one row per clip are joined, their mean is logged."""
    for name in gathered[0]:
        parts = [g[name] for g in gathered]
        if parts[0].ndim:
            result.features[prefix + name] = torch.cat(parts)
        result.values[prefix + name] = torch.stack([_mean(p) for p in parts]).mean()


def _mean(value: Tensor) -> Tensor:
    return value.mean() if value.is_floating_point() else value.float().mean()


def split(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into equal pieces along its clips.

    Raises:
        UsageError: if its length is no multiple of `pieces`.
    """
    if pieces == 1:
        return [batch]
    if len(batch) % pieces:
        raise UsageError(
            f"a batch of {len(batch)} clips cannot be cut into {pieces} equal pieces",
            expected="training.accumulate or training.gradient_cache_chunk to divide the clips of each rank",
        )
    size = len(batch) // pieces
    return [_slice(batch, slice(i * size, (i + 1) * size)) for i in range(pieces)]


def _slice(batch: Batch, rows: slice) -> Batch:
    fields = {name: value[rows] for name, value in batch.fields.items()}
    return Batch(batch.sample_ids[rows], batch.positions[rows], fields, batch.replacements)
