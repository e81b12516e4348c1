"""The typed configuration of one run: data, method, optimiser, schedule, budget, evaluation.

Frozen dataclasses, written and read through `seehear.configuration`. A value out of range is refused where it is set,
by the name of its field.
"""

from dataclasses import dataclass
from typing import Any, Literal

from seehear import methods
from seehear.errors import UsageError


def _require(holds: bool, field: str, value: Any, expected: str) -> None:
    if not holds:
        raise UsageError(f"{field} is {value!r}", expected=expected)


@dataclass(frozen=True)
class DataConfig:
    """Which clips, and how many at a time.

    Attributes:
        table: path or URI of a packed table or a folder of media.
        more_tables: further ones to pretrain on together with it (AVSiam's Base+); evaluation looks at `table` alone.
        train_split: split to train on.
        evaluation_split: split to evaluate on.
        global_batch: clips per step, over all ranks and accumulated pieces.
        balanced: draw clips with replacement, those of rare classes more often (see clips.BalancedSampler).
        threads: batches that each rank prepares at once; 0 prepares each when it is asked for.
        prefetch: batches ready or under way at most.
    """

    table: str = ""
    more_tables: tuple[str, ...] = ()
    train_split: str = "train"
    evaluation_split: str = "test"
    global_batch: int = 64
    balanced: bool = False
    threads: int = 2
    prefetch: int = 4

    def __post_init__(self) -> None:
        _require(self.global_batch >= 1, "data.global_batch", self.global_batch, "at least 1")
        _require(self.threads >= 0, "data.threads", self.threads, "0 or more")
        _require(self.prefetch >= 1, "data.prefetch", self.prefetch, "at least 1")


@dataclass(frozen=True)
class OptimizerConfig:
    """The optimiser of every parameter; a method scales rate and decay per group.

    Attributes:
        kind: "adamw" (decoupled weight decay) or "adam" (decay added to the gradient, as AVSiam's released code).
        learning_rate: peak rate.
        betas: decay of the first and second moment.
        weight_decay: times each group's `weight_decay_scale`.
        eps: added to the root of the second moment.
        fused: one kernel for all parameters; None: wherever torch has one.
        moments: what the two moments rest in; "bf16" halves their memory and is rounded at random.
    """

    kind: Literal["adamw", "adam"] = "adamw"
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.05
    eps: float = 1e-8
    fused: bool | None = None
    moments: Literal["fp32", "bf16"] = "fp32"

    def __post_init__(self) -> None:
        _require(self.learning_rate > 0, "optimizer.learning_rate", self.learning_rate, "above 0")
        _require(
            len(self.betas) == 2 and all(0 <= b < 1 for b in self.betas),
            "optimizer.betas",
            self.betas,
            "two numbers from 0 to below 1",
        )
        _require(self.weight_decay >= 0, "optimizer.weight_decay", self.weight_decay, "0 or more")
        _require(self.eps > 0, "optimizer.eps", self.eps, "above 0")


@dataclass(frozen=True)
class ScheduleConfig:
    """How the learning rate moves: linear warm-up, then cosine, constant or by steps.

    Attributes:
        kind: "cosine" down to `final_fraction` at the end, "constant", or "step" (by epochs).
        warmup_steps: steps of linear rise from 0 to the peak; at most half of the run is used.
        final_fraction: of the peak, at the end of the cosine.
        step_epochs: epochs at which "step" multiplies the rate by `step_factor` (AVSiam's release: 10, 15, 20).
        step_factor: see `step_epochs`.
    """

    kind: Literal["cosine", "constant", "step"] = "cosine"
    warmup_steps: int = 0
    final_fraction: float = 0.0
    step_epochs: tuple[int, ...] = (10, 15, 20)
    step_factor: float = 0.5

    def __post_init__(self) -> None:
        _require(self.warmup_steps >= 0, "schedule.warmup_steps", self.warmup_steps, "0 or more")
        _require(0 <= self.final_fraction <= 1, "schedule.final_fraction", self.final_fraction, "0 to 1")
        _require(
            list(self.step_epochs) == sorted(set(self.step_epochs)),
            "schedule.step_epochs",
            self.step_epochs,
            "rising epochs",
        )
        _require(0 < self.step_factor <= 1, "schedule.step_factor", self.step_factor, "above 0, at most 1")


