"""Whether a batch can be dealt out to processes, accumulated pieces and a method's groups."""

from seehear.contracts import Stream
from seehear.errors import UsageError
from seehear.training.run_config import RunConfig


def check_batch(config: RunConfig, stream: Stream, world_size: int, multiple: int) -> None:
    """Refuse a batch that does not fit the stream, cannot be dealt out, or leaves the method an uneven rest.

    Raises:
        UsageError: naming a batch that fits.
    """
    batch, settings, chunk = config.data.global_batch, config.training, config.training.gradient_cache_chunk
    dealt = "the method deals its clips out in equal groups" if multiple > 1 else ""
    if stream.global_batch != batch:
        raise UsageError(f"data.global_batch is {batch}, the stream's {stream.global_batch}", expected="equal numbers")
    if chunk is not None and chunk % multiple:
        raise UsageError(
            f"training.gradient_cache_chunk is {chunk}", expected=f"a multiple of {multiple} clips", cause=dealt
        )
    accumulated = (f"{settings.accumulate} accumulated pieces", f"{multiple} clips")
    parts = (f"{world_size} processes", *(accumulated if chunk is None else (f"pieces of {chunk} cached clips",)))
    unit = world_size * (settings.accumulate * multiple if chunk is None else chunk)
    if batch % unit:
        raise UsageError(
            f"data.global_batch is {batch}",
            expected=f"a multiple of {' x '.join(parts)}",
            cause=dealt,
            cure=f"--data.global-batch {max(1, batch // unit) * unit}",
        )
