"""A method of two linear towers, a stream in memory and a run around them: small enough to train in milliseconds."""

import importlib.machinery
import os
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from seehear import methods
from seehear.contracts import Batch, Losses, Method, Replacement
from seehear.errors import SkipReason
from seehear.randomness import Randomness, normal, stable_hash
from seehear.training import DataConfig, OptimizerConfig, RunConfig, ScheduleConfig, TrainingConfig

SAMPLES, PIXELS = 12, 4
BESIDE = "SEEHEAR_TEST_CHECKPOINTS_BESIDE"  # environment: "1" where runs of the stub write checkpoints beside training


class TwoTowers(Method):
    """Contrast of a linear map of sound with a linear map of pictures, with keyed noise."""

    @dataclass(frozen=True)
    class Config:
        method: ClassVar[str] = "stub_two_towers"
        width: int = 6
        double: bool = False
        dropout: float = 0.1
        alternating: bool = False
        rows: bool = False
        tied: bool = False
        depth: int = 0

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(1)
        self.sound = nn.Linear(SAMPLES, config.width)
        self.picture = nn.Linear(3 * PIXELS * PIXELS, config.width)
        self.stack = nn.ModuleList(nn.Sequential(nn.Linear(config.width, config.width)) for _ in range(config.depth))
        self.unused_by_sound = nn.Parameter(torch.ones(config.width))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
        if config.tied:
            self.picture.bias = self.sound.bias
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(config.width))
        if config.double:
            self.double()

    @property
    def phases(self) -> tuple[str, ...]:
        return ("sound", "both") if self.config.alternating else ("joint",)

    def optimizer_of(self, phase: str) -> str:
        return phase if self.config.alternating else "shared"

    def forward(self, batch: Batch, randomness: Randomness, phase: str = "joint") -> Losses:
        dtype = self.sound.weight.dtype
        keys = randomness.keys(batch.positions, batch.sample_ids)
        noise = normal(keys, SAMPLES, "stub/noise", dtype)
        sound = self.sound(batch["waveform"].to(dtype) / 100 + 0.1 * noise)
        sound = nn.functional.dropout(sound, self.config.dropout, self.training)
        for layer in self.stack:
            sound = sound + layer(sound)
        if phase == "sound":
            return {"loss": sound.square().mean()}
        picture = self.picture(batch["frames"].flatten(1).to(dtype) / 255) * self.unused_by_sound
        with torch.no_grad():
            self.seen += 1
            self.mean.lerp_(gathered(picture).mean(0).to(self.mean.dtype), 0.1)
        sound, picture = gathered(sound), gathered(picture)
        logits = nn.functional.normalize(sound, dim=1) @ nn.functional.normalize(picture, dim=1).T / 0.2
        targets = torch.arange(len(logits))
        loss = nn.functional.cross_entropy(logits, targets)
        losses: Losses = {"loss": loss, "accuracy": (logits.argmax(1) == targets).to(dtype).mean()}
        return losses | ({"surprise": sound[: len(batch)].square().sum(1)} if self.config.rows else {})


def gathered(rows: Tensor) -> Tensor:
    """Rows of all ranks, with gradient."""
    if not dist.is_initialized():
        return rows
    return torch.cat(dist.nn.functional.all_gather(rows))


