"""Training: the loop, optimisers, schedules, checkpoints, distribution, monitoring.

Needs torch, numpy and safetensors only.
"""

from seehear.training.checkpoints import Checkpoint, latest_checkpoint, open_checkpoint, save_checkpoint
from seehear.training.load_method import load_method
from seehear.training.progress_view import PlainProgress, ProgressView, Status, status_line
from seehear.training.run_config import (
    DataConfig,
    EvaluationConfig,
    OptimizerConfig,
    RunConfig,
    ScheduleConfig,
    TrainingConfig,
)
from seehear.training.summary import Summary
from seehear.training.trainer import Trainer
from seehear.training.viewers import TensorBoardViewer, Viewer

__all__ = [
    "Checkpoint",
    "DataConfig",
    "EvaluationConfig",
    "OptimizerConfig",
    "PlainProgress",
    "ProgressView",
    "RunConfig",
    "ScheduleConfig",
    "Status",
    "Summary",
    "TensorBoardViewer",
    "Trainer",
    "TrainingConfig",
    "Viewer",
    "latest_checkpoint",
    "load_method",
    "open_checkpoint",
    "save_checkpoint",
    "status_line",
]
