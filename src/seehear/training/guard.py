"""The non-finite guard: a loss or gradient norm that is not finite never reaches weights, moments or buffers.

Everything stays on the device: the verdict is a tensor that the fused optimiser reads, shared over the ranks by one
small all-reduce, and counted in tensors that are read on log steps only. Source: reliability contract R6.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seehear.training.distributed import Peers


@dataclass(frozen=True)
class GuardCounts:
    """Steps skipped in all, in a row up to now, and the longest row seen."""

    skipped: int = 0
    streak: int = 0
    longest: int = 0


class NonFiniteGuard:
    """Judges each phase of a step and counts the steps that were skipped.

    Args:
        method: its buffers (running means, queues) are put back after a bad step.
        device: where verdicts live.
        peers: the other ranks; a step bad on one is bad on all.
    """

    def __init__(self, method: nn.Module, device: torch.device, peers: Peers):
        self._peers = peers
        self._method = method
        self._kept: dict[str, Tensor] = {}
        self._bad = torch.zeros((), device=device)
        self._counts = torch.zeros(3, dtype=torch.int64, device=device)

    def begin(self) -> None:
        """Start a step."""
        self._kept = {name: buffer.clone() for name, buffer in self._method.named_buffers()}
        self._bad = torch.zeros_like(self._bad)

    def judge(self, loss: Tensor, gradient_norm: Tensor) -> Tensor:
        """1.0 where loss or gradient norm is not finite on any rank, else 0.0: a float32 scalar on the device."""
        bad = 1 - (torch.isfinite(loss) & torch.isfinite(gradient_norm)).float()
        bad = self._peers.maximum(bad)
        self._bad = torch.maximum(self._bad, bad)
        return bad

    def finish(self) -> None:
        """End a step: put buffers back and count, if any of its phases was bad."""
        bad = self._bad.bool()
        with torch.no_grad():
            for name, buffer in self._method.named_buffers():
                buffer.copy_(torch.where(bad, self._kept[name], buffer))
        skipped, streak, longest = self._counts.unbind()
        one = bad.long()
        streak = (streak + 1) * one
        self._counts = torch.stack((skipped + one, streak, torch.maximum(longest, streak)))

    def counts(self) -> GuardCounts:
        """The counts so far (a host sync)."""
        return GuardCounts(*self._counts.tolist())

    def load(self, counts: GuardCounts) -> None:
        """Go on from saved counts."""
        values = (counts.skipped, counts.streak, counts.longest)
        self._counts = torch.tensor(values, dtype=torch.int64, device=self._counts.device)
