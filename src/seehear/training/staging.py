"""A copy of a run's tensors on the host, from which a checkpoint is written while training goes on.

The copy lies in one block that stays between saves: touching fresh memory is slower than copying (a page fault for
every 4 KiB), and on CUDA only memory that is pinned once takes copies at the speed of the bus.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seehear.training.sharding import gathered

Files = Mapping[str, Mapping[str, Tensor]]  # file -> tensors by name
ALIGNMENT = 64
MARGIN = 1 << 20  # bytes that small parts (a sampler's notes, a generator's state) may grow by


class Staging:
    """The block.

    Args:
        device: from which copies come; memory is pinned for CUDA.
        holds: whether this process keeps copies; the others only help to gather sharded tensors.
    """

    def __init__(self, device: torch.device, holds: bool = True):
        self._device, self._holds = device, holds
        self._block = torch.empty(0, dtype=torch.uint8)
        self._pinned = False

    def prepare(self, files: Files) -> None:
        """Have memory for tensors like these, touched and pinned; may run in another thread."""
        needed = sum(_room(tensor) for _, _, tensor, _ in _distinct(files)) if self._holds else 0
        if needed > len(self._block):
            self.release()
            needed += MARGIN
            self._block = torch.empty(needed, dtype=torch.uint8)
            self._block.zero_()
            if self._device.type == "cuda":
                cuda: Any = torch.cuda.cudart()
                self._pinned = int(cuda.cudaHostRegister(self._block.data_ptr(), needed, 0)) == 0

    def copy(self, files: Files) -> dict[str, dict[str, Tensor]]:
        """The tensors as they are now, on the host; equal views share one copy. Sharded ones are gathered, for which
        every rank must call this; where nothing is kept the result is empty."""
        self.prepare(files)
        copies: dict[str, dict[str, Tensor]] = {name: {} for name in files} if self._holds else {}
        made: dict[tuple, Tensor] = {}
        plain: list[tuple[Tensor, Tensor]] = []
        end = 0
        for file, name, tensor, view in _distinct(files, repeated=True):
            if view not in made:
                whole = gathered(tensor.detach())
                if not self._holds:
                    continue
                room = self._block[end : end + whole.numel() * whole.element_size()]
                end += _room(tensor)
                made[view] = room.view(whole.dtype).view(whole.shape)
                if whole.device.type == "cpu" and whole.is_contiguous():
                    plain.append((room, whole))
                else:
                    made[view].copy_(whole, non_blocking=self._pinned)
            copies[file][name] = made[view]
        _copy_bytes(plain)
        if self._device.type == "cuda":
            torch.cuda.current_stream(self._device).synchronize()
        return copies

    def release(self) -> None:
        """Give the memory back."""
        if self._pinned:
            cuda: Any = torch.cuda.cudart()
            cuda.cudaHostUnregister(self._block.data_ptr())
        self._block, self._pinned = torch.empty(0, dtype=torch.uint8), False


def _copy_bytes(pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Copy contiguous tensors of the host to rooms of as many bytes, some by each thread.

    torch's own copy shares out every tensor and waits for all threads each time: on two busy cores it took ten times
    as long as one thread alone.
    """
    jobs = [(room.numpy(), whole.detach().reshape(-1).view(torch.uint8).numpy()) for room, whole in pairs if len(room)]
    with ThreadPoolExecutor(max(1, torch.get_num_threads())) as threads:
        list(threads.map(lambda job: np.copyto(*job), jobs))


def _distinct(files: Files, repeated: bool = False) -> Iterator[tuple[str, str, Tensor, tuple]]:
    """File, name, tensor and identity of every view; of equal views only the first, unless `repeated`."""
    seen = set()
    for file, tensors in files.items():
        for name, tensor in tensors.items():
            view = view_of(tensor)
            if repeated or view not in seen:
                yield file, name, tensor, view
            seen.add(view)


def view_of(tensor: Tensor) -> tuple:
    """What two tensors have in common that are the same view of the same memory.

    An empty one is like no other, and so is a sharded one, whose shard may be empty on some ranks.
    """
    if not tensor.numel() or hasattr(tensor, "full_tensor"):
        return (id(tensor),)
    return (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)


def _room(tensor: Tensor) -> int:
    """Bytes that a tensor takes in the block."""
    return -(-tensor.numel() * tensor.element_size() // ALIGNMENT) * ALIGNMENT
