"""Constant tables (windows, filters, mel banks) that are built once per parameters, device and dtype.

A table is built in float64 on the CPU, outside inference mode and without gradient history, so that a table first asked
for under `torch.inference_mode` still serves training. Under `torch.compile` the building is traced into the graph
instead of kept, so that no tracer's stand-in ends up in the cache; a program of a strict `torch.export` holds the table
itself. The tables are shared: never write to one.
"""

import functools
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

_TABLES_KEPT = 64


def cached_table(build: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Wrap `build(*parameters) -> float64 tensor` into `table(device, dtype, *parameters) -> Tensor`.

    Parameters are hashable and positional. The last 64 tables of each kind are kept.
    """

    @functools.lru_cache(maxsize=_TABLES_KEPT)
    def kept(device: torch.device, dtype: torch.dtype, *parameters: Hashable) -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            return build(*parameters).to(dtype).to(device)

    @torch.compiler.assume_constant_result
    def constant(device: torch.device, dtype: torch.dtype, *parameters: Hashable) -> Tensor:
        return kept(device, dtype, *parameters)

    @functools.wraps(build)
    def table(device: torch.device, dtype: torch.dtype, *parameters: Hashable) -> Tensor:
        if torch.compiler.is_exporting() and torch.compiler.is_dynamo_compiling():
            return constant(device, dtype, *parameters)
        if torch.compiler.is_compiling():
            return build(*parameters).to(dtype).to(device)
        return kept(device, dtype, *parameters)

    return table
