"""MAViL: features of whole clips, and what is shown of what was drawn."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear.contracts import Batch, Encodes, Reconstructs
from seehear.errors import UsageError
from seehear.methods import classifier
from seehear.weights import Embedder
from seehear.weights.precision import Precision
from tests.methods.mavil_toys import RANDOMNESS, STUDENT, TINY, VARIANTS, make_batch, make_model


def test_encode_is_deterministic_whole_and_works_on_one_modality() -> None:
    model, batch = make_model(replace(TINY, inputs=VARIANTS["augmented"].inputs)).eval(), make_batch()
    assert isinstance(model, Encodes)
    both = model.encode(batch, with_layers=True)
    assert {m: (f.tokens.shape, f.grid) for m, f in both.items()} == {
        "audio": ((4, 16, 16), (8, 2)),
        "image": ((4, 12, 16), (2, 2, 3)),
        "audiovisual": ((4, 28, 16), (28,)),
    }
    for modality, again in model.encode(batch).items():
        assert torch.equal(again.tokens, both[modality].tokens)
        torch.testing.assert_close(again.pooled, again.tokens.mean(dim=1))
        torch.testing.assert_close(again.embedding.norm(dim=1), torch.ones(4))
    alone = model.encode(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]}))
    assert set(alone) == {"image"}
    torch.testing.assert_close(alone["image"].embedding, both["image"].embedding)
    assert [layer.shape for layer in both["image"].layers] == [(4, 12, 16)] * 2
    torch.testing.assert_close(both["image"].layers[-1], both["image"].tokens)
    with pytest.raises(UsageError, match="nothing to encode"):
        model.encode(Batch(batch.sample_ids, batch.positions))


def test_fused_tokens_are_the_blocks_on_class_tokens_and_patches_in_one_sequence() -> None:
    model, batch = make_model(dtype=torch.float64).eval(), make_batch()
    branches = model.branches(model.patches(batch, None))
    assert branches["audio"].tokens.shape == (4, 17, 16)
    x = torch.cat([branches["audio"].tokens, branches["image"].tokens], dim=1)
    for block in model.encoder.fusion:
        x = torch.stack([_plain(block, clip) for clip in x])
    expected = torch.cat([x[:, 1:17], x[:, 18:]], dim=1)
    torch.testing.assert_close(model.encode(batch)["audiovisual"].tokens, expected)


def _plain(block: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """A pre-norm block on one sequence `[n, D]`, written out; LayerNorms of epsilon 1e-6."""

    def norm(part: torch.nn.Module, values: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(values, values.shape[-1:], part["joint"].weight, part["joint"].bias, 1e-6)

    q, k, v = (F.linear(norm(block.norm1, x), block.attn.qkv.weight, block.attn.qkv.bias)).chunk(3, dim=1)
    heads = []
    for head in (slice(0, 8), slice(8, 16)):
        heads.append((q[:, head] @ k[:, head].T / math.sqrt(8)).softmax(dim=1) @ v[:, head])
    x = x + block.attn.proj(torch.cat(heads, dim=1))
    return x + block.mlp.fc2(F.gelu(block.mlp.fc1(norm(block.norm2, x))))


def test_embeddings_of_encode_are_projected_as_those_that_were_contrasted() -> None:
    """With nothing to hide, a view would be the whole clip."""
    model, batch = make_model().eval(), make_batch()
    features = model.encode(batch)
    for modality in ("audio", "image"):
        pooled = features[modality].tokens.mean(dim=1)
        expected = F.normalize(model.projections[modality](pooled), dim=-1)
        torch.testing.assert_close(features[modality].embedding, expected)
    raw = make_model(VARIANTS["no contrast"]).encode(batch)["audio"]
    torch.testing.assert_close(raw.embedding, F.normalize(raw.pooled, dim=-1))


def test_a_classifier_reads_it_with_the_fusion_as_its_top_layer_and_without_the_teacher() -> None:
    recipe = classifier.Config(encoder=STUDENT, classes=("a", "b"), single_label=True, layer_decay=0.5)
    model, batch = classifier.Classifier(recipe), make_batch()
    batch.fields["labels"] = torch.eye(2)[[0, 1, 1, 0]]
    model(batch, RANDOMNESS)["loss"].backward()
    assert not any(name.startswith(("encoder.teacher.", "encoder.decoders")) for name in model.state_dict())
    rates = {id(p): group["lr_scale"] for group in model.parameter_groups("joint") for p in group["params"]}
    assert {rates[id(p)] for p in model.encoder.fusion.parameters()} == {1.0}
    assert {rates[id(p)] for p in model.encoder.encoder.trunk.patch_embed.parameters()} == {0.125}
    assert {m: v.shape for m, v in model.eval().classify(batch).items()} == dict.fromkeys(
        ("audio", "image", "audiovisual"), (4, 2)
    )


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_embeddings_of_other_precisions_stay_close(precision: Precision) -> None:
    model, batch = make_model().eval(), make_batch()
    vectors = [next(iter(Embedder(model, precision=p)([batch])))[1] for p in ("fp32", precision)]
    for modality in ("audio", "image"):
        exact, rounded = (found[modality].embedding for found in vectors)
        assert F.cosine_similarity(exact, rounded.to(exact.dtype)).min() > 0.99


def test_a_single_picture_stands_still_and_short_films_start_over() -> None:
    model, batch = make_model().eval(), make_batch()
    for count, order in ((1, [0, 0, 0, 0]), (3, [0, 1, 2, 0])):
        short, long = batch["frames"][:, :count], batch["frames"][:, order]
        found = [
            model.encode(Batch(batch.sample_ids, batch.positions, {"frames": frames}))["image"].tokens
            for frames in (short, long)
        ]
        assert torch.equal(*found)
    with pytest.raises(UsageError, match=r"5 frames per clip.*at most 4"):
        model.encode(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"][:, [0, 1, 2, 3, 0]]}))


def test_reconstruct_shows_frames_side_by_side_in_human_units() -> None:
    model, batch = make_model().eval(), make_batch()
    shown = model.reconstruct(batch, RANDOMNESS)
    image, audio = shown["image"], shown["audio"]
    strip = torch.cat([batch["frames"][:, i] for i in range(4)], dim=3).float() / 255
    torch.testing.assert_close(image.original, strip, rtol=0, atol=1e-5)
    assert image.mask.shape == image.original.shape == (4, 3, 16, 96)
    assert audio.original.shape == (4, 64, 16)
    for r in shown.values():
        assert r.mask.float().mean().item() == pytest.approx(0.5)
        torch.testing.assert_close(r.reconstruction[~r.mask], r.original[~r.mask])
        assert not torch.equal(r.reconstruction[r.mask], r.original[r.mask])
        assert r.patch == (8, 8)
    frames = image.mask.unflatten(3, (4, 24))
    assert torch.equal(frames[:, :, :, 0], frames[:, :, :, 1]), "a tube spans two frames"
    assert not torch.equal(frames[:, :, :, 1], frames[:, :, :, 2])


def test_stage_two_draws_no_pictures() -> None:
    model = make_model(STUDENT)
    assert isinstance(model, Reconstructs)
    assert model.reconstruct(make_batch(), RANDOMNESS) == {}
