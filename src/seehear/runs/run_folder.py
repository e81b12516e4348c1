"""What a run's folder holds: its configuration and its curves."""

import json
from pathlib import Path

from seehear.configuration import from_dict
from seehear.errors import StorageError
from seehear.training import RunConfig, latest_checkpoint, open_checkpoint

CONFIG = "config.json"
METRICS = "metrics.jsonl"


def read_config(folder: Path) -> RunConfig:
    """The configuration that a run was started with.

    Raises:
        StorageError: if the folder holds no run.
    """
    path = folder / CONFIG
    try:
        return from_dict(RunConfig, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise StorageError(
            f"{folder} holds no {CONFIG}", expected="the folder of a run", cure="seehear pretrain RECIPE --out FOLDER"
        ) from error
    except ValueError as error:
        raise StorageError(f"{path} is no JSON ({error})", cause="a damaged file") from error


def trained_steps(folder: Path) -> int:
    """Steps of the newest whole checkpoint of a run; 0 if there is none."""
    newest = latest_checkpoint(folder / "checkpoints")
    return 0 if newest is None else open_checkpoint(newest, verify=False).step


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The log steps of a run, oldest first.

    Raises:
        StorageError: if there are none.
    """
    path = folder / METRICS
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {path} ({error})", expected="the log of a run") from error
