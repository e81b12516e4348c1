"""DeepAVFusion: what learns, what sees what, what it refuses, and that it learns to use the other modality."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear import methods, recipes
from seehear.backbones.early_fusion import FusionConfig
from seehear.contracts import Batch, Progress, Reconstructs
from seehear.errors import UsageError
from seehear.layers.dense_heads import SEGMENTATION_LAYERS, SEPARATION_LAYERS, SegmentationHead, SeparationHead
from seehear.layers.map_decoder import spread, token_maps
from seehear.layers.stream_heads import StreamHeads
from seehear.methods.deepavfusion import Config, DeepAVFusion
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers, risen, set_rate
from seehear.training.step import Stepper
from seehear.weights import Embedder

RANDOMNESS = Randomness(3, 100)
TINY = Config(
    inputs=replace(
        Config().inputs, audio_seconds=0.5, mel_bins=16, frame_length_ms=64.0, frame_shift_ms=31.25, audio_frames=16,
        image_height=16, image_width=24,
    ),
    patch=4, width=16, depth=2, heads=2,
    fusion=FusionConfig(tokens=2, visual=2, sound=1, ratio=0.5),
    decoder_width=16, decoder_depth=1, decoder_heads=2,
)  # fmt: skip
VARIANTS = {
    "factorized": TINY,
    "dense": replace(TINY, fusion=replace(TINY.fusion, kind="dense")),
    "token": replace(TINY, fusion=replace(TINY.fusion, kind="token")),
    "laid out": replace(TINY, fusion=replace(TINY.fusion, kind="dense", pairs="explicit")),
    "late": replace(TINY, fusion=replace(TINY.fusion, layers=(1,))),
    "none": replace(TINY, fusion=replace(TINY.fusion, layers="none")),
    "sound alone is drawn": replace(TINY, image_weight=0.0),
}


def _batch(count=4, first=0):
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (12, 8_000), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (12, 1, 3, 16, 24), generator=generator).to(torch.uint8)
    fields = {
        "waveform": waveform[first : first + count],
        "waveform_samples": torch.full((count,), 8_000),
        "frames": frames[first : first + count],
    }
    return Batch(torch.arange(first, first + count) * 31 + 7, torch.arange(first, first + count), fields)


def _model(config=TINY, dtype=torch.float32):
    torch.manual_seed(0)
    model = DeepAVFusion(config).to(dtype)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_trained_parameter(name):
    model = _model(VARIANTS[name])
    losses = model(_batch(), RANDOMNESS)
    assert all(value.ndim == 0 and value.isfinite() for value in losses.values())
    losses["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        if ".positions." in parameter_name:
            assert not parameter.requires_grad
        elif name == "sound alone is drawn" and parameter_name.startswith(("encoder.norm.image", "encoder.trunks.im")):
            continue  # the last layer of what is not drawn reaches nothing
        else:
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name


def test_the_loss_is_both_errors_of_hidden_standardised_patches():
    model = _model(replace(TINY, audio_weight=2.0), torch.float64)
    losses = model(_batch(), RANDOMNESS)
    torch.testing.assert_close(losses["loss"], 2 * losses["reconstruction_audio"] + losses["reconstruction_image"])
    hidden = model._hidden(_batch(), RANDOMNESS)
    assert {m: h.hidden.shape[1] for m, h in hidden.items()} == {"audio": 13, "image": 18}  # of 16 and of 24
    for modality, drawn in model._draw(hidden).items():
        errors = []
        for clip, target in zip(drawn, hidden[modality].targets, strict=True):
            for values, patch in zip(clip, target, strict=True):
                spread = ((patch - patch.mean()) ** 2).sum() / (len(patch) - 1)
                errors.append(((values - (patch - patch.mean()) / (spread + 1e-6).sqrt()) ** 2).mean())
        torch.testing.assert_close(losses[f"reconstruction_{modality}"], torch.stack(errors).mean())


def test_masks_of_the_two_modalities_are_drawn_apart_and_keyed():
    model = _model(replace(TINY, inputs=replace(TINY.inputs, image_width=16), audio_ratio=0.75))
    batch = _batch(8)
    batch.fields["frames"] = batch["frames"][..., :16]
    hidden = model._hidden(batch, RANDOMNESS)
    sets = {m: [set(row.tolist()) for row in h.places] for m, h in hidden.items()}
    assert sets["audio"] != sets["image"]
    part = Batch(batch.sample_ids[2:4], batch.positions[2:4], {n: v[2:4] for n, v in batch.fields.items()})
    for modality, group in model._hidden(part, RANDOMNESS).items():
        assert torch.equal(group.places, hidden[modality].places[2:4])
        torch.testing.assert_close(group.patches, hidden[modality].patches[2:4])


@pytest.mark.parametrize("layers", ["all", "none"])
def test_the_other_modality_comes_through_fusion_tokens_or_not_at_all(layers):
    model = _model(replace(TINY, fusion=replace(TINY.fusion, layers=layers)))
    hidden = model._hidden(_batch(), RANDOMNESS)
    seen = {m: replace(h, patches=h.patches.clone().requires_grad_()) for m, h in hidden.items()}
    for modality, drawn in model._draw(seen).items():
        other = "image" if modality == "audio" else "audio"
        own, foreign = torch.autograd.grad(
            drawn.square().sum(), [seen[m].patches for m in (modality, other)], allow_unused=True, retain_graph=True
        )
        assert own.abs().sum() > 0
        assert (foreign is not None and foreign.abs().sum() > 0) == (layers == "all")


def test_hidden_patches_reach_no_drawing():
    model = _model()
    hidden = model._hidden(_batch(), RANDOMNESS)
    changed = {m: replace(h, targets=h.targets + 1) for m, h in hidden.items()}
    for one, other in zip(model._draw(hidden).values(), model._draw(changed).values(), strict=True):
        assert torch.equal(one, other)
    for group in hidden.values():
        places = torch.cat([group.places, group.hidden], dim=1).sort(dim=1).values
        assert torch.equal(places, torch.arange(places.shape[1]).expand_as(places))


def test_features_of_both_modalities_and_of_the_fusion_tokens():
    found = _model().eval().encode(_batch(), with_layers=True)
    assert {m: (tuple(f.tokens.shape), f.grid, len(f.layers)) for m, f in found.items()} == {
        "audio": ((4, 16, 16), (4, 4), 2),
        "image": ((4, 24, 16), (4, 6), 2),
        "audiovisual": ((4, 5, 16), (5,), 2),
    }
    torch.testing.assert_close(found["audiovisual"].pooled, found["audiovisual"].tokens.mean(dim=1))
    torch.testing.assert_close(found["image"].embedding, F.normalize(found["image"].tokens.mean(1), dim=-1))


def test_heads_stand_on_its_layers_and_teach_all_of_it():
    """Separation, segmentation and classes, each by one of its streams' layers; together they reach every parameter."""
    model, batch = _model(), _batch()
    found = model.encode(batch, with_layers=True)
    sound, picture = found["audio"], found["image"]
    levels = spread(SEPARATION_LAYERS, TINY.depth)
    separate = SeparationHead([16] * len(levels), 16, widths=(8, 8, 8, 4, 4))
    mask = separate(token_maps([sound.layers[k] for k in levels], sound.grid), picture.pooled, size=(16, 16))
    levels = spread(SEGMENTATION_LAYERS, TINY.depth)
    segment = SegmentationHead([16] * len(levels), 16, widths=(8, 8, 4, 4), told=4, last=4)
    shown = segment(token_maps([picture.layers[k] for k in levels], picture.grid), sound.tokens, size=(16, 24))
    classes = StreamHeads(dict.fromkeys(found, 16), 3)({m: f.tokens for m, f in found.items()})["mean"]
    assert [tuple(x.shape) for x in (mask, shown, classes)] == [(4, 16, 16), (4, 1, 16, 24), (4, 3)]
    torch.stack([x.square().mean() for x in (mask, shown, classes)]).sum().backward()
    trained = [p for n, p in model.encoder.named_parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trained)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda fields: fields.pop("frames"), "no pictures"),
        (lambda fields: fields.pop("waveform"), "no sound"),
        (lambda fields: fields.update(has_audio=torch.tensor([True, True, False, True])), "no sound in some clips"),
    ],
)
def test_one_modality_alone_cannot_be_embedded(change, match):
    batch = _batch()
    change(batch.fields)
    with pytest.raises(UsageError, match=match):
        _model().encode(batch)


