"""The trainer: one loop from a laptop's CPU to many nodes, that can be killed at any instant and goes on exactly.

A step is one global batch: every phase of the method, then its `after_step`, then the sampler's `observe`. Everything
else happens between steps: logs, checkpoints, evaluations, signals. An evaluation comes after the checkpoint of its
step, so that a kill during one costs only that evaluation.
"""

import json
import math
import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from seehear.configuration import to_dict
from seehear.contracts import Batch, Method, Progress, Stream
from seehear.errors import DataError, DivergedError, RequeueError, StorageError
from seehear.randomness import Randomness
from seehear.training import distributed
from seehear.training.batch_check import check_batch
from seehear.training.checkpoints import (
    FOLDER,
    After,
    Checkpoint,
    checkpoint_name,
    do_nothing,
    latest_checkpoint,
    open_checkpoint,
)
from seehear.training.compatibility import check_accepted, check_same_run
from seehear.training.economy import economise
from seehear.training.evaluation import Evaluation, evaluate
from seehear.training.gradient_cache import cacheable
from seehear.training.guard import GuardCounts, NonFiniteGuard
from seehear.training.logs import RunLogs, read_figures, storage_error, write_json
from seehear.training.optimizers import build_optimizers
from seehear.training.precision import repeatable, uses_bf16
from seehear.training.progress_view import NoProgress, ProgressView, as_view
from seehear.training.random_state import seed_everything
from seehear.training.recorder import Recorder
from seehear.training.run_config import RunConfig
from seehear.training.run_lock import run_lock
from seehear.training.run_state import RunState
from seehear.training.schedules import rate_factor
from seehear.training.sharding import shard, whole_copy
from seehear.training.step import Stepper, StepResult
from seehear.training.stopping import StopSignals
from seehear.training.summary import Summary
from seehear.training.viewers import Viewer

CONFIG = "config.json"
SAVE_FAILED = 1 << 16  # stands in the place of a signal's number, above all of them


