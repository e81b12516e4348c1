"""A network made ready to encode: in fp32 as it is, in bf16 or int8 as a copy whose weights are converted once.

Only linear layers change, and they hold nearly all of the work. The residual stream, norms, positions, pooling and
signal processing keep float32: with every weight in bf16 a random ViT-Base kept a cosine of 0.9978 to its own fp32
embeddings, this way 0.99999.
"""

import copy
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from seehear.contracts import Batch, Features, Method
from seehear.errors import UsageError
from seehear.weights.int8 import Int8Linear

Precision = Literal["fp32", "bf16", "int8"]
LEAST_COSINE = 0.999
_TRIALS = 3


class Forward:
    """Encodes in one precision: evaluation mode, no gradient.

    In fp32 the caller's network runs, and is afterwards in the mode it was in. For bf16 and int8 its weights are
    copied: later changes to it are not seen.

    Args:
        method: the network.
        precision: of its linear layers.

    Raises:
        UsageError: for an unknown precision, or int8 elsewhere than on the CPU.
    """

    def __init__(self, method: Method, precision: Precision = "fp32"):
        self.precision = precision
        if precision not in ("fp32", "bf16", "int8"):
            raise UsageError(f"precision {precision!r}", expected="fp32, bf16 or int8")
        if precision == "int8" and device_of(method).type != "cpu":
            raise UsageError(f"int8 on {device_of(method)}", expected="int8 on the CPU", cure="precision bf16")
        self.method = {"fp32": lambda m: m, "bf16": _in_bf16, "int8": _in_int8}[precision](method)

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return device_of(self.method)

    def __call__(self, batch: Batch) -> dict[str, Features]:
        """What the method's `encode` says, on the network's device; not to be differentiated."""
        with evaluating(self.method), torch.inference_mode(), self._autocast():
            return self.method.encode(batch.to(self.device))

    def _autocast(self) -> AbstractContextManager:
        if self.precision != "bf16":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)  # casts inputs; the weights are bf16 already


@dataclass(frozen=True)
class Trial:
    """One precision tried: seconds of a pass (the best of several), and the least cosine to the fp32 embeddings."""

    precision: Precision
    seconds: float
    cosine: float


def try_precisions(method: Method, batches: list[Batch]) -> list[Trial]:
    """Encode the same clips in every precision of this device, fp32 first; compares every embedding.

    Raises:
        UsageError: if there are no clips.
    """
    if not batches or not all(map(len, batches)):
        raise UsageError("no clips to try precisions on", expected="at least one batch with a clip")
    offered: tuple[Precision, ...] = ("fp32", "bf16", "int8") if device_of(method).type == "cpu" else ("fp32", "bf16")
    trials, exact = [], []
    for precision in offered:
        forward = Forward(method, precision)
        found = [forward(batch) for batch in batches]
        exact = exact or found
        seconds = min(_seconds(forward, batches) for _ in range(_TRIALS))
        trials.append(Trial(precision, seconds, min(map(_least_cosine, found, exact))))
    return trials


def quickest(trials: list[Trial], least_cosine: float = LEAST_COSINE) -> Precision:
    """The quickest precision whose embeddings stay that near to those of fp32 (fp32 itself always does)."""
    near = [trial for trial in trials if trial.precision == "fp32" or trial.cosine >= least_cosine]
    return min(near, key=lambda trial: trial.seconds).precision


def device_of(method: Method) -> torch.device:
    """Where the method's weights lie (the CPU, if it has none)."""
    parameter = next(method.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


@contextmanager
def evaluating(method: Method) -> Iterator[None]:
    """Evaluation mode without gradients, and the former mode afterwards."""
    training = method.training
    if training:
        method.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        if training:
            method.train()


def _in_bf16(method: Method) -> Method:
    """A copy with the parameters of linear layers in bf16; those are never held twice in float32."""
    return copy.deepcopy(method, {id(p): _bf16(p) for p in _linear_parameters(method)}).eval()


def _in_int8(method: Method) -> Method:
    """A copy with every linear layer replaced (of a single input, `torch._int_mm` gives nonsense)."""
    layers = {id(m): Int8Linear(m) for m in method.modules() if isinstance(m, nn.Linear) and m.in_features > 1}
    return copy.deepcopy(method, layers).eval()


def _linear_parameters(method: Method) -> list[nn.Parameter]:
    return [p for m in method.modules() if isinstance(m, nn.Linear) for p in m.parameters(recurse=False)]


def _bf16(parameter: nn.Parameter) -> nn.Parameter:
    return nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False)


def _seconds(forward: Forward, batches: list[Batch]) -> float:
    start = time.perf_counter()
    for batch in batches:
        for features in forward(batch).values():
            features.embedding[:1].cpu()  # waits for an accelerator
    return time.perf_counter() - start


def _least_cosine(found: dict[str, Features], exact: dict[str, Features]) -> float:
    return min(
        torch.cosine_similarity(found[m].embedding.float(), exact[m].embedding.float(), dim=-1).min().item()
        for m in exact
    )
