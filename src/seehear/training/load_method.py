"""A trained method from its run folder or checkpoint: configuration and weights, nothing executed from the files."""

from pathlib import Path

import torch

from seehear import methods
from seehear.configuration import from_dict
from seehear.contracts import Method
from seehear.errors import StorageError
from seehear.training.checkpoints import STATE, latest_checkpoint, open_checkpoint
from seehear.training.compatibility import load_weights
from seehear.training.run_config import RunConfig


def load_method(folder: Path | str, device: str | torch.device = "cpu") -> Method:
    """The method of a run, in eval mode.

    Args:
        folder: of a run (its newest whole checkpoint is taken) or of one checkpoint.
        device: to put it on.

    Raises:
        StorageError: if there is no whole checkpoint, or it does not fit the method's code.
        UsageError: if its method or a configuration key is unknown.
    """
    folder = Path(folder)
    found = folder if (folder / STATE).exists() else latest_checkpoint(folder)
    if found is None:
        raise StorageError(
            f"{folder} holds no whole checkpoint", expected="a run folder or checkpoint", cure="seehear pretrain"
        )
    checkpoint = open_checkpoint(found, verify=found == folder)
    config = from_dict(RunConfig, checkpoint.state["config"])
    method = methods.get(type(config.method).method)(config.method)
    load_weights(method, checkpoint.tensors("weights"), str(found))
    method.after_training()
    return method.to(device).eval()
