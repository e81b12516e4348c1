"""OneAVM: every subset of its objectives, where gradients flow and where they must not, its maps and its masks."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from torch.nn import functional as F

from seehear import signals
from seehear.backbones.map_towers import ConvNetConfig, SiameseConfig
from seehear.contracts import Batch, Encodes, Localizes, Progress, Separates
from seehear.errors import UsageError
from seehear.layers.clip_partners import partners
from seehear.layers.inputs import InputConfig
from seehear.losses.info_nce import info_nce
from seehear.losses.mixed_alignment import mixed_alignment
from seehear.losses.multiple_instance import multiple_instance_info_nce
from seehear.methods.oneavm import OBJECTIVES, Config, OneAVM
from seehear.randomness import Randomness
from seehear.signals.separation import Bands
from seehear.training import OptimizerConfig
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper

TINY = Config(
    inputs=InputConfig(audio_seconds=0.4, image_height=32, image_width=32),
    bands=Bands("mel", count=16, size=512, shift=256),
    frames=32,
    towers="convnet",
    convnet=ConvNetConfig(widths=(4, 8), image_strides=(4, 2), audio_strides=(2, 2)),
    siamese=SiameseConfig(patch=8, width=16, depth=3, heads=2),
    width=6,
    temperature=0.2,
    decoder_width=4,
)
VARIANTS = {
    "defaults": TINY,
    "separate projections": replace(TINY, projections="separate", positives_compete=True),
    "ratio": replace(TINY, mask="ratio", loudness="equal peaks", condition="max"),
    "magnitude": replace(TINY, mask="magnitude", blend="uniform", bands=Bands("log", 16, 512, 256)),
    "resnet18": replace(TINY, towers="resnet18"),
    "siamese ViT": replace(TINY, towers="siamese_vit"),
}
SUBSETS = [dict(zip(OBJECTIVES, on, strict=True)) for on in product((0.0, 1.0), repeat=3) if any(on)]
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)


def _batch(count: int = 4, samples: int = 6_400, labels: bool = True) -> Batch:
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (count, 6_400), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (count, 1, 3, 32, 32), generator=generator).to(torch.uint8)
    fields = {"waveform": waveform, "waveform_samples": torch.full((count,), samples), "frames": frames}
    if labels:
        fields["labels"] = torch.eye(2)[torch.arange(count) % 2]
    return Batch(torch.arange(count) * 31 + 7, torch.arange(count), fields)


def _model(config: Config = TINY, dtype: torch.dtype = torch.float32) -> OneAVM:
    torch.manual_seed(0)
    return OneAVM(config).to(dtype)


def _only(config: Config = TINY, **weights: float) -> Config:
    return replace(config, **{f"{name}_weight": weights.get(name, 0.0) for name in OBJECTIVES})


def _partner(batch: Batch) -> torch.Tensor:
    return partners(RANDOMNESS.keys(batch.positions, batch.sample_ids), batch["labels"].argmax(dim=1))


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_parameter(name: str) -> None:
    model = _model(VARIANTS[name])
    model(_batch(), RANDOMNESS)["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("projections", ["shared", "separate"])
@pytest.mark.parametrize("weights", SUBSETS, ids=lambda on: "+".join(name for name, weight in on.items() if weight))
def test_every_subset_of_objectives_trains_all_that_it_keeps(weights, projections) -> None:
    model = _model(replace(_only(**weights), projections=projections))
    losses = model(_batch(), RANDOMNESS)
    assert [name for name in OBJECTIVES if name in losses] == [name for name, weight in weights.items() if weight]
    losses["loss"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert hasattr(model, "separation_decoder") == bool(weights["separation"])


@pytest.mark.parametrize("weights", SUBSETS, ids=lambda on: "+".join(name for name, weight in on.items() if weight))
def test_the_loss_is_the_weighted_sum_of_its_objectives(weights) -> None:
    scaled = {name: weight * (k + 2) for k, (name, weight) in enumerate(weights.items())}
    losses = _model(_only(**scaled))(_batch(), RANDOMNESS)
    torch.testing.assert_close(losses["loss"], sum(scaled[name] * losses[name] for name in losses if name in scaled))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_objective_moves_its_own_parts_only(objective: str) -> None:
    model = _model(replace(TINY, projections="separate"))
    model(_batch(), RANDOMNESS)[objective].backward()
    own = {
        "correspondence": ("trunk.", "projections.correspondence"),
        "separation": ("trunk.", "separation_decoder"),
        "alignment": ("trunk.", "projections.alignment"),
    }[objective]
    for name, parameter in model.named_parameters():
        moved = parameter.grad is not None and bool(parameter.grad.abs().sum() > 0)
        assert moved == name.startswith(own), name


def test_a_switched_off_objective_changes_nothing_of_the_others() -> None:
    """With batch norms at rest a clip's pass does not depend on the others' in it."""
    whole = _model(dtype=torch.float64).eval()
    losses = whole(_batch(), RANDOMNESS)
    for name in OBJECTIVES:
        alone = _model(_only(**{name: 1.0}), torch.float64).eval()
        alone.load_state_dict(_renamed(whole, alone))
        torch.testing.assert_close(alone(_batch(), RANDOMNESS)["loss"], losses[name])


def _renamed(whole: OneAVM, part: OneAVM) -> dict[str, torch.Tensor]:
    """The whole network's state under the part's names: its projections are kept under the first objective's."""
    state = whole.state_dict()
    return {n: state[n.replace("projections.alignment", "projections.correspondence")] for n in part.state_dict()}


