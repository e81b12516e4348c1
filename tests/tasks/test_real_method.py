"""Promise R8 on a real network: figures do not depend on the batches that the clips come in."""

import numpy as np
import pytest
import torch

from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, ReconstructionConfig
from seehear.tasks import embed, linear_probe, missing_modality, nearest_neighbours, reconstruction, retrieval
from tests.tasks.tasks_toys import clips, in_batches

TINY = Config(
    inputs=InputConfig(audio_seconds=0.2, mel_bins=16, audio_frames=16, image_height=16, image_width=16),
    patch=4,
    width=32,
    depth=1,
    heads=2,
    reconstruction=ReconstructionConfig(fusion_depth=1, width=16, depth=1, heads=2),
)


def all_figures(method: AVSiam, size: int, order_seed: int) -> dict[str, float]:
    train, test = clips(40, seed=1), clips(30, seed=2)
    shuffled = [np.random.default_rng(order_seed).permutation(len(f["sample_ids"])) for f in (train, test)]
    one, other = (embed(method, in_batches(f, size, o)) for f, o in zip((train, test), shuffled, strict=True))
    figures = [
        *retrieval(other),
        *nearest_neighbours(one, other),
        *linear_probe(one, other),
        *missing_modality(one, other),
        *reconstruction(method, in_batches(test, size, shuffled[1])),
    ]
    return {f.name: f.value for f in figures}


@pytest.mark.parametrize("size", [1, 7, 64])
def test_all_figures_of_avsiam_are_independent_of_batches(size):
    torch.manual_seed(0)
    method = AVSiam(TINY)
    expected = all_figures(method, 30, order_seed=0)
    assert {n.split("/")[0] for n in expected} >= {"retrieval", "neighbours", "knn", "linear-probe", "reconstruction"}
    assert all_figures(method, size, order_seed=size) == pytest.approx(expected, abs=1e-6)
