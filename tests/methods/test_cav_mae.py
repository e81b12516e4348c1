"""CAV-MAE: shapes, information flow, variants, and that a few steps learn something."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear.contracts import Batch, Embeds, Encodes, Progress, Reconstructs
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.cav_mae import CavMae, Config
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

INPUTS = InputConfig(audio_seconds=0.8, mel_bins=16, audio_frames=64, image_height=16, image_width=24)
TINY = Config(
    inputs=INPUTS,
    patch=8,
    width=16,
    depth=2,
    heads=2,
    decoder_width=8,
    decoder_depth=1,
    decoder_heads=2,
    masking_ratio=0.5,
)
VARIANTS = {
    "default": TINY,
    "two joint blocks": replace(TINY, joint_depth=2),
    "contrast alone": replace(TINY, reconstruction_weight=0.0, contrast_weight=1.0),
    "reconstruction alone": replace(TINY, contrast_weight=0.0),
    "plain AV-MAE": replace(TINY, contrast_weight=0.0, depth=0, joint_depth=2),
    "learnt positions": replace(TINY, positions="learnt"),
    "hierarchical stem": replace(TINY, stem="hierarchical"),
    "raw targets, half decoded": replace(TINY, per_patch_targets=False, decode=0.5),
    "structured masks": replace(TINY, audio_mask="tf"),
}
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)


def _batch(count=4, first=0):
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (12, 12_800), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (12, 1, 3, 16, 24), generator=generator).to(torch.uint8)
    fields = {
        "waveform": waveform[first : first + count],
        "waveform_samples": torch.full((count,), 12_800),
        "frames": frames[first : first + count],
    }
    return Batch(torch.arange(first, first + count) * 31 + 7, torch.arange(first, first + count), fields)


def _model(config=TINY, dtype=torch.float32):
    torch.manual_seed(0)
    model = CavMae(config).to(dtype)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def _untrained(name, parameter):
    """What a variant must not train: fixed positions, and norms of passes that never run."""
    config = VARIANTS[name]
    if ".positions." in parameter:
        return config.positions == "fixed"
    if not parameter.startswith(("joint.", "norm.")):
        return False
    own = any(f".{m}." in parameter for m in ("audio", "image"))
    joint = parameter.startswith("norm.joint") or ".joint." in parameter.removeprefix("joint.")
    return (own and config.contrast_weight == 0) or (joint and config.reconstruction_weight == 0)


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_trained_parameter_and_no_other(name):
    model = _model(VARIANTS[name])
    losses = model(_batch(), RANDOMNESS)
    assert all(value.ndim == 0 and value.isfinite() for value in losses.values())
    losses["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.requires_grad != _untrained(name, parameter_name), parameter_name
        if parameter.requires_grad:
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.isfinite().all(), parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name
        else:
            assert parameter.grad is None, parameter_name


def test_the_loss_is_reconstruction_and_a_little_contrast():
    losses = _model(replace(TINY, contrast_weight=0.25, reconstruction_weight=2.0))(_batch(), RANDOMNESS)
    parts = 2 * (losses["reconstruction_audio"] + losses["reconstruction_image"]) + 0.25 * losses["contrast"]
    torch.testing.assert_close(losses["loss"], parts)


def test_the_contrast_is_a_softmax_over_sounds_for_each_picture():
    model = _model(dtype=torch.float64)
    found = model.embed(_batch(), RANDOMNESS)
    similarities = found["image"] @ found["audio"].T / 0.05
    by_hand = torch.stack([-row[i] + row.exp().sum().log() for i, row in enumerate(similarities)]).mean()
    torch.testing.assert_close(model(_batch(), RANDOMNESS)["contrast"], by_hand)


def test_three_passes_packed_are_three_passes_apart():
    model = _model(replace(TINY, joint_depth=2), torch.float64)
    tokens = [torch.randn(3, n, 16, dtype=torch.float64) for n in (5, 4)]
    together = model._through_joint(tokens, ("joint", "audio", "image"))
    for name in ("joint", "audio", "image"):
        alone = model._through_joint(tokens, (name,))[name]
        for one, other in zip(together[name], alone, strict=True):
            torch.testing.assert_close(one, other)


def test_contrast_never_sees_the_other_modality():
    model = _model()
    tokens = [torch.randn(2, n, 16, requires_grad=True) for n in (5, 4)]
    found = model._through_joint(tokens, ("joint", "audio", "image"))
    own, other = torch.autograd.grad(found["audio"][0].sum(), tokens, allow_unused=True, retain_graph=True)
    assert own.abs().sum() > 0
    assert other is None or other.abs().max() == 0
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(found["joint"][0].square().sum(), tokens))


def test_hidden_patches_reach_no_loss_but_as_targets():
    model, batch = _model(), _batch()
    hidden = model._hidden(batch, RANDOMNESS)
    changed = [replace(h, targets=h.targets + 1) for h in hidden]
    tokens = model._through_joint(model.trunk(hidden).tokens, ("joint",))["joint"]
    same = model._through_joint(model.trunk(changed).tokens, ("joint",))["joint"]
    assert all(torch.equal(one, other) for one, other in zip(tokens, same, strict=True))
    for group in hidden:
        places = torch.cat([group.places, group.hidden], dim=1).sort(dim=1).values
        assert torch.equal(places, torch.arange(places.shape[1]).expand_as(places))


def test_what_a_clip_sees_does_not_depend_on_its_batch():
    model = _model()
    whole = model.embed(_batch(8), RANDOMNESS)
    parts = [model.embed(_batch(4, first), RANDOMNESS) for first in (0, 4)]
    for modality in ("audio", "image"):
        joined = torch.cat([part[modality] for part in parts])
        torch.testing.assert_close(whole[modality], joined, rtol=1e-5, atol=1e-6)


def test_features_of_each_modality_and_of_both():
    model = _model().eval()
    both = model.encode(_batch(), with_layers=True)
    assert {m: tuple(f.tokens.shape) for m, f in both.items()} == {
        "audio": (4, 16, 16), "image": (4, 6, 16), "audiovisual": (4, 22, 16)
    }  # fmt: skip
    assert len(both["audio"].layers) == 3
    batch = _batch()
    alone = model.encode(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]}))
    assert set(alone) == {"image"}
    torch.testing.assert_close(alone["image"].tokens, both["image"].tokens)
    torch.testing.assert_close(both["audio"].embedding, F.normalize(both["audio"].tokens.mean(1), dim=-1))
    with pytest.raises(UsageError, match="nothing to encode"):
        model.encode(Batch(batch.sample_ids, batch.positions, {}))


def test_features_without_the_other_modality_are_the_mean_of_two_passes():
    model = _model(replace(TINY, alone="average")).eval()
    branch = model.branches(model.patches(_batch(), None))["audio"]
    found = model.features({"audio": branch})["audio"].pooled
    passes = model._pass_together({"audio": branch.tokens, "joint": branch.tokens})
    torch.testing.assert_close(found, (passes["audio"].mean(1) + passes["joint"].mean(1)) / 2)


def test_in_painting_leaves_what_was_seen_and_the_decoder_draws_the_rest():
    model = _model(replace(TINY, per_patch_targets=False)).eval()
    for found in model.reconstruct(_batch(), RANDOMNESS).values():
        seen = ~found.mask
        assert torch.equal(found.original[seen], found.reconstruction[seen])
        assert found.mask.float().mean() == pytest.approx(0.5, abs=0.01)
        assert (found.original != found.reconstruction)[found.mask].any()


def test_it_offers_what_the_loop_and_the_tasks_ask_for():
    model = _model()
    assert isinstance(model, Embeds)
    assert isinstance(model, Encodes)
    assert isinstance(model, Reconstructs)


def test_a_few_steps_learn_something():
    alone, model = Peers(0, 1, torch.device("cpu")), _model(replace(TINY, contrast_weight=1.0))
    stepper = Stepper(
        model, build_optimizers(model, OptimizerConfig()), NonFiniteGuard(model, alone.device, alone), alone, RANDOMNESS
    )
    losses = [float(stepper(_batch(8), 3e-3, Progress(s, 40, 0.0)).values["loss"]) for s in range(40)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0.0}, {"masking_ratio": 1.0}, {"decode": 0.0}, {"joint_depth": 0}, {"contrast_weight": -1.0},
        {"contrast_chunk": 0}, {"contrast_weight": 0.0, "reconstruction_weight": 0.0},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused_by_name(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        replace(TINY, **values)


def test_a_batch_that_lacks_a_modality_is_refused():
    batch = _batch()
    with pytest.raises(UsageError, match="nothing to compare"):
        _model()(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]}), RANDOMNESS)
    alone = _model(VARIANTS["contrast alone"])
    assert alone.reconstruct(batch, RANDOMNESS) == {}
    patches = alone.patches(batch, None)
    with pytest.raises(UsageError, match="no decoder"):
        alone.reconstruction_losses(
            patches, {m: (torch.arange(v.shape[1]) % 2).expand(4, -1) for m, v in patches.items()}
        )
