"""Embedding on Ray Data: its Lance reader, then actors that decode and embed; the vectors stream back to be written.

The rows are those of the engine in this process, as the same code makes them. (Bits can differ by the number of
threads of a worker: at most 1e-6 in fp32.) Vectors are a thousandth of the clips they come from, so they are written
here, by the one writer that counts them: what it has committed is never done again. (Ray 2.60's own `write_lance` asks
pylance 14 for an argument that it no longer has.)

Source of the reader and of actors: Ray Data, `read_lance` and `Dataset.map_batches`.
"""

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from seehear.contracts import Method
from seehear.errors import SeeHearError, StorageError, UsageError
from seehear.search.embedding_rows import RowEmbedder, Windows, columns_read
from seehear.search.gathering import Work
from seehear.weights import Precision

_BATCH = 64  # clips that an actor takes at once
_ADDRESS = "_rowaddr"


def rows_of(
    method: Method,
    work: Work,
    dataset: Any,
    settings: tuple[Precision, Windows],
    left: np.ndarray,
    total: int,
    storage_options: dict[str, str] | None,
) -> Iterator[pa.Table]:
    """Rows of vectors of the clips that are left, in any order.

    Args:
        method: the network.
        work: what is to come out.
        dataset: the table.
        settings: precision and windows of a `RowEmbedder`.
        left: places of the clips to embed, int64.
        total: clips in the table.
        storage_options: settings of the object store, passed on to Lance.

    Raises:
        UsageError: if Ray is not installed.
        StorageError: if Ray fails; what was yielded stands.
    """
    ray = _ray()
    addresses = dataset.to_table(columns=[], with_row_address=True)[_ADDRESS].to_numpy()
    todo = np.zeros(total, dtype=bool)
    todo[left] = True
    with _running(ray), _failures(ray):
        device = next(method.parameters()).device
        most = max(1, int(ray.cluster_resources().get("GPU" if device.type == "cuda" else "CPU", 1)))
        read = ray.data.read_lance(
            dataset.uri,
            version=dataset.version,
            columns=columns_read(method.needs),
            storage_options=storage_options,
            scanner_options={
                "fragments": _fragments(dataset, addresses[todo]),
                "with_row_address": True,
                "batch_size": _BATCH,
            },
        )
        found = read.map_batches(
            Worker,
            batch_format="pyarrow",
            batch_size=_BATCH,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
            fn_constructor_kwargs={
                "method": ray.put(method),
                "work": work,
                "settings": settings,
                "addresses": ray.put(addresses),
                "todo": ray.put(todo),
                "device": device.type,
            },
            num_cpus=1,
            num_gpus=1 if device.type == "cuda" else 0,
        )
        for rows in found.iter_batches(batch_format="pyarrow", batch_size=None):
            if len(rows):
                yield rows.select(work.schema.names).cast(work.schema)


def _fragments(dataset: Any, addresses: np.ndarray) -> list[Any]:
    """The fragments that hold some rows."""
    numbers = set(np.unique(addresses >> np.uint64(32)).tolist())
    return [fragment for fragment in dataset.get_fragments() if fragment.fragment_id in numbers]


def _ray() -> Any:
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of what it will do some day
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError(
            "Ray is not installed", expected="the extra `scale`", cure="pip install 'seehear[scale]', or --engine local"
        ) from error
    return ray


@contextlib.contextmanager
def _running(ray: Any) -> Iterator[None]:
    """A Ray that is there is used and left; else one is started on this machine (or reached by RAY_ADDRESS)."""
    context, logger = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before = (context.enable_progress_bars, logger.level)
    started = not ray.is_initialized()
    if started:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning")
    context.enable_progress_bars = False  # the caller shows its own
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        context.enable_progress_bars = before[0]
        logger.setLevel(before[1])
        if started:
            ray.shutdown()


@contextlib.contextmanager
def _failures(ray: Any) -> Iterator[None]:
    """Errors of this package as they were raised in a worker; what Ray says of itself as a storage error."""
    try:
        yield
    except ray.exceptions.RayError as error:
        cause = _cause(error)
        if cause is not None:
            raise cause from error
        lines = [line for line in str(error).splitlines() if line.strip()]
        raise StorageError(
            f"Ray: {lines[-1] if lines else type(error).__name__}",
            cause="a worker that died, too little memory or a full disk",
            cure="run the same command again: it goes on; --engine local needs no Ray",
        ) from error


def _cause(error: BaseException | None) -> SeeHearError | None:
    while error is not None:
        if isinstance(error, SeeHearError):
            return error
        error = getattr(error, "cause", None) or error.__cause__
    return None


class Worker:
    """An actor: rows of the table in, rows of vectors out."""

    def __init__(
        self, method: Any, work: Work, settings: tuple[Precision, Windows], addresses: Any, todo: Any, device: str
    ):
        import ray

        self._addresses, self._todo = ray.get(addresses), ray.get(todo)
        self._order = np.argsort(self._addresses, kind="stable")
        self._work = work
        network = ray.get(method).to(device)
        self._rows = RowEmbedder(network, work, *settings)

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Vectors of those rows that are to be done."""
        found = np.searchsorted(self._addresses, batch[_ADDRESS].to_numpy(), sorter=self._order)
        places = self._order[found]
        wanted = self._todo[places]
        if not wanted.any():
            return self._work.schema.empty_table()
        (rows,) = self._rows([(places[wanted], batch.filter(pa.array(wanted)).drop_columns([_ADDRESS]))])
        return rows