@dataclass(frozen=True)
class TrainingConfig:
    """The budget of a run and how it is kept safe.

    Attributes:
        steps: length of the run; a step is one global batch, whatever the number of phases.
        seed: of everything random.
        precision: of the forward pass; "auto" is bf16 on CUDA and, on a CPU that has it, from a certain width up.
        accumulate: pieces that each rank's batch is cut into to save memory (a contrastive loss then sees fewer
            negatives).
        gradient_cache_chunk: clips that each rank encodes at a time while the contrastive loss still compares the whole
            batch, at the price of a second forward pass; None: the whole batch at once.
        log_every: steps between lines of metrics.jsonl.
        checkpoint_every: steps between checkpoints; the last step and every evaluation have one as well.
        checkpoint_async: copy the state and write it while training goes on, for as much host memory as the state
            takes; None: on an accelerator.
        keep_checkpoints: newest complete checkpoints kept.
        evaluate_every: steps between evaluations; 0: at the last step only.
        gradient_clip: largest gradient norm of a phase; None: not clipped.
        non_finite_limit: skipped steps in a row that end the run.
        grace_seconds: time to save after a signal before the process ends by itself.
        threads: torch threads of each process; None: left as they are.
        deterministic: on CUDA, choose deterministic kernels (needed for bit-identical resume).
        keep_memory: on a CPU, keep freed memory in the process (see seehear.allocator).
        recompute: what each transformer block computes again in the backward pass to save memory: its MLP, or all.
        compile: compile the transformer blocks (torch.compile); minutes at first, for a quicker step of wide networks.
        parallel: what several processes do: "ddp" keeps all weights in each, "fsdp" cuts weights, gradients and moments
            in shards (for a method that does not fit in one).
    """

    steps: int = 1000
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    accumulate: int = 1
    gradient_cache_chunk: int | None = None
    log_every: int = 10
    checkpoint_every: int = 500
    checkpoint_async: bool | None = None
    keep_checkpoints: int = 2
    evaluate_every: int = 0
    gradient_clip: float | None = None
    non_finite_limit: int = 10
    grace_seconds: float = 60.0
    threads: int | None = None
    deterministic: bool = True
    keep_memory: bool = True
    recompute: Literal["none", "mlp", "block"] = "none"
    compile: bool = False
    parallel: Literal["ddp", "fsdp"] = "ddp"

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "log_every", "checkpoint_every", "keep_checkpoints", "non_finite_limit"):
            _require(getattr(self, name) >= 1, f"training.{name}", getattr(self, name), "at least 1")
        chunk = self.gradient_cache_chunk
        _require(chunk is None or chunk >= 1, "training.gradient_cache_chunk", chunk, "at least 1, or none")
        _require(
            chunk is None or self.accumulate == 1, "training.accumulate", self.accumulate, "1 beside a gradient cache"
        )
        _require(-(2**63) <= self.seed < 2**63, "training.seed", self.seed, "a 64-bit integer")
        _require(self.evaluate_every >= 0, "training.evaluate_every", self.evaluate_every, "0 or more")
        clip = self.gradient_clip
        _require(clip is None or clip > 0, "training.gradient_clip", clip, "above 0, or none")
        _require(self.grace_seconds > 0, "training.grace_seconds", self.grace_seconds, "above 0")
        _require(self.threads is None or self.threads >= 1, "training.threads", self.threads, "at least 1, or none")


@dataclass(frozen=True)
class EvaluationConfig:
    """What evaluations look at.

    Attributes:
        gallery: clips that a retrieval query searches through.
        galleries: disjoint galleries, averaged over.
        batch: clips read at a time (no influence on the figures).
        probe: fit linear probes where clips have labels.
    """

    gallery: int = 200
    galleries: int = 1
    batch: int = 64
    probe: bool = True

    def __post_init__(self) -> None:
        for name, least in (("gallery", 2), ("galleries", 1), ("batch", 1)):
            _require(getattr(self, name) >= least, f"evaluation.{name}", getattr(self, name), f"at least {least}")


@dataclass(frozen=True)
class RunConfig:
    """Everything that defines one run.

    Attributes:
        name: of the run, for people.
        data: the clips.
        method: a method's `Config`, or its plain dict, which is made one.
        optimizer: see OptimizerConfig.
        schedule: see ScheduleConfig.
        training: see TrainingConfig.
        evaluation: see EvaluationConfig.
        init: what the network starts from, "LAYOUT:FILE" with a layout of released weights, several with commas
            between them; "": from scratch.
        init_positions: how positions get to another grid: "nearest" as a row (AVSiam's code), or "bicubic".
        init_fusion: fusion layers start from the "last" blocks in order, or "repeat" the last one.
    """

    name: str
    data: DataConfig
    method: Any
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    init: str = ""
    init_positions: Literal["nearest", "bicubic"] = "nearest"
    init_fusion: Literal["last", "repeat"] = "last"

    def __post_init__(self) -> None:
        if isinstance(self.method, dict):
            _require("method" in self.method, "method", self.method, "an entry `method` that names one")
            object.__setattr__(self, "method", methods.config(self.method))
        _require(not self.init or ":" in self.init, "init", self.init, "LAYOUT:FILE, e.g. vit-timm:vit_b.safetensors")
        for name, choices in (("init_positions", ("nearest", "bicubic")), ("init_fusion", ("last", "repeat"))):
            _require(getattr(self, name) in choices, name, getattr(self, name), " or ".join(choices))