class MemorySampler:
    """A keyed shuffle that remembers what it was told."""

    lag = 0

    def __init__(self, clips: int, global_batch: int, seed: int = 0):
        self.clips, self.global_batch, self.seed = clips, global_batch, seed
        self.surprise = np.zeros(clips)
        self.observed = 0

    def plan(self, step: int) -> np.ndarray:
        positions = step * self.global_batch + np.arange(self.global_batch)
        return np.array([self._order(p // self.clips)[p % self.clips] for p in positions], np.int64)

    def _order(self, epoch: int) -> np.ndarray:
        return np.random.Generator(np.random.Philox(key=[self.seed, epoch])).permutation(self.clips)

    def replacement(self, position: int, attempt: int) -> int:
        return (position + attempt) % self.clips

    def observe(self, step: int, ids: np.ndarray, features: Mapping[str, Tensor]) -> None:
        assert len(ids) == self.global_batch
        self.observed = step + 1
        if "surprise" in features:
            self.surprise[ids] += features["surprise"].double().numpy()

    def state_dict(self) -> dict[str, Any]:
        return {"surprise": self.surprise, "observed": self.observed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.surprise, self.observed = np.array(state["surprise"]), state["observed"]


class MemoryStream:
    """Clips that are functions of their id; `hook(step)` may kill, raise or signal before a batch is handed out."""

    def __init__(self, clips=20, global_batch=8, rank=0, world_size=1, hook=None, broken=()):
        self.sampler = MemorySampler(clips, global_batch)
        self.global_batch, self.clips_per_epoch, self.fingerprint = global_batch, clips, f"memory-{clips}"
        self.rank, self.local, self.hook = rank, global_batch // world_size, hook
        self.broken, self.closed = broken, False

    def batches(self, first_step: int, last_step: int) -> Iterator[Batch]:
        try:
            for step in range(first_step, last_step):
                if self.hook:
                    self.hook(step)
                yield self.batch(step)
        finally:
            self.closed = True

    def batch(self, step: int) -> Batch:
        rows = slice(self.rank * self.local, (self.rank + 1) * self.local)
        ids = torch.as_tensor(self.sampler.plan(step)[rows])
        positions = torch.arange(step * self.global_batch, (step + 1) * self.global_batch)[rows]
        replaced = []
        for row, sample in enumerate(ids.tolist()):
            if sample in self.broken:
                ids[row] = self.sampler.replacement(int(positions[row]), 0)
                replaced.append(Replacement(int(positions[row]), sample, SkipReason.TRUNCATED, 0, int(ids[row])))
        classes = ids % 5
        draw = [torch.Generator().manual_seed(stable_hash(f"clip {i}")) for i in ids.tolist()]
        sound = torch.stack([torch.randint(-90, 90, (SAMPLES,), generator=g) for g in draw])
        sound = (sound + 40 * classes[:, None]).to(torch.int16)
        shape = (1, 3, PIXELS, PIXELS)
        frames = torch.stack([torch.randint(0, 160, shape, generator=g, dtype=torch.uint8) for g in draw])
        return Batch(ids, positions, {"waveform": sound, "frames": frames}, tuple(replaced))


def stub_config(steps=12, method=None, data=None, optimizer=None, schedule=None, **training) -> RunConfig:
    beside = os.environ.get(BESIDE) == "1"
    training = {"log_every": 3, "checkpoint_every": 4, "keep_checkpoints": 2, "checkpoint_async": beside} | training
    return RunConfig(
        name="stub",
        data=data or DataConfig(global_batch=8),
        method=method or TwoTowers.Config(),
        optimizer=optimizer or OptimizerConfig(learning_rate=0.01),
        schedule=schedule or ScheduleConfig(warmup_steps=min(2, steps - 1)),
        training=TrainingConfig(steps=steps, **training),
    )


def register_stub() -> None:
    """Make the stub a method that `seehear.methods` finds, as a file of that folder would be."""
    name = f"{methods.__name__}.{TwoTowers.Config.method}"
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    TwoTowers.__module__ = name
    module.TwoTowers = TwoTowers  # type: ignore[attr-defined]
    sys.modules[name] = module
    if TwoTowers.Config.method not in methods.NAMES:
        methods.NAMES = (*methods.NAMES, TwoTowers.Config.method)


def record_of(folder: Path) -> dict[str, bytes]:
    """What must be equal between two runs, byte for byte: exact logs and the last checkpoint's tensors."""
    last = max((folder / "checkpoints").glob("step-*"))
    tensors = {path.name: path.read_bytes() for path in sorted(last.glob("*.safetensors"))}
    logs = {name: (folder / name).read_bytes() for name in ("metrics.jsonl", "samples.jsonl")}
    return logs | tensors
