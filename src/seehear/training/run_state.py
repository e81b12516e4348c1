"""What a checkpoint holds so that a run goes on bit for bit: weights, moments, random states, sampler, counters."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import seehear
from seehear.contracts import Method, Sampler
from seehear.errors import StorageError
from seehear.training.background_writer import BackgroundWriter
from seehear.training.checkpoints import After, Checkpoint, checkpoint_name, keep_newest, save_checkpoint
from seehear.training.compatibility import load_weights
from seehear.training.distributed import Peers
from seehear.training.guard import GuardCounts, NonFiniteGuard
from seehear.training.optimizers import PhaseOptimizer, load_optimizer_tensors, optimizer_tensors
from seehear.training.random_state import random_state, seed_everything, set_random_state
from seehear.training.sharding import in_shards, is_sharded
from seehear.training.staging import Files, Staging


class RunState:
    """Saves and restores all that changes while a run goes.

    Args:
        method: on its device.
        optimizers: of its phases.
        sampler: of the stream.
        guard: its counts go along.
        peers: the ranks; the first one writes, all of them read.
    """

    def __init__(
        self,
        method: Method,
        optimizers: dict[str, PhaseOptimizer],
        sampler: Sampler,
        guard: NonFiniteGuard,
        peers: Peers,
    ):
        self._method, self._optimizers, self._sampler = method, optimizers, sampler
        self._guard, self._peers = guard, peers
        self._staging, self._writer = Staging(peers.device, peers.first), BackgroundWriter()

    def save(
        self, root: Path, step: int, extra: Mapping[str, Any], keep: int, after: After, background: bool = False
    ) -> Path:
        """Save after `step` steps with further JSON-ready entries, and remove all but the newest `keep`; every rank
        calls this.

        With `background` this returns once the state is copied (and an earlier save is over), and the copy is written
        while training goes on: see `failed` and `finish`.

        Raises:
            StorageError: if the disk does not take it, or did not take an earlier one.
        """
        self.finish()
        random_states = self._peers.gather(random_state(self._peers.device))
        files, sampler = self._content(random_states)
        state = {**extra, **self.environment(), "guard": asdict(self._guard.counts()), "sampler": sampler}

        def write(written: Files) -> Path:
            path = save_checkpoint(root, step, written, state, after=after)
            keep_newest(root, keep, step)
            return path

        if not background:
            whole = self._staging.copy(files) if is_sharded(self._method) else files
            path = self._peers.from_first(lambda: write(whole))
            self._staging.release()
            return path
        copied = self._staging.copy(files)
        if self._peers.first:
            self._writer.start(lambda: write(copied))
        return root / checkpoint_name(step)

    def _content(self, random_states: list[dict[str, Tensor]]) -> tuple[Files, Any]:
        """All tensors by file, and what the sampler keeps besides them."""
        of_sampler: dict[str, Tensor] = {}
        sampler = separate(self._sampler.state_dict(), of_sampler)
        files = {
            "weights": self._method.state_dict(),
            "optimizers": optimizer_tensors(self._optimizers, self._method),
            "random": {f"{r}/{name}": t for r, each in enumerate(random_states) for name, t in each.items()},
            "sampler": of_sampler,
        }
        return files, sampler

    def prepare(self) -> None:
        """Get memory for the copies of saves in the background, in the background; once there are moments."""
        if self._peers.first:
            files, _ = self._content([random_state(self._peers.device) for _ in range(self._peers.world_size)])
            self._writer.start(lambda: self._staging.prepare(files))

    @property
    def failed(self) -> bool:
        """Whether a save in the background failed, on the rank that writes."""
        return self._writer.failed

    def finish(self) -> None:
        """Wait for a save in the background; every rank calls this.

        Raises:
            StorageError: on every rank, if the disk did not take it.
        """
        self._peers.from_first(self._writer.wait)

    def settle(self) -> None:
        """Wait for a save in the background on this rank alone.

        Raises:
            StorageError: if the disk did not take it.
        """
        self._writer.wait()

    def end(self) -> None:
        """As `settle`, and give the memory for copies back.

        Raises:
            StorageError: if the disk did not take it.
        """
        try:
            self._writer.wait()
        finally:
            self._staging.release()

    def load(self, checkpoint: Checkpoint, seed: int) -> None:
        """Take up a saved state; ranks that it did not have are seeded afresh.

        Raises:
            StorageError: if its tensors do not fit the method.
        """
        weights = in_shards(checkpoint.tensors("weights"), self._method.state_dict())
        load_weights(self._method, weights, str(checkpoint.path))
        moments, parameters = checkpoint.tensors("optimizers"), dict(self._method.named_parameters())
        owners = {key: parameters[name] for key in moments if (name := key.split("/")[1]) in parameters}
        load_optimizer_tensors(self._optimizers, self._method, in_shards(moments, owners))
        self._sampler.load_state_dict(join(checkpoint.state["sampler"], checkpoint.tensors("sampler")))
        self._guard.load(GuardCounts(**checkpoint.state["guard"]))
        prefix = f"{self._peers.rank}/"
        states = {n.removeprefix(prefix): t for n, t in checkpoint.tensors("random").items() if n.startswith(prefix)}
        if states:
            set_random_state(states, self._peers.device)
        else:
            seed_everything(seed, self._peers.rank)

    def environment(self) -> dict[str, Any]:
        """What bit-identical results depend on besides the configuration."""
        return {
            "versions": versions(),
            "world_size": self._peers.world_size,
            "threads": torch.get_num_threads(),
            "device": self._peers.device.type,
        }


def versions() -> dict[str, str]:
    """Versions of what computes."""
    return {
        "seehear": seehear.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def separate(tree: Any, tensors: dict[str, Tensor], where: str = "") -> Any:
    """A JSON-ready copy of nested dicts, lists and numbers; arrays and tensors go to `tensors`, named by their place.

    Raises:
        StorageError: on anything else: a state must be data.
    """
    if isinstance(tree, Tensor | np.ndarray):
        tensors[where] = torch.as_tensor(tree)
        return {"__tensor__": where, "array": isinstance(tree, np.ndarray)}
    if isinstance(tree, Mapping):
        return {str(key): separate(value, tensors, f"{where}.{key}") for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [separate(value, tensors, f"{where}.{index}") for index, value in enumerate(tree)]
    if isinstance(tree, np.generic):
        return tree.item()
    if tree is None or isinstance(tree, str | int | float | bool):
        return tree
    raise StorageError(f"the sampler's state holds a {type(tree).__name__} at {where!r}", expected="numbers and arrays")


def join(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Undo `separate` (tuples come back as lists)."""
    if isinstance(tree, dict) and "__tensor__" in tree:
        value = tensors[tree["__tensor__"]]
        return value.numpy() if tree["array"] else value
    if isinstance(tree, dict):
        return {key: join(value, tensors) for key, value in tree.items()}
    return [join(value, tensors) for value in tree] if isinstance(tree, list) else tree
