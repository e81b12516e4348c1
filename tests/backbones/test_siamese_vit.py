"""The siamese trunk: packed equals alone, weights shared, norms not, and the doubled embedding."""

import torch

from seehear.backbones.siamese_vit import SiameseViT
from seehear.layers.packing import Group


def _trunk(**changes) -> SiameseViT:
    torch.manual_seed(0)
    settings = {"patch": 4, "width": 16, "depth": 2, "heads": 2} | changes
    trunk = SiameseViT({"audio": (2, 3), "image": (2, 2)}, {"audio": 1, "image": 3}, **settings).double()
    for parameter in trunk.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return trunk


def _group(modality: str, sequences: int, places: list[int]) -> Group:
    values = 16 if modality == "audio" else 48
    return Group(
        modality,
        torch.randn(sequences, len(places), values, dtype=torch.float64),
        torch.tensor(places).expand(sequences, -1),
    )


def _groups() -> list[Group]:
    return [
        _group("audio", 2, [0, 1, 2, 3, 4, 5]),
        _group("audio", 1, [4, 0]),
        _group("image", 2, [3, 1, 0]),
        _group("image", 3, [2]),
    ]


def test_packed_equals_alone_in_value_and_gradient():
    trunk, groups = _trunk(), _groups()
    together = trunk(groups).tokens
    weights = [torch.randn_like(t) for t in together]
    sum((t * w).sum() for t, w in zip(together, weights, strict=True)).backward()
    gradients = {n: p.grad.clone() for n, p in trunk.named_parameters()}
    trunk.zero_grad()
    total = 0.0
    for group, tokens, weight in zip(groups, together, weights, strict=True):
        for i in range(len(group.patches)):
            single = Group(group.modality, group.patches[i : i + 1], group.places[i : i + 1])
            alone = trunk([single]).tokens[0][0]
            torch.testing.assert_close(tokens[i], alone, rtol=0, atol=1e-12)
            total = total + (alone * weight[i]).sum()
    total.backward()
    for name, parameter in trunk.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=0, atol=1e-11)


def test_order_of_groups_does_not_matter():
    trunk, groups = _trunk(), _groups()
    forward, backward = trunk(groups).tokens, trunk(groups[::-1]).tokens[::-1]
    assert all(torch.allclose(a, b, rtol=0, atol=1e-12) for a, b in zip(forward, backward, strict=True))


def test_a_modality_never_reaches_the_other_ones_norms_and_embeddings():
    trunk = _trunk()
    trunk([_group("audio", 2, [0, 3])]).tokens[0].square().sum().backward()
    for name, parameter in trunk.named_parameters():
        other = ".image." in name or name.endswith(".image")
        assert (parameter.grad is None) == other, name


def test_double_embed_doubles_what_enters_the_first_block():
    group = _group("image", 2, [0, 3])
    plain, doubled = _trunk(), _trunk(double_embed=True)
    torch.testing.assert_close(doubled.embed(group), 2 * plain.embed(group))
    assert not torch.allclose(doubled([group]).tokens[0], plain([group]).tokens[0])


def test_layers_are_the_tokens_after_each_block():
    trunk, groups = _trunk(), _groups()
    encoded = trunk(groups, with_layers=True)
    assert len(encoded.layers) == 2
    normed = torch.nn.functional.layer_norm(
        encoded.layers[-1][0], (16,), trunk.norm["audio"].weight, trunk.norm["audio"].bias, 1e-6
    )
    torch.testing.assert_close(encoded.tokens[0], normed)
