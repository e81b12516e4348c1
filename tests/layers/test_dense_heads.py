"""Dense decoders over maps of ViTs and of convolutional networks, and class heads of several streams."""

import pytest
import torch
from torch.nn import functional as F

from seehear.errors import UsageError
from seehear.layers.dense_heads import SEGMENTATION_LAYERS, SEPARATION_LAYERS, SegmentationHead, SeparationHead
from seehear.layers.map_decoder import MapDecoder, spread, token_maps
from seehear.layers.stream_heads import StreamHeads, log_odds
from seehear.losses.segmentation import segmentation_loss
from seehear.losses.separation import separation_loss


def _vit_maps(levels, width=12, grid=(2, 3), batch=2):
    torch.manual_seed(0)
    layers = [torch.randn(batch, grid[0] * grid[1], width, requires_grad=True) for _ in range(levels)]
    return layers, token_maps(layers, grid)


def _cnn_maps(batch=2):
    """Deepest first, of odd sizes, as a convolutional network leaves them."""
    torch.manual_seed(0)
    sizes = ((16, 2, 3), (12, 4, 5), (8, 7, 10), (6, 14, 20), (4, 28, 40))
    maps = [torch.randn(batch, *size, requires_grad=True) for size in sizes]
    return maps, maps


def _all_learn(head, inputs, loss):
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())
    assert all(p.grad.abs().sum() > 0 for p in head.parameters())
    assert all(x.grad.abs().sum() > 0 for x in inputs)


@pytest.mark.parametrize("kind", ["bce", "l1", "magnitude"])
@pytest.mark.parametrize("made", [lambda: _vit_maps(5), _cnn_maps])
def test_separation_learns_from_either_kind_of_maps(made, kind):
    sources, maps = made()
    picture = torch.randn(2, 7, requires_grad=True)
    head = SeparationHead([m.shape[1] for m in maps], 7, widths=(16, 8, 8, 4, 4))
    assert head(maps, picture).shape == (2, 32, 48)
    logits = head(maps, picture, (30, 47))
    wanted, other = torch.rand(2, 2, 30, 47)
    _all_learn(head, [*sources, picture], separation_loss(logits, wanted, other, wanted + other, kind=kind))


@pytest.mark.parametrize("classes", [1, 5])
@pytest.mark.parametrize("made", [lambda: _vit_maps(4), _cnn_maps])
def test_segmentation_learns_from_either_kind_of_maps(made, classes):
    sources, maps = made()
    sound = torch.randn(2, 6, 9, requires_grad=True)
    widths = (16, 8, 8, 4, 4)[: len(maps)]
    head = SegmentationHead([m.shape[1] for m in maps], 9, classes, widths, told=5, last=6)
    whole = head(maps, sound)
    assert whole.shape == (2, classes, 4 << len(widths) - 1, 6 << len(widths) - 1)
    masks = torch.randint(0, max(classes, 2), (2, 20, 30))
    _all_learn(head, [*sources, sound], segmentation_loss(head(maps, sound, (20, 30)), masks))


def test_published_sizes():
    """8 x 12 tokens make 128 x 192 masks, 14 x 14 make 224 x 224; the finest level reads the deepest layer."""
    with torch.device("meta"):
        maps = token_maps([torch.empty(1, 96, 768)] * 5, (8, 12))
        assert SeparationHead([768] * 5, 768)(maps, torch.empty(1, 768)).shape == (1, 128, 192)
        maps = token_maps([torch.empty(1, 196, 768)] * 4, (14, 14))
        assert SegmentationHead([768] * 4, 768, 71)(maps, torch.empty(1, 96, 768)).shape == (1, 71, 224, 224)
    assert SEPARATION_LAYERS[-1] == SEGMENTATION_LAYERS[-1] == 11


def test_a_map_stands_where_its_tokens_stood():
    tokens = torch.arange(6.0).view(1, 6, 1)
    assert token_maps([tokens], (2, 3))[0][0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(UsageError, match="6 tokens on a grid of 2 x 2"):
        token_maps([tokens], (2, 2))


def test_what_is_wanted_is_told_at_every_level_and_each_map_enters_its_own():
    maps = _vit_maps(3)[1]
    decoder = MapDecoder([12] * 3, (8, 6, 4), 5, 2)
    one, other = (decoder([*maps], torch.full((2, 5), value)) for value in (0.0, 3.0))
    assert not torch.allclose(one, other)
    assert len(decoder.tell) == 3
    for level in range(3):
        changed = [m + (k == level) * torch.randn_like(m) for k, m in enumerate(maps)]
        assert not torch.allclose(decoder(changed, torch.zeros(2, 5)), one)
    bare = MapDecoder([12] * 3, (8, 6, 4), 0, 2)
    assert bare(maps).shape == (2, 2, 8, 12)
    with pytest.raises(UsageError, match="2 maps for 3 levels"):
        decoder(maps[:2], torch.zeros(2, 5))
    with pytest.raises(UsageError, match="one for each"):
        MapDecoder([12], (8, 6), 0, 1)


def test_layers_of_shallower_trunks_lie_where_the_published_ones_do():
    assert spread(SEPARATION_LAYERS, 12) == SEPARATION_LAYERS
    assert spread(SEGMENTATION_LAYERS, 4) == (0, 1, 2, 3)
    assert spread(SEPARATION_LAYERS, 4) == (0, 1, 1, 2, 3)


def test_class_heads_average_three_logits():
    torch.manual_seed(0)
    heads = StreamHeads({"image": 4, "audio": 4, "audiovisual": 4}, 3)
    streams = {m: torch.randn(5, n, 4, requires_grad=True) for m, n in (("image", 6), ("audio", 4), ("audiovisual", 2))}
    found = heads(streams)
    by_hand = {m: F.linear(t.mean(dim=1), heads.heads[m].weight, heads.heads[m].bias) for m, t in streams.items()}
    for name, logits in by_hand.items():
        torch.testing.assert_close(found[name], logits)
    torch.testing.assert_close(found["mean"], sum(by_hand.values()) / 3)
    _all_learn(heads, streams.values(), F.cross_entropy(found["mean"], torch.tensor([0, 1, 2, 0, 1])))
    with pytest.raises(UsageError, match="streams image; expected"):
        heads({"image": streams["image"]})


def test_a_probe_standardises_each_stream_and_learns_no_scale():
    heads = StreamHeads({"image": 4}, 3, probe=True)
    tokens = 7 * torch.randn(64, 5, 4) + 3
    assert {n for n, _ in heads.named_parameters()} == {"heads.image.weight", "heads.image.bias"}
    pooled = tokens.mean(dim=1)
    standard = (pooled - pooled.mean(0)) / (pooled.var(0, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(heads({"image": tokens})["image"], heads.heads["image"](standard))


def test_fine_tuning_starts_at_the_frequency_of_each_class():
    frequency = torch.tensor([0.5, 0.1, 0.0])
    heads = StreamHeads({"image": 4}, 3, frequency=frequency)
    scores = heads.heads["image"].bias.sigmoid()
    torch.testing.assert_close(scores, torch.tensor([0.5, 0.1, 1e-4]))
    for bad in ([0.5, 0.5], [0.5, 0.5, 1.5]):
        with pytest.raises(UsageError, match="numbers from 0 to 1"):
            log_odds(torch.tensor(bad), 3)
    with pytest.raises(UsageError, match="'mean'"):
        StreamHeads({"mean": 4}, 3)