class Trainer:
    """Trains a method on a stream and writes the run's folder.

    The folder holds `config.json`, `metrics.jsonl`, `samples.jsonl`, `figures.jsonl`, `timing.jsonl`, `events.jsonl`
    and `checkpoints/`. Started again on the same folder, it goes on from the newest whole checkpoint; the state that
    results is bit-identical to that of an unbroken run on the same machine, versions, threads and number of processes.

    Args:
        method: what to train.
        stream: this rank's batches.
        config: of the run.
        folder: of the run, made if missing.
        evaluations: each is called with (method, progress) and yields figures.
        viewers: take the numbers of log steps and evaluations.
        progress: a ProgressView, a function that takes a line (such as `print`), or None.
        device: of this process; by default its own accelerator, else the CPU.
        accept_changes: configuration fields that may differ from the checkpoint's, such as "training.steps".
        after_file_operation: told of each file operation of a save (for tests).

    Raises:
        UsageError: if configuration, method and stream do not fit together.
    """

    def __init__(
        self,
        method: Method,
        stream: Stream,
        config: RunConfig,
        folder: Path | str,
        *,
        evaluations: Sequence[Evaluation] = (),
        viewers: Sequence[Viewer] = (),
        progress: ProgressView | Callable[[str], object] | None = None,
        device: str | torch.device | None = None,
        accept_changes: Collection[str] = (),
        after_file_operation: After = do_nothing,
    ):
        self._joins = not distributed.joined()
        self._peers = distributed.start(device)
        self._method, self._stream, self._config, self._folder = method, stream, config, Path(folder)
        self._evaluations, self._viewers, self._view = evaluations, viewers, as_view(progress)
        self._accept, self._after = tuple(accept_changes), after_file_operation
        check_batch(config, stream, self._peers.world_size, method.batch_multiple)
        if config.training.gradient_cache_chunk is not None:
            cacheable(method)
        method.to(self._peers.device)
        economise(method, config.training, self._peers.device)
        self._kind = type(method)
        if config.training.parallel == "fsdp" and self._peers.world_size > 1:
            shard(method, self._peers.device)
        self._optimizers = build_optimizers(method, config.optimizer)
        self._guard = NonFiniteGuard(method, self._peers.device, self._peers)
        self._state = RunState(method, self._optimizers, stream.sampler, self._guard, self._peers)
        check_accepted(self._accept, self._identity())
        wanted = config.training.checkpoint_async
        self._beside = self._peers.device.type != "cpu" if wanted is None else wanted
        self._loss: float | None = None

    # -------------------------------------------------------------------------------------------------- the whole run
    def run(self) -> Summary:
        """Train to the last step, and leave the group of processes if this trainer was the one to join it.

        Raises:
            UsageError: if another live process uses the folder.
            StorageError: if the disk does not take the logs or a checkpoint, or the folder holds another run.
            DataError: if the stream ends early.
            DivergedError: if too many steps in a row were not finite.
            RequeueError: after a signal, with the state saved.
            LostPeerError: if another process of the run is gone.
        """
        settings, started = self._config.training, time.perf_counter()
        with ExitStack() as stack:
            if self._joins:
                stack.callback(distributed.stop)
            self._stop = stack.enter_context(StopSignals(settings.grace_seconds))
            stack.enter_context(distributed.lost_peers())
            stack.enter_context(repeatable(self._peers.device, settings.deterministic, settings.threads))
            self._open(stack)
            resumed_from = self._restore()
            checkpoint = self._train(resumed_from or 0)
            self._state.finish()
            self._record.logs.event("done", settings.steps)
        return Summary(
            folder=self._folder,
            steps=settings.steps,
            epoch=self._progress(settings.steps).epoch,
            loss=self._loss,
            skipped_steps=self._guard.counts().skipped,
            replacements=dict(self._record.replacements),
            figures=read_figures(self._folder, settings.steps) or (),
            checkpoint=checkpoint,
            resumed_from=resumed_from,
            seconds=time.perf_counter() - started,
        )

    def _open(self, stack: ExitStack) -> None:
        """Take the folder."""

        def claim() -> bool:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise storage_error(error, self._folder) from error
            return stack.enter_context(run_lock(self._folder))

        stale = self._peers.from_first(claim)
        settings = self._config.training
        self._record = Recorder(
            self._folder,
            RunLogs(self._folder, self._peers.first),
            self._view if self._peers.first else NoProgress(),
            self._viewers if self._peers.first else (),
            total_steps=settings.steps,
            clips=self._stream.global_batch,
            recent=settings.non_finite_limit + settings.log_every,
        )
        stack.callback(self._record.close)
        stack.push(self._end_of_saves)
        if stale:
            self._record.logs.event("stale lock", 0, text="the process that held the folder is gone")

    def _end_of_saves(self, kind: type[BaseException] | None, *_: object) -> None:
        """A save in the background is never left alone; its error must not hide the one that ended the run."""
        try:
            self._state.end()
        except StorageError as error:
            if kind is None:
                raise
            self._record.warn(str(error))

    def _restore(self) -> int | None:
        """Go on from the newest checkpoint, or start afresh; returns its step, or None."""
        path = self._peers.from_first(lambda: latest_checkpoint(self._folder / FOLDER, self._record.warn))
        settings = self._config.training
        if path is None:
            seed_everything(settings.seed, self._peers.rank)
            self._record.logs.cut_back({}, 0)
            step, skipped, replacements = 0, 0, {}
            self._record.logs.event("start", 0, **self._state.environment())
        else:
            checkpoint = open_checkpoint(path, verify=False)
            check_same_run(checkpoint.state, self._identity(), self._accept)
            self._state.load(checkpoint, settings.seed)
            step, skipped = checkpoint.step, self._guard.counts().skipped
            replacements = checkpoint.state["replacements"]
            self._tell_resume(checkpoint)
        self._peers.from_first(lambda: write_json(self._folder / CONFIG, to_dict(self._config)))
        if settings.accumulate > 1:
            self._record.warn("gradients are accumulated: a contrastive loss sees the negatives of one piece", step)
        self._record.begin(step, skipped, replacements)
        return None if path is None else step

    def _tell_resume(self, checkpoint: Checkpoint) -> None:
        """Cut the logs back and say what is no longer bit-identical."""
        step, environment = checkpoint.step, self._state.environment()
        short = self._record.logs.cut_back(checkpoint.state["logs"], step)
        self._record.logs.event("resume", step, **environment)
        self._record.view.note(f"going on from step {step}")
        for name in short:
            self._record.warn(f"{name} is shorter than at step {step}: lines are missing", step)
        for name, now in environment.items():
            if checkpoint.state[name] != now:
                text = f"{name}: {checkpoint.state[name]} at the checkpoint, {now} now"
                self._record.warn(f"{text}; results will not be bit-identical", step)

    def _identity(self) -> dict[str, Any]:
        """What must be equal for a resume."""
        config = json.loads(json.dumps(to_dict(self._config)))
        return {"config": config, "data_fingerprint": self._stream.fingerprint}

    # ------------------------------------------------------------------------------------------------------- the loop
    def _train(self, first: int) -> Path:
        """Steps `first` to the last; returns the last checkpoint."""
        settings = self._config.training
        path = self._folder / FOLDER / checkpoint_name(first)
        if first and self._evaluation_due(first) and not self._evaluated(first):
            self._evaluate(first)
        stepper = self._stepper()
        with _closing(self._stream.batches(first, settings.steps)) as batches:
            for done in range(first + 1, settings.steps + 1):
                received = self._step(stepper, self._next(batches, done), done)
                if received == SAVE_FAILED:
                    self._state.finish()  # raises what went wrong
                if self._beside and done == first + 1:
                    self._state.prepare()
                last, evaluation_due = done == settings.steps, self._evaluation_due(done)
                if last or evaluation_due or received or done % settings.checkpoint_every == 0:
                    path = self._save(done)
                if received and not last:
                    self._state.finish()
                    raise self._requeue(received, done)
                if evaluation_due:
                    self._evaluate(done)
        return path

    def _stepper(self) -> Stepper:
        settings = self._config.training
        self._method.train()
        return Stepper(
            self._method,
            self._optimizers,
            self._guard,
            self._peers,
            Randomness(settings.seed, self._stream.clips_per_epoch),
            accumulate=settings.accumulate,
            gradient_cache_chunk=settings.gradient_cache_chunk,
            gradient_clip=settings.gradient_clip,
            bf16=uses_bf16(settings.precision, self._peers.device, self._method),
            deterministic=settings.deterministic,
        )

    def _next(self, batches: Iterator[Batch], done: int) -> Batch:
        """The next batch, checked: never missing, never short."""
        batch = next(batches, None)
        if batch is None:
            raise DataError(f"the stream ended before step {done}", expected="a batch for every step")
        if len(batch) * self._peers.world_size != self._stream.global_batch:
            raise DataError(
                f"a batch of step {done} holds {len(batch)} clips",
                expected=f"{self._stream.global_batch} over {self._peers.world_size} processes",
            )
        return batch

    def _step(self, stepper: Stepper, batch: Batch, done: int) -> int:
        """Train on one batch, tell the sampler, log; returns the number of a signal that any rank received, or 0, or
        SAVE_FAILED."""
        settings = self._config.training
        result = stepper(batch, self._rate(done - 1), self._progress(done))
        seen = self._peers.exchange(batch, SAVE_FAILED if self._state.failed else self._stop.received)
        features = {name: self._peers.gather_rows(rows)[seen.order] for name, rows in result.features.items()}
        self._stream.sampler.observe(done - 1, seen.ids.numpy(), features)
        self._record.batch(done, seen)
        if done % settings.log_every == 0 or done in (1, settings.steps):
            self._log(result, done)
        elif self._peers.device.type == "cpu":  # where looking costs nothing
            self._check_divergence(done, self._guard.counts())
        return seen.stop

    def _log(self, result: StepResult, done: int) -> None:
        """The numbers of a step, averaged over the ranks: the one place where the host waits for the device."""
        wide = torch.float32 if self._peers.device.type == "mps" else torch.float64
        stacked = self._peers.mean(torch.stack([value.to(wide) for value in result.values.values()]))
        values = dict(zip(result.values, stacked.tolist(), strict=True))
        counts = self._guard.counts()
        loss = [value for name, value in values.items() if name.split("/")[-1] == "loss"][-1]
        self._loss = loss if math.isfinite(loss) else None
        extra = {"learning_rate": self._rate(done - 1), "skipped_steps": counts.skipped}
        self._record.metrics(done, self._progress(done).epoch, {**values, **extra}, loss, counts)
        self._check_divergence(done, counts)

    def _check_divergence(self, done: int, counts: GuardCounts) -> None:
        if counts.longest < self._config.training.non_finite_limit:
            return
        seed, dump = self._config.training.seed, self._record.dump_divergence
        whole = whole_copy(self._method, self._kind, self._peers.first)
        path = self._peers.from_first(lambda: dump(done, seed, counts, whole))
        raise DivergedError(
            f"loss or gradients were not finite for {counts.longest} steps in a row, up to step {done}",
            cause="a learning rate that is too high, or broken clips",
            cure=f"look at the batches listed in {path}; lower optimizer.learning_rate",
        )

    def _save(self, done: int) -> Path:
        before = time.perf_counter()
        extra = {
            **self._identity(),
            "epoch": self._progress(done).epoch,
            "logs": self._record.logs.settle(),
            "replacements": dict(self._record.replacements),
        }
        keep = self._config.training.keep_checkpoints
        path = self._state.save(self._folder / FOLDER, done, extra, keep, self._after, self._beside)
        stall = time.perf_counter() - before
        self._record.logs.timing(done, checkpoint_seconds=round(stall, 4))
        self._record.aside(stall)
        return path

    # ---------------------------------------------------------------------------------------------------- evaluations
    def _evaluation_due(self, done: int) -> bool:
        settings = self._config.training
        regular = bool(settings.evaluate_every) and done % settings.evaluate_every == 0
        return bool(self._evaluations) and (regular or done == settings.steps)

    def _evaluated(self, done: int) -> bool:
        return self._peers.from_first(lambda: read_figures(self._folder, done) is not None)

    def _evaluate(self, done: int) -> None:
        """Run the evaluations on the first rank while the others wait; the state of `done` is saved already."""
        before, progress = time.perf_counter(), self._progress(done)
        whole = whole_copy(self._method, self._kind, self._peers.first)

        def leave_on_signal() -> None:
            if self._stop.received:
                self._state.settle()
                raise self._requeue(self._stop.received, done)

        def measure() -> None:
            figures = evaluate(whole, self._evaluations, progress, self._peers.device, leave_on_signal)
            self._record.figures(done, progress.epoch, figures)

        self._peers.from_first(measure)
        self._record.aside(time.perf_counter() - before)

    # -------------------------------------------------------------------------------------------------- small answers
    def _requeue(self, received: int, done: int) -> RequeueError:
        name = signal.Signals(received).name
        self._record.logs.event("stopped", done, signal=name)
        return RequeueError(
            f"stopped by {name} after step {done}, state saved", cure="the same command goes on from there"
        )

    def _progress(self, done: int) -> Progress:
        epoch = done * self._stream.global_batch / self._stream.clips_per_epoch
        return Progress(done, self._config.training.steps, epoch)

    def _rate(self, step: int) -> float:
        config = self._config
        factor = rate_factor(config.schedule, step, config.training.steps, self._progress(step).epoch)
        return config.optimizer.learning_rate * factor


@contextmanager
def _closing(batches: Iterator[Batch]) -> Iterator[Iterator[Batch]]:
    """The iterator, told to close at the end where it can be (a generator, a loader with workers)."""
    try:
        yield batches
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()