def test_the_objectives_are_what_their_losses_say_of_clean_and_blended_clips() -> None:
    config = replace(TINY, blend_share=0.3, inputs=replace(TINY.inputs, flip=False))
    model, batch = _model(config, torch.float64).eval(), _batch()
    losses, features, j = model(batch, RANDOMNESS), model.encode(batch), _partner(batch)
    sound, places = features["audio"].embedding, F.normalize(features["image"].tokens, dim=2)
    local = multiple_instance_info_nce(sound, places, batch.sample_ids, 0.2)
    spread = 2 * info_nce(sound, features["image"].embedding, batch.sample_ids, 0.2)
    torch.testing.assert_close(losses["correspondence"], local + spread)
    images = signals.normalize_image(batch["frames"][:, 0]).double()
    blend = model.trunk({"image": 0.3 * images + 0.7 * images[j]})["image"][-1].flatten(2).transpose(1, 2)
    blended = F.normalize(model.projections["correspondence"]["image"](blend), dim=2)
    torch.testing.assert_close(losses["alignment"], mixed_alignment(sound, blended, j, batch.sample_ids, 0.2))


def test_a_mask_asks_for_its_own_picture_and_both_sounds() -> None:
    """With batch norms at rest the mask of clip i knows picture i, and sounds i and j, nothing else."""
    model, batch = _model(dtype=torch.float64).eval(), _batch(5)
    j, sounds = _partner(batch), model._sounds(batch)
    images = signals.normalize_image(batch["frames"][:, 0]).double().requires_grad_()
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)

    def first_mask(heard: torch.Tensor) -> torch.Tensor:
        maps = model._passes(heard, images, j, keys)
        return model.separation_decoder(maps["mixture"], maps["image"][-1].mean(dim=(2, 3)))[0]

    mask = first_mask(sounds)
    (seen,) = torch.autograd.grad(mask.sum(), images)
    assert seen.flatten(1).abs().sum(dim=1).nonzero()[:, 0].tolist() == [0]
    for k in range(5):
        louder = sounds.clone()
        louder[k] *= 3
        assert torch.equal(first_mask(louder), mask) == (k not in (0, int(j[0]))), k


@pytest.mark.parametrize("name", VARIANTS)
def test_another_frame_gives_another_sound_from_the_same_mixture(name: str) -> None:
    model, batch = _model(VARIANTS[name]), _batch()
    model(batch, RANDOMNESS)["loss"].backward()
    model.eval()
    mixture = signals.waveform_from_int16(batch["waveform"]).sum(dim=0, keepdim=True).expand(4, -1)
    with torch.no_grad():
        found = model.separate(mixture, batch["frames"])
    assert found.shape == (4, 6_400)
    assert found.isfinite().all()
    assert (found[0] - found[1]).abs().max() > 1e-4
    torch.testing.assert_close(model.separate(mixture[:1], batch["frames"][1:2])[0], found[1], rtol=1e-4, atol=1e-5)
    assert found.square().sum() < mixture.square().sum()


def test_what_cannot_be_separated_is_refused() -> None:
    batch = _batch()
    mixture = torch.zeros(4, 6_400)
    with pytest.raises(UsageError, match="learnt no separation"):
        _model(_only(correspondence=1.0)).separate(mixture, batch["frames"])
    with pytest.raises(UsageError, match="expected \\[B, 6400\\]"):
        _model().separate(mixture[:, :6_000], batch["frames"])
    with pytest.raises(UsageError, match="frames \\(3,"):
        _model().separate(mixture, batch["frames"][:3])


@pytest.mark.parametrize("name", VARIANTS)
def test_its_map_is_what_its_features_say(name: str) -> None:
    model, batch = _model(VARIANTS[name]).eval(), _batch()
    assert isinstance(model, Encodes)
    assert isinstance(model, Localizes)
    assert isinstance(model, Separates)
    found, features = model.localize(batch), model.encode(batch, with_layers=True)
    assert found.shape == (4, *features["image"].grid)
    places, sound = F.normalize(features["image"].tokens, dim=2), features["audio"].embedding
    torch.testing.assert_close(found.flatten(1), torch.einsum("bnd,bd->bn", places, sound) / 0.2)
    for seen in features.values():
        assert seen.tokens.shape[:2] == (4, torch.tensor(seen.grid).prod())
        torch.testing.assert_close(seen.embedding.norm(dim=1), torch.ones(4))
    alone = model.encode(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]}))
    assert set(alone) == {"image"}
    torch.testing.assert_close(alone["image"].tokens, features["image"].tokens)


