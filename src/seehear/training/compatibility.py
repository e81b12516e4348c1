"""Whether a checkpoint belongs to this run: refused, not guessed (reliability contract R9)."""

from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor, nn

from seehear.configuration import unknown_name
from seehear.errors import StorageError

FREE_FIELDS = (
    "name",
    "data.threads",
    "data.prefetch",
    "evaluation.",
    "training.checkpoint_every",
    "training.checkpoint_async",
    "training.keep_checkpoints",
    "training.keep_memory",
    "training.recompute",
    "training.evaluate_every",
    "training.grace_seconds",
    "training.threads",
)
"""Configuration that may differ on a resume: it does not touch weights or logs of training."""

FINGERPRINT, KIND = "data.fingerprint", "method.method"
FIELDS_SHOWN = 5


def check_accepted(accepted: Collection[str], now: Mapping[str, Any]) -> None:
    """Refuse to accept a change of a field that does not exist.

    Raises:
        UsageError: naming the nearest field.
    """
    fields = [*flatten(now["config"]), FINGERPRINT]
    for name in accepted:
        if name not in fields:
            raise unknown_name(f"field {name!r} to accept a change of", name, fields)


def check_same_run(state: Mapping[str, Any], now: Mapping[str, Any], accepted: Collection[str]) -> None:
    """Refuse to go on from a checkpoint of another configuration or other data.

    Args:
        state: of the checkpoint, with `config` and `data_fingerprint`.
        now: the same entries of this run.
        accepted: fields whose change was asked for, e.g. "training.steps".

    Raises:
        StorageError: naming the fields that differ, and how to accept that; or that it is a run of another method.
    """
    saved = {**flatten(state["config"]), FINGERPRINT: state["data_fingerprint"]}
    wanted = {**flatten(now["config"]), FINGERPRINT: now["data_fingerprint"]}
    differ = [n for n in sorted(saved | wanted) if saved.get(n) != wanted.get(n) and not _free(n, accepted)]
    if KIND in differ:
        raise StorageError(
            f"the folder holds a run of the method {saved.get(KIND)}, and this is one of {wanted.get(KIND)}",
            expected="a new folder, or the run that it holds",
            cure="choose another run folder",
        )
    if differ:
        told = [f"{n} is {wanted.get(n)!r} now and {saved.get(n)!r} in the checkpoint" for n in differ[:FIELDS_SHOWN]]
        more = f" and {len(differ) - FIELDS_SHOWN} more fields" if len(differ) > FIELDS_SHOWN else ""
        names = " ".join(differ[:FIELDS_SHOWN])
        raise StorageError(
            "; ".join(told) + more,
            expected="the run that the checkpoint belongs to",
            cure=f"choose another run folder, or accept the change with --accept-change {names}",
        )


def _free(name: str, accepted: Collection[str]) -> bool:
    """May differ: by its nature, or as was asked for."""
    return name in accepted or any(name == f or (f.endswith(".") and name.startswith(f)) for f in FREE_FIELDS)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dicts as one, keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def load_weights(module: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Copy parameters and buffers into a module.

    Raises:
        StorageError: naming the first tensor that is missing, superfluous or of another shape or type.
    """
    own = module.state_dict()
    for name in sorted(own.keys() | tensors.keys()):
        mine, saved = (_described(t.get(name)) for t in (own, tensors))
        if mine != saved:
            raise StorageError(
                f"{where}: tensor {name} is {saved} in the checkpoint, {mine} in the method",
                cause="the method's code or configuration changed",
            )
    module.load_state_dict(dict(tensors))


def _described(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
