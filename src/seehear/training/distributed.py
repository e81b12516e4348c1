"""Distribution: one process, or several started by torchrun, behind the same few calls.

Gradients travel by DistributedDataParallel. Host-side agreement (stop flags, sample ids, small objects) travels over
gloo, so that it never waits for the accelerator. Gathers that carry gradients belong to the losses.

Legend: W ranks, b clips of one rank, B = W * b clips of a step.
"""

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seehear.contracts import Batch, Method, Replacement
from seehear.errors import LostPeerError, SeeHearError, UsageError
from seehear.training.sharding import is_sharded

T = TypeVar("T")
DEFAULT_TIMEOUT_SECONDS = 1800.0
_wrappers: "weakref.WeakSet[DistributedDataParallel]" = weakref.WeakSet()
_LOST = ("connection closed", "connection reset", "timed out", "broken pipe", "peer", "gloo")


@dataclass(frozen=True)
class Seen:
    """What all ranks together saw in one step.

    Attributes:
        positions: `[B]` int64, rising.
        ids: `[B]` int64, in the order of positions.
        order: `[B]` int64, which of the rows gathered rank after rank comes first, second, ...
        replacements: of all ranks, by position.
        stop: the number of a signal that any rank received, or 0.
    """

    positions: Tensor
    ids: Tensor
    order: Tensor
    replacements: tuple[Replacement, ...]
    stop: int


@dataclass(frozen=True)
class Peers:
    """The processes of a run.

    Attributes:
        rank: of this process.
        world_size: number of processes.
        device: of this process.
    """

    rank: int
    world_size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is rank 0, which writes."""
        return self.rank == 0

    def maximum(self, value: Tensor) -> Tensor:
        """The largest of a tensor over the ranks."""
        if self.world_size > 1:
            dist.all_reduce(value, op=dist.ReduceOp.MAX)
        return value

    def mean(self, values: Tensor) -> Tensor:
        """The mean of a tensor over the ranks."""
        if self.world_size > 1:
            dist.all_reduce(values)
            values /= self.world_size
        return values

    def gather(self, value: Any) -> list[Any]:
        """Every rank's object, by rank, on every rank."""
        if self.world_size == 1:
            return [value]
        gathered: list[Any] = [None] * self.world_size
        dist.all_gather_object(gathered, value)
        return gathered

    def gather_rows(self, rows: Tensor) -> Tensor:
        """Every rank's rows `[b, ...]` as `[B, ...]`, without gradient."""
        if self.world_size == 1:
            return rows.detach()
        parts = [torch.empty_like(rows) for _ in range(self.world_size)]
        dist.all_gather(parts, rows.detach().contiguous())
        return torch.cat(parts)

    def from_first(self, function: Callable[[], T]) -> T:
        """Call `function` on rank 0 and return its result on every rank.

        Raises:
            SeeHearError: on every rank, if rank 0 raised it.
        """
        if self.world_size == 1:
            return function()
        outcome: list[Any] = [None]
        if self.first:
            try:
                outcome = [function()]
            except SeeHearError as error:
                outcome = [error]
        dist.broadcast_object_list(outcome)
        if isinstance(outcome[0], SeeHearError):
            raise outcome[0]
        return outcome[0]

    def exchange(self, batch: Batch, stop: int) -> Seen:
        """Share what this rank's batch held, and whether it was told to stop; over gloo, on the host."""
        positions, ids = batch.positions.cpu(), batch.sample_ids.cpu()
        replaced = list(batch.replacements)
        if self.world_size > 1:
            head = torch.tensor([stop, len(replaced)], dtype=torch.int64)
            rows = self.gather_rows(torch.cat((head, positions, ids))[None])  # [W, 2 + 2b]
            stop, most_replaced = rows[:, :2].amax(dim=0).tolist()
            positions, ids = (half.flatten() for half in rows[:, 2:].chunk(2, dim=1))
            if most_replaced:
                replaced = [r for part in self.gather(batch.replacements) for r in part]
        order = positions.argsort()
        replaced.sort(key=lambda r: (r.position, r.attempt))
        return Seen(positions[order], ids[order], order, tuple(replaced), stop)

    def wrap(self, method: Method, deterministic: bool = True) -> nn.Module:
        """The module to call: the method itself (alone, or in shards), or DistributedDataParallel around it.

        A method of several phases, or one with a true attribute `has_unused_parameters`, may leave parameters without
        gradient. The search for those also keeps DDP from regrouping gradients after its first step, which would
        change the order of additions over three or more ranks between an unbroken and a resumed run; so it is on there.
        """
        if self.world_size == 1 or is_sharded(method):
            return method
        unused = len(method.phases) > 1 or bool(getattr(method, "has_unused_parameters", False))
        fixed_groups = deterministic and self.world_size > 2
        wrapped = DistributedDataParallel(
            method,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            find_unused_parameters=unused or fixed_groups,
            gradient_as_bucket_view=True,  # gradients live where they are sent from: no second copy of them
        )
        _wrappers.add(wrapped)
        return wrapped


def start(device: str | torch.device | None = None, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> Peers:
    """Join the run that torchrun's environment describes, or be alone; may be called again.

    Args:
        device: of this process; by default its own accelerator, else the CPU.
        timeout_seconds: after which a peer that does not answer counts as lost.

    Raises:
        UsageError: if the device is not there.
        LostPeerError: if the other processes do not appear.
    """
    here = _device(device)
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size > 1 and not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if here.type == "cuda" else "gloo"
        with lost_peers():
            dist.init_process_group(backend, timeout=timedelta(seconds=timeout_seconds))
    if dist.is_initialized():
        return Peers(dist.get_rank(), dist.get_world_size(), here)
    return Peers(0, 1, here)


def joined() -> bool:
    """Whether this process is one of a group."""
    return dist.is_initialized()


def stop() -> None:
    """Leave the run, if this process is in one.

    The reducers of DDP are let go first. One that outlives the group, as in the frames of a traceback, would take it
    down later with Python's lock held, and a thread of gloo that needs this lock to end would be waited for for ever.
    """
    for wrapped in list(_wrappers):
        for held in ("reducer", "logger"):
            vars(wrapped).pop(held, None)
        _wrappers.discard(wrapped)
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def session(
    device: str | torch.device | None = None, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
) -> Iterator[Peers]:
    """`start`, and at the end `stop`; inside another session, or where the caller joined before, nothing is left.

    Raises:
        SeeHearError: see `start`.
    """
    outer = joined()
    peers = start(device, timeout_seconds)
    try:
        yield peers
    finally:
        if not outer:
            stop()


def _device(device: str | torch.device | None) -> torch.device:
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"device is {device!r}", expected="cpu, cuda or cuda:<number>") from error
    if chosen.type == "cuda":
        if not torch.cuda.is_available():
            raise UsageError("device is 'cuda', which torch does not see", cure="seehear doctor, or device cpu")
        chosen = torch.device("cuda", local_rank if chosen.index is None else chosen.index)
        torch.cuda.set_device(chosen)
    return chosen


@contextmanager
def lost_peers() -> Iterator[None]:
    """Turn the failure of a collective into LostPeerError; every other error passes."""
    try:
        yield
    except RuntimeError as error:
        told = isinstance(error, dist.DistError) or any(sign in str(error).lower() for sign in _LOST)
        if not (dist.is_initialized() and told):
            raise
        raise LostPeerError(
            "another process of this run is gone",
            cause=str(error).splitlines()[0],
            cure="start the same command again: it goes on from the last checkpoint",
        ) from error