def test_draws_are_keyed_and_labels_only_choose_partners() -> None:
    batch = _batch(6)
    first, again = (_model()(batch, RANDOMNESS) for _ in range(2))
    assert first["loss"] == again["loss"]
    assert first["same_class"] == 0
    assert _model()(batch, Randomness(4, 8))["loss"] != first["loss"]
    blind = replace(TINY, cross_class=False)
    unlabelled = _model(blind)(_batch(6, labels=False), RANDOMNESS)
    assert "same_class" not in unlabelled
    assert _model(blind)(batch, RANDOMNESS)["loss"] == unlabelled["loss"]
    assert _model().needs.labels
    assert not _model(blind).needs.labels
    assert not _model(_only(correspondence=1.0)).needs.labels


def test_short_sounds_are_played_again() -> None:
    model, short = _model().eval(), _batch(samples=1_500)
    again = torch.cat([short["waveform"][:, :1_500]] * 5, dim=1)[:, :6_400]
    fields = short.fields | {"waveform": again, "waveform_samples": torch.full((4,), 6_400)}
    whole = Batch(short.sample_ids, short.positions, fields)
    torch.testing.assert_close(model.encode(short)["audio"].tokens, model.encode(whole)["audio"].tokens)


def test_what_it_cannot_train_on_is_refused() -> None:
    batch = _batch()
    silent = Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]})
    for use in (_model().localize, lambda b: _model()(b, RANDOMNESS)):
        with pytest.raises(UsageError, match="nothing to compare"):
            use(silent)
    with pytest.raises(UsageError, match="at least 2 in a batch"):
        _model()(_batch(1), RANDOMNESS)
    assert _model(_only(correspondence=1.0))(_batch(1), RANDOMNESS)["loss"].item() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "values", [{"temperature": 0.0}, {"width": 0}, {"blend_share": 1.0}, {"contrast_chunk": 0}, {"decoder_width": 0}]
)
def test_values_out_of_range_are_refused_by_name(values) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        replace(TINY, **values)


def test_weights_and_lengths_that_leave_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="one above 0"):
        _only()
    with pytest.raises(UsageError, match="one above 0"):
        _only(correspondence=1.0, separation=-1.0)
    with pytest.raises(UsageError, match="at most 8191"):
        replace(TINY, inputs=replace(TINY.inputs, audio_seconds=0.6))


def test_a_few_steps_take_two_tones_apart_by_what_is_seen() -> None:
    """Four colours with a tone each: the right picture brings out its own tone, and a wrong one less of it."""
    alone = Peers(0, 1, torch.device("cpu"))
    model = _model(_only(replace(TINY, convnet=ConvNetConfig((8, 16), (4, 2), (2, 2))), separation=1.0))
    optimizers = build_optimizers(model, OptimizerConfig())
    stepper = Stepper(model, optimizers, NonFiniteGuard(model, alone.device, alone), alone, RANDOMNESS)
    for step in range(60):
        stepper(_tones(16, step), 1e-2, Progress(step, 60, 0.0))
    batch, j = _tones(8, 99), torch.arange(8).roll(1)
    sounds = signals.waveform_from_int16(batch["waveform"])
    model.eval()
    with torch.no_grad():
        right = model.separate(sounds + sounds[j], batch["frames"])
        wrong = model.separate(sounds + sounds[j], batch["frames"][j])
    inside = slice(600, -600)
    error, swapped, mixture = (
        ((x - sounds)[:, inside].square().sum(dim=1) / sounds[:, inside].square().sum(dim=1)).mean()
        for x in (right, wrong, sounds + sounds[j])
    )
    assert error < 0.2 * mixture
    assert error < 0.2 * swapped


def _tones(count: int, step: int) -> Batch:
    kinds = torch.arange(count) % 4
    colours = torch.tensor([[220, 40, 40], [40, 220, 40], [40, 40, 220], [220, 220, 40]])
    generator = torch.Generator().manual_seed(step)
    frames = torch.randint(0, 60, (count, 1, 3, 32, 32), generator=generator)
    frames[:, :, :, 8:24, 8:24] = colours[kinds][:, None, :, None, None]
    pitch = torch.tensor([400.0, 1000.0, 2200.0, 5000.0])[kinds]
    start = 6.28 * torch.rand(count, 1, generator=generator)
    tone = 9000 * torch.sin(start + 6.2832 * pitch[:, None] * torch.arange(6_400) / 16_000)
    fields = {"waveform": tone.short(), "waveform_samples": torch.full((count,), 6_400)}
    fields |= {"frames": frames.to(torch.uint8), "labels": torch.eye(4)[kinds]}
    return Batch(kinds + 1, torch.arange(count) + count * step, fields)
