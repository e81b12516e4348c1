"""Learning-rate schedules as pure functions of the step: nothing to save, nothing to restore.

Sources: linear warm-up (Goyal et al. 2017, section 2.2); cosine decay without restarts (Loshchilov and Hutter 2017,
equation 5); multiplication at fixed epochs (AVSiam's released script). Deviation: warm-up starts at 1 / warmup_steps
instead of 0, and the cosine ends one step after the last, so that no step is without effect.
"""

import math

from seehear.training.run_config import ScheduleConfig


def rate_factor(schedule: ScheduleConfig, step: int, total_steps: int, epoch: float) -> float:
    """Factor on the peak learning rate during `step` (counted from 0), which starts at `epoch`; in [0, 1]."""
    warmup = min(schedule.warmup_steps, total_steps // 2)  # a try of a few steps also leaves the warm-up
    if step < warmup:
        return (step + 1) / warmup
    if schedule.kind == "cosine":
        return _cosine(step - warmup, total_steps - warmup, schedule.final_fraction)
    if schedule.kind == "step":
        return schedule.step_factor ** sum(epoch >= edge for edge in schedule.step_epochs)
    return 1.0


def _cosine(step: int, steps: int, final_fraction: float) -> float:
    """From 1 at step 0 towards `final_fraction`, which step `steps` (one after the last) would have."""
    return final_fraction + (1 - final_fraction) * 0.5 * (1 + math.cos(math.pi * step / steps))