def test_it_draws_what_was_hidden_and_keeps_what_was_seen():
    model = _model(replace(TINY, per_patch_targets=False)).eval()
    assert isinstance(model, Reconstructs)
    for modality, found in model.reconstruct(_batch(), RANDOMNESS).items():
        assert torch.equal(found.original[~found.mask], found.reconstruction[~found.mask])
        assert found.mask.float().mean() == pytest.approx({"audio": 13 / 16, "image": 0.75}[modality])
        assert (found.original != found.reconstruction)[found.mask].any()


def test_trunks_that_start_from_trained_weights_learn_slowly_at_first():
    model = _model(replace(TINY, trunk_rise=0.5))
    optimizers = build_optimizers(model, OptimizerConfig())
    optimizer = optimizers["joint"].optimizer
    known = {p: n for n, p in model.named_parameters()}
    set_rate(optimizer, 1e-3, 0.125)
    for group in optimizer.param_groups:
        slow = group["name"].startswith("trunk")
        assert group["lr"] == pytest.approx(1e-3 * (risen(0.5, 0.125) if slow else 1.0))
        names = [known[p] for p in group["params"]]
        trunk = [n.startswith(("encoder.trunks.", "encoder.patch_embed.", "encoder.norm.")) for n in names]
        assert all(t == slow for t in trunk)
    assert sum(len(g["params"]) for g in optimizer.param_groups) == len([p for p in known if p.requires_grad])
    assert risen(0.5, 0.25) == pytest.approx(0.5)
    assert (risen(0.5, 0.5), risen(0.5, 0.9), risen(0.0, 0.0)) == (1.0, 1.0, 1.0)
    assert {g["name"] for g in DeepAVFusion(TINY).parameter_groups("joint")} == {"matrices", "vectors"}


