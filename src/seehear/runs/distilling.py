"""Pretrain a student from a finished run: the network of that run is loaded into it before its first step.

MAViL's second stage (arXiv 2212.08071): the teacher is saved in the student's checkpoints, so that only the first start
reads the teacher's run.
"""

from pathlib import Path
from typing import Any

from seehear.contracts import Method
from seehear.errors import UsageError
from seehear.runs.pretraining import pretrain
from seehear.training import RunConfig, Summary, load_method
from seehear.training.checkpoints import latest_checkpoint


def pretrain_student(
    config: RunConfig, teacher_folder: Path, folder: Path, *, continue_student: bool = False, **settings: Any
) -> Summary:
    """Train the run's method with the network in `teacher_folder` as its teacher; go on where it stopped.

    Args:
        config: of the student's run; its method offers `start_from(teacher, student)`, such as MAViL's stage 2.
        teacher_folder: a run folder or checkpoint; read at the first start only.
        folder: of the student's run.
        continue_student: the student's encoder starts from the teacher's, too.
        **settings: of `pretrain`.

    Raises:
        UsageError: if the method takes no teacher, or not this one.
        StorageError: if the teacher's folder holds no checkpoint.
        SeeHearError: see `pretrain`.
    """

    if latest_checkpoint(folder, lambda _: None) is not None:
        tell = getattr(settings.get("progress"), "note", lambda _: None)
        tell(f"going on with the teacher of the first start: {teacher_folder} is not read")

    def take_teacher(method: Method) -> None:
        start_from = getattr(method, "start_from", None)
        if start_from is None:
            raise UsageError(f"{type(method).__name__} learns from no teacher", expected="MAViL's stage 2")
        start_from(load_method(teacher_folder), continue_student)

    return pretrain(config, folder, prepare=take_teacher, **settings)
