"""The global random generators, for methods that use them besides the keyed randomness (`seehear.randomness`).

The toolkit's own draws need none of this; it is here so that a method with, say, torch's dropout resumes exactly too.
"""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seehear.randomness import stable_hash


def seed_everything(seed: int, rank: int) -> None:
    """Seed the global generators, for methods that use them besides the keyed randomness; ranks differ."""
    key = stable_hash(f"{seed}/{rank}")
    random.seed(key)
    np.random.seed(key % 2**32)
    torch.manual_seed(key)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """State of the global generators of Python, NumPy and torch, as tensors."""
    version, words, gauss = random.getstate()
    legacy: Any = np.random.get_state(legacy=True)
    _, keys, position, has_gauss, cached = legacy
    state = {
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.tensor([*keys.tolist(), position, has_gauss], dtype=torch.int64),
        "numpy_gauss": torch.tensor([cached], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    return state | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put `random_state` back."""
    version, *words = state["python"].tolist()
    gauss = state["python_gauss"].tolist()
    random.setstate((version, tuple(words), gauss[0] if gauss else None))
    *keys, position, has_gauss = state["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(keys, np.uint32), position, has_gauss, state["numpy_gauss"].item()))
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