def _paired(count, generator):
    """Clips whose right half rises or falls in brightness, as the sound is loud or soft; their left half is noise."""
    rising = torch.randint(0, 2, (count,), generator=generator)
    waveform = torch.randn(count, 8_000, generator=generator) * (100 + 8000 * rising[:, None])
    frames = torch.randint(0, 256, (count, 1, 3, 16, 24), generator=generator)
    ramp = 20 * torch.arange(12) + 10
    frames[..., 12:] = torch.where(rising[:, None, None, None, None] == 1, ramp, ramp.flip(0))
    frames = frames.to(torch.uint8)
    fields = {
        "waveform": waveform.round().clamp(-32768, 32767).to(torch.int16),
        "waveform_samples": torch.full((count,), 8_000), "frames": frames,
    }  # fmt: skip
    return Batch(torch.arange(count), torch.arange(count), fields)


def test_training_learns_and_draws_better_beside_the_true_sound_than_another():
    inputs = replace(TINY.inputs, flip=False, crop_scale=(1.0, 1.0))
    model = _model(replace(TINY, inputs=inputs, gain_db=0.0, image_ratio=0.95))
    alone, generator = Peers(0, 1, torch.device("cpu")), torch.Generator().manual_seed(0)
    stepper = Stepper(
        model, build_optimizers(model, OptimizerConfig()), NonFiniteGuard(model, alone.device, alone), alone, RANDOMNESS
    )
    losses = [float(stepper(_paired(16, generator), 5e-3, Progress(s, 90, 0.0)).values["loss"]) for s in range(90)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    batch = _paired(64, generator)
    wrong = Batch(batch.sample_ids, batch.positions, {**batch.fields, "waveform": batch["waveform"].flip(0)})
    with torch.no_grad():
        true, other = (float(model(b, RANDOMNESS)["reconstruction_image"]) for b in (batch, wrong))
    assert true < 0.8 * other


@pytest.mark.parametrize(
    "values",
    [
        {"image_ratio": 1.0}, {"audio_ratio": 0.0}, {"depth": 0}, {"trunk_rise": 1.5}, {"gain_db": -1.0},
        {"audio_weight": -1.0}, {"audio_weight": 0.0, "image_weight": 0.0},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused_by_name(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        replace(TINY, **values)


@pytest.mark.parametrize(
    ("recipe", "parameters", "encoder"),
    [("vggsound", 320_563_712, 268_660_224), ("audioset", 378_997_760, 327_094_272)],
)
def test_the_paper_recipes_have_as_many_parameters_as_the_released_files(recipe, parameters, encoder):
    """The files hold 4 bytes of each and no optimiser: 1,282,254,848 and 1,515,991,040 bytes."""
    with torch.device("meta"):
        model = DeepAVFusion(recipes.get(f"deepavfusion_paper_{recipe}").method)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert sum(p.numel() for p in model.encoder.parameters()) == encoder


def test_collections_are_embedded_by_their_fusion_tokens():
    model, batch = _model().eval(), _batch()
    ((_, found),) = Embedder(model, modalities=("audiovisual",))([batch])
    expected = model.encode(batch)["audiovisual"].embedding
    torch.testing.assert_close(found["audiovisual"].embedding, expected.detach(), rtol=1e-4, atol=1e-5)


def test_a_configuration_goes_through_plain_data():
    from seehear.configuration import from_dict, to_dict

    for config in VARIANTS.values():
        assert from_dict(Config, to_dict(config)) == config
    assert methods.get("deepavfusion") is DeepAVFusion
