"""Which sampler a run's configuration asks for."""

from seehear import clips
from seehear.contracts import Sampler
from seehear.training import RunConfig


def sampler_of(config: RunConfig, source: clips.ClipSource) -> Sampler:
    """Every clip once an epoch, or drawn with replacement so that classes come equally often (`data.balanced`).

    Raises:
        DataError: if clips are to be balanced and one has no label.
    """
    batch, seed = config.data.global_batch, config.training.seed
    if config.data.balanced:
        return clips.BalancedSampler(source.ids, clips.label_weights(source), batch, seed)
    return clips.ShuffleSampler(source.ids, batch, seed)
