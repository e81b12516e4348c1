"""The clips that a run reads, in the order that its configuration asks for."""

from seehear import clips
from seehear.contracts import Needs, Sampler
from seehear.randomness import Randomness
from seehear.training import RunConfig
from seehear.training.distributed import Peers


def stream_of(config: RunConfig, source: clips.ClipSource, needs: Needs, peers: Peers) -> clips.Loader:
    """This process's batches of `source`.

    Raises:
        DataError: if clips are to be balanced and one has no label.
        UsageError: if the batch cannot be dealt to all processes.
    """
    return clips.Loader(
        source,
        needs,
        sampler_of(config, source),
        Randomness(config.training.seed, len(source)),
        rank=peers.rank,
        world_size=peers.world_size,
        threads=config.data.threads,
        prefetch=config.data.prefetch,
    )


def sampler_of(config: RunConfig, source: clips.ClipSource) -> Sampler:
    """Every clip once an epoch, or drawn with replacement so that classes come equally often (`data.balanced`).

    Raises:
        DataError: if clips are to be balanced and one has no label.
    """
    batch, seed = config.data.global_batch, config.training.seed
    if config.data.balanced:
        return clips.BalancedSampler(source.ids, clips.label_weights(source), batch, seed)
    return clips.ShuffleSampler(source.ids, batch, seed)
