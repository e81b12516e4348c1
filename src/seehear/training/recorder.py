"""What a run tells while it goes: its logs, the progress view and the viewers, fed from one place on the first rank."""

import collections
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor, nn

from seehear.contracts import Figure
from seehear.training.distributed import Seen
from seehear.training.guard import GuardCounts
from seehear.training.logs import RunLogs
from seehear.training.progress_view import ProgressView, Status
from seehear.training.viewers import Viewer

DIVERGED = "diverged.json"
_RATE_WINDOW = 10  # log steps over which the time left is estimated


class Recorder:
    """Writes and shows.

    Args:
        folder: of the run.
        logs: the run's logs.
        view: shows progress.
        viewers: take numbers.
        total_steps: of the run.
        clips: per step, over all ranks.
        recent: batches whose ids are kept for a dump.
    """

    def __init__(
        self,
        folder: Path,
        logs: RunLogs,
        view: ProgressView,
        viewers: Sequence[Viewer],
        *,
        total_steps: int,
        clips: int,
        recent: int,
    ):
        self.logs, self.view = logs, view
        self._folder, self._viewers, self._total, self._clips = folder, viewers, total_steps, clips
        self._recent: collections.deque[tuple[int, Tensor]] = collections.deque(maxlen=recent)
        self._marks: collections.deque[tuple[int, float]] = collections.deque(maxlen=_RATE_WINDOW)
        self._aside = 0.0
        self.replacements: collections.Counter[str] = collections.Counter()
        self._told_replacements, self._told_skipped = 0, 0

    def begin(self, step: int, skipped: int, replacements: Mapping[str, int]) -> None:
        """The loop starts after `step` steps, with counts of what went before."""
        self.replacements.update(replacements)
        self._told_replacements, self._told_skipped = self.replacements.total(), skipped
        self._marks.append((step, time.perf_counter()))
        self.view.advance(step, self._total)

    def warn(self, text: str, step: int = 0) -> None:
        """An event that a person should see."""
        self.logs.event("warning", step, text=text)
        self.view.note(f"warning: {text}")

    def batch(self, step: int, seen: Seen) -> None:
        """A step is done."""
        self.logs.samples(step, seen.ids.tolist(), [asdict(r) for r in seen.replacements])
        self.replacements.update(str(r.reason) for r in seen.replacements)
        self._recent.append((step, seen.ids))
        self.view.advance(step, self._total)

    def metrics(self, step: int, epoch: float, values: Mapping[str, float], loss: float, counts: GuardCounts) -> None:
        """A log step, with its numbers by name."""
        self.logs.metrics(step, epoch, values)
        speed, left = self._speed(step)
        self.logs.timing(step, clips_per_second=round(speed, 3), seconds_left=round(left, 1))
        self.view.report(Status(step, self._total, epoch, loss, values["learning_rate"], speed, left))
        for viewer in self._viewers:
            viewer.log(step, values)
        self._tell_losses_of_data(step, counts)
        self.logs.flush()

    def _speed(self, step: int) -> tuple[float, float]:
        """Clips per second since the last log step, and seconds left, both without time spent aside."""
        now = time.perf_counter() - self._aside
        (first_step, first_time), (last_step, last_time) = self._marks[0], self._marks[-1]
        self._marks.append((step, now))
        speed = self._clips * (step - last_step) / max(now - last_time, 1e-9)
        return speed, (self._total - step) * (now - first_time) / max(1, step - first_step)

    def _tell_losses_of_data(self, step: int, counts: GuardCounts) -> None:
        """Events for replaced clips and skipped steps since the last log step."""
        if self.replacements.total() > self._told_replacements:
            self._told_replacements = self.replacements.total()
            self.logs.event("replacements", step, total=self._told_replacements, by_reason=dict(self.replacements))
        if counts.skipped > self._told_skipped:
            self._told_skipped = counts.skipped
            self.warn(f"{counts.skipped} steps skipped so far: loss or gradients were not finite", step)

    def figures(self, step: int, epoch: float, figures: Sequence[Figure]) -> None:
        """An evaluation is done."""
        self.logs.figures(step, epoch, figures)
        for figure in figures:
            chance = "" if figure.chance is None else f"  (chance {figure.chance:.4g})"
            self.view.note(f"{figure.name}: {figure.value:.4g}{chance}")
        for viewer in self._viewers:
            viewer.log(step, {figure.name: figure.value for figure in figures})

    def aside(self, seconds: float) -> None:
        """Time that does not count for speed."""
        self._aside += seconds

    def dump_divergence(self, step: int, seed: int, counts: GuardCounts, method: nn.Module) -> Path:
        """Write what the last steps were made of; returns the file."""
        content = {
            "step": step,
            "seed": seed,
            "skipped_in_a_row": counts.longest,
            "batches": [{"step": number, "ids": ids.tolist()} for number, ids in self._recent],
            "parameters": {name: _statistics(p) for name, p in method.named_parameters()},
        }
        path = self._folder / DIVERGED
        path.write_text(json.dumps(content, indent=1))
        return path

    def close(self) -> None:
        """Close logs and viewers."""
        self.logs.close()
        for viewer in self._viewers:
            viewer.close()


def _statistics(tensor: Tensor) -> dict[str, float | None]:
    """Size of a tensor's values; null where not finite."""
    values = tensor.detach().double()
    found = {"largest": values.abs().max().item(), "root_mean_square": values.square().mean().sqrt().item()}
    return {name: value if math.isfinite(value) else None for name, value in found.items()}
