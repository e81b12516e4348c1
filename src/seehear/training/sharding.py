"""Weights, gradients and moments in shards: each rank keeps 1 / W of them and gathers a block's weights to use them.

Fully sharded data parallelism as torch has it (`fully_shard`, FSDP2; Zhao et al., arXiv 2304.11277). The entries of a
method's module lists that have layers of their own (blocks of a stack) are a unit each, the rest is another.
Checkpoints hold whole tensors, gathered one at a time on the first rank, and not the sharded files of
torch.distributed.checkpoint: those describe themselves by a pickle, belong to several writers, and would need a loader
of their own wherever weights are used.

Legend: W ranks.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from seehear.contracts import Method
from seehear.errors import UsageError

_ENTRANCES = ("embed", "encode", "reconstruct")  # methods beside `forward` that use weights


def shard(method: Method, device: torch.device) -> None:
    """Shard a method in place over all ranks, with the first rank's weights; before its optimisers are built.

    Raises:
        UsageError: if a parameter has no dimension to cut, or two units share one.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    units = list(_units(method))
    _check(method, units)
    for tensor in (*method.parameters(), *method.buffers()):
        dist.broadcast(tensor.detach(), 0)
    mesh = init_device_mesh(device.type, (dist.get_world_size(),))
    for unit in (*units, method):
        fully_shard(unit, mesh=mesh)
    for name in _ENTRANCES:
        if hasattr(method, name):
            register_fsdp_forward_method(method, name)


def _units(module: nn.Module) -> Iterator[nn.Module]:
    """Entries of the outermost module lists that are made of several layers."""
    for child in module.children():
        if isinstance(child, nn.ModuleList) and all(any(entry.children()) for entry in child):
            yield from child
        else:
            yield from _units(child)


def _check(method: Method, units: list[nn.Module]) -> None:
    owners: dict[nn.Parameter, int] = {}
    for number, unit in enumerate([*units, method]):
        for name, parameter in unit.named_parameters():
            if not parameter.ndim:
                raise UsageError(
                    f"training.parallel is 'fsdp', and the parameter {name} is a single number",
                    expected="parameters with at least one dimension",
                    cure="--training.parallel ddp",
                )
            if unit is not method and owners.setdefault(parameter, number) != number:
                raise UsageError(
                    f"training.parallel is 'fsdp', and two blocks share the parameter {name}",
                    expected="blocks that own their parameters",
                    cure="--training.parallel ddp",
                )


def is_sharded(module: nn.Module) -> bool:
    """Whether `shard` was called on it."""
    return any(hasattr(parameter, "full_tensor") for parameter in module.parameters())


def gathered(tensor: Tensor) -> Tensor:
    """All of a tensor that lies in shards on the ranks (each of them must ask); others as they are."""
    gather = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else gather()


def in_shards(whole: Mapping[str, Tensor], like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Whole tensors, each cut as the one of its name in `like` is, where that is in shards and of its shape."""
    return {name: _cut(tensor, like.get(name)) for name, tensor in whole.items()}


def _cut(tensor: Tensor, like: Any) -> Tensor:
    if not hasattr(like, "full_tensor") or like.shape != tensor.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def whole_copy(method: Method, kind: type[Method], first: bool) -> Method:
    """On the first rank a copy of a sharded method that needs no other rank, made as `kind(config)`; the method itself
    elsewhere, and where it is whole already. Every rank must ask."""
    if not is_sharded(method):
        return method
    state = {}
    for name, tensor in method.state_dict().items():
        values = gathered(tensor.detach())
        if first:
            state[name] = values.clone() if values is tensor else values
    if not first:
        return method
    with torch.random.fork_rng(devices=[]):
        copy = kind(method.config)
    copy.load_state_dict(state, assign=True)
    return copy.to(next(method.parameters()).device)


@contextmanager
def _unshared(method: Any) -> Iterator[None]:
    method.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        method.set_requires_gradient_sync(True)


def without_exchange(wrapped: nn.Module) -> AbstractContextManager:
    """Context in which gradients add up on their rank and are not exchanged."""
    if isinstance(wrapped, DistributedDataParallel):
        return wrapped.no_sync()
    return _unshared(wrapped) if is_sharded(wrapped) else nullcontext()
