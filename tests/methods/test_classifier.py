"""The classifier: the loss by a slow loop, exact shares of modalities, gradients, rates, averages, several pictures."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear import methods
from seehear.configuration import from_dict, to_dict
from seehear.contracts import Batch, Classifies, Encodes, Progress
from seehear.errors import UsageError
from seehear.layers.encoder_survey import survey
from seehear.layers.inputs import InputConfig
from seehear.layers.mixup import mixup
from seehear.methods import avsiam, cav_mae
from seehear.methods.classifier import Classifier, Config
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig
from seehear.training.optimizers import build_optimizers

INPUTS = InputConfig(
    audio_seconds=0.8, mel_bins=16, audio_frames=64, image_height=16, image_width=24, spec_augment=(6, 12)
)
AVSIAM = avsiam.Config(
    inputs=INPUTS,
    patch=8,
    width=16,
    depth=2,
    heads=2,
    masking=avsiam.MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=avsiam.ReconstructionConfig(fusion_depth=1, width=8, depth=1, heads=2, audio_trunk="separate"),
)
CAV_MAE = cav_mae.Config(
    inputs=INPUTS, patch=8, width=16, depth=1, heads=2, decoder_width=8, decoder_depth=1, decoder_heads=2
)
CLASSES = ("bell", "dog", "rain")
PLAIN = Config(encoder=AVSIAM, classes=CLASSES, single_label=True)
AS_CAV_MAE = Config(encoder=CAV_MAE, classes=CLASSES, single_label=False, heads="one", pool="whole")
BOTH_ONLY = ("audiovisual",)
VARIANTS = {
    "AVSiam": PLAIN,
    "several labels": replace(PLAIN, single_label=False),
    "mismatched pictures": replace(PLAIN, mixup_image="independent"),
    "both only": replace(PLAIN, draw=BOTH_ONLY),
    "sound only": replace(PLAIN, draw=("audio",)),
    "CAV-MAE": AS_CAV_MAE,
    "CAV-MAE, both only": replace(AS_CAV_MAE, draw=BOTH_ONLY),
    "CAV-MAE with three heads": replace(AS_CAV_MAE, heads="three", pool="parts"),
    "contrast alone": replace(PLAIN, encoder=replace(CAV_MAE, reconstruction_weight=0.0)),
    "linear probe": replace(PLAIN, freeze_encoder=True),
}
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)


def _batch(count: int = 8, frames: int = 1) -> Batch:
    draws = torch.Generator().manual_seed(5)
    labels = torch.eye(3)[torch.randint(0, 3, (count,), generator=draws)]
    fields = {
        "waveform": torch.randint(-20_000, 20_000, (count, 12_800), generator=draws).to(torch.int16),
        "waveform_samples": torch.full((count,), 12_800),
        "frames": torch.randint(0, 256, (count, frames, 3, 16, 24), generator=draws).to(torch.uint8),
        "labels": labels,
    }
    return Batch(torch.arange(count) * 31 + 7, torch.arange(count), fields)


def _model(config: Config = PLAIN, dtype: torch.dtype = torch.float32) -> Classifier:
    torch.manual_seed(0)
    model = Classifier(config).to(dtype)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    return model


# ------------------------------------------------------------------------------------------------- what is trained
@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_trained_parameter_and_no_other(name):
    model = _model(VARIANTS[name])
    assert isinstance(model, Classifies)
    losses = model(_batch(), RANDOMNESS)
    assert all(v.ndim == 0 and v.isfinite() for v in losses.values())
    losses["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name
        else:
            assert parameter.grad is None, parameter_name
    trained = {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad}
    assert trained == ({"heads"} if name == "linear probe" else {"heads", "encoder"})


def test_what_only_pretraining_needs_is_left_out():
    names = {name.split(".")[1] for name, _ in _model().named_parameters() if name.startswith("encoder.")}
    assert names == {"trunk", "fusion"}
    kept = set(_model(AS_CAV_MAE).encoder.state_dict())
    assert not any(name.startswith("decoder") for name in kept)
    assert kept < set(methods.get("cav_mae")(CAV_MAE).state_dict())


def test_norms_of_one_modality_stay_as_they_are_where_both_are_trained():
    model = _model(VARIANTS["CAV-MAE, both only"])
    idle = {name for name, p in model.encoder.named_parameters() if not p.requires_grad}
    assert idle
    assert all(name.startswith(("joint", "norm")) and (".audio." in name or ".image." in name) for name in idle)


def test_a_survey_leaves_the_encoder_and_the_generator_alone():
    torch.manual_seed(1)
    encoder = avsiam.AVSiam(AVSIAM)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    state = torch.get_rng_state()
    found = survey(encoder, ("audio",))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert (found.width, dict(found.tokens)) == (16, {"audio": 16, "image": 6})
    assert "fusion.0.mlp.fc1.weight" not in found.used


# ------------------------------------------------------------------------------------------------------- the loss
@pytest.mark.parametrize("name", ["AVSiam", "several labels", "mismatched pictures", "CAV-MAE", "both only"])
def test_the_loss_is_that_of_a_slow_loop_in_value_and_gradient(name):
    config = VARIANTS[name]
    model, batch = _model(config, torch.float64), _batch()
    fast = model(batch, RANDOMNESS)["loss"]
    slow = _slow_loss(model, batch, config)
    torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-12)
    trained = [p for p in model.parameters() if p.requires_grad]
    for one, other in zip(*(torch.autograd.grad(loss, trained) for loss in (fast, slow)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10)


def _slow_loss(model: Classifier, batch: Batch, config: Config) -> torch.Tensor:
    """Clip by clip, both modalities encoded for each."""
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)
    made = mixup(batch, keys, config.mixup, config.mixup_alpha, config.mixup_image)
    drawn = RANDOMNESS.ratio_index(batch.positions, len(config.draw), "modality")
    total = torch.zeros((), dtype=torch.float64)
    for i in range(len(batch)):
        mode = config.draw[int(drawn[i])]
        one = Batch(
            batch.sample_ids[i : i + 1],
            batch.positions[i : i + 1],
            {n: v[i : i + 1] for n, v in made.batch.fields.items()},
        )
        found = model.encoder.features(model.encoder.branches(model.encoder.patches(one, keys[i : i + 1])))[mode]
        pooled = found.pooled[0]
        if mode == "audiovisual" and config.pool == "parts":
            sounds = model.survey.tokens["audio"]
            pooled = torch.cat([found.tokens[0, :sounds].mean(dim=0), found.tokens[0, sounds:].mean(dim=0)])
        logits = model.heads["all" if config.heads == "one" else mode](pooled)
        share, count = config.label_smoothing / len(CLASSES), len(CLASSES)
        label = made.labels[i].double()
        target = (1 - config.label_smoothing) * label + share * (1 if made.mixed[i] else 1 - label)
        if config.single_label:
            total = total - (target * F.log_softmax(logits, dim=0)).sum() / len(batch)
        else:
            total = total + F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / count / len(batch)
    return total


def test_shares_of_modalities_are_exact_however_the_batch_is_cut():
    model = _model()
    positions = torch.arange(40)
    dealt = model.dealt(positions, RANDOMNESS)
    assert {m: len(rows) for m, rows in dealt.items()} == {"audio": 10, "image": 10, "audiovisual": 20}
    mode = {int(p): m for m, rows in dealt.items() for p in positions[rows]}
    for first in range(0, 40, 4):
        part = model.dealt(positions[first : first + 4], RANDOMNESS)
        assert {int(positions[first + r]): m for m, rows in part.items() for r in rows.tolist()} == {
            p: mode[p] for p in range(first, first + 4)
        }
    assert len({tuple(mode[p] for p in range(first, first + 4)) for first in range(0, 40, 4)}) > 1


def test_a_batch_in_two_pieces_gives_the_same_loss_and_gradients():
    model, batch = _model(dtype=torch.float64), _batch()
    whole = torch.autograd.grad(model(batch, RANDOMNESS)["loss"], list(model.parameters()))
    halves = []
    for rows in (slice(0, 4), slice(4, 8)):
        piece = Batch(batch.sample_ids[rows], batch.positions[rows], {n: v[rows] for n, v in batch.fields.items()})
        halves.append(torch.autograd.grad(model(piece, RANDOMNESS)["loss"] / 2, list(model.parameters())))
    for one, parts in zip(whole, zip(*halves, strict=True), strict=True):
        torch.testing.assert_close(one, parts[0] + parts[1], rtol=1e-7, atol=1e-10)


def test_spec_augment_wipes_stripes_of_training_inputs_only():
    batch = _batch(2)
    quiet = replace(INPUTS, audio_noise=False, audio_roll=False)
    with_stripes, without = (
        avsiam.AVSiam(replace(AVSIAM, inputs=i)) for i in (quiet, replace(quiet, spec_augment=(0, 0)))
    )
    keys = torch.arange(2) * 99
    assert torch.equal(with_stripes.patches(batch, None)["audio"], without.patches(batch, None)["audio"])
    changed = with_stripes.patches(batch, keys)["audio"] != without.patches(batch, keys)["audio"]
    assert changed.any()
    wiped = with_stripes.patches(batch, keys)["audio"][changed]
    torch.testing.assert_close(wiped, torch.full_like(wiped, (0 + 5.081) / 4.4849))


# ------------------------------------------------------------------------------------------------------ classifying
@pytest.mark.parametrize("name", ["AVSiam", "several labels", "CAV-MAE"])
def test_several_pictures_are_as_one_by_one(name):
    model, batch = _model(VARIANTS[name]).eval(), _batch(3, frames=4)
    found = model.classify(batch)
    assert {m: tuple(v.shape) for m, v in found.items()} == {
        "audio": (3, 3),
        "image": (3, 4, 3),
        "audiovisual": (3, 4, 3),
    }
    each = []
    for place in range(4):
        fields = {**batch.fields, "frames": batch["frames"][:, place : place + 1]}
        each.append(model.classify(Batch(batch.sample_ids, batch.positions, fields)))
        torch.testing.assert_close(found["audio"], each[-1]["audio"])
    for modality in ("image", "audiovisual"):
        torch.testing.assert_close(found[modality], torch.stack([e[modality] for e in each], dim=1))
        scores = torch.stack([model.scores(e[modality]) for e in each]).mean(dim=0)
        torch.testing.assert_close(model.scores(found[modality]), scores)
    sums = model.scores(found["audiovisual"]).sum(dim=1)
    assert torch.allclose(sums, torch.ones(3)) == (name == "AVSiam")


def test_what_a_batch_carries_decides_what_is_classified():
    model, batch = _model().eval(), _batch(2)
    whole = model.classify(batch)
    for modality, names in (("audio", ("waveform", "waveform_samples")), ("image", ("frames",))):
        alone = model.classify(Batch(batch.sample_ids, batch.positions, {n: batch[n] for n in names}))
        assert list(alone) == [modality]
        torch.testing.assert_close(alone[modality], whole[modality])
    with pytest.raises(UsageError, match="nothing to classify"):
        model.classify(Batch(batch.sample_ids, batch.positions, {"labels": batch["labels"]}))


def test_a_network_trained_on_both_sees_a_blank_in_the_place_of_what_is_missing():
    model, batch = _model(VARIANTS["both only"]).eval(), _batch(2)
    found = model.classify(batch)
    assert set(found) == {"audio", "image", "audiovisual"}
    patches = model.encoder.patches(batch, None)
    blank = {"audio": patches["audio"], "image": torch.zeros_like(patches["image"])}
    features = model.encoder.features(model.encoder.branches(blank))["audiovisual"].tokens
    sounds = model.survey.tokens["audio"]
    pooled = torch.cat([features[:, :sounds].mean(dim=1), features[:, sounds:].mean(dim=1)], dim=1)
    torch.testing.assert_close(found["audio"], model.heads["audiovisual"](pooled))
    assert set(_model(VARIANTS["sound only"]).eval().classify(batch)) == {"audio"}


def test_needs_are_those_of_what_is_drawn():
    needs = _model(VARIANTS["sound only"]).needs
    assert (needs.audio.seconds, needs.frames, needs.labels) == (0.8, None, True)
    assert _model().needs.frames.count == 1


# ---------------------------------------------------------------------------------------------- rates and averaging
def test_rates_of_encoder_fusion_and_heads():
    config = replace(PLAIN, encoder_lr_scale=0.5, fusion_lr_scale=3.0, head_lr_scale=10.0)
    model = _model(config)
    scale = _scales(model)
    assert scale["heads.audio.linear.weight"] == 10
    assert scale["encoder.fusion.0.attn.qkv.weight"] == 3
    assert scale["encoder.trunk.blocks.1.mlp.fc1.weight"] == scale["encoder.trunk.positions.audio"] == 0.5
    assert set(scale) == {name for name, p in model.named_parameters() if p.requires_grad}
    build_optimizers(model, OptimizerConfig())


def test_rates_decay_from_layer_to_layer_and_fusion_is_on_top():
    scale = _scales(_model(replace(PLAIN, layer_decay=0.5)))
    assert scale["heads.image.norm.bias"] == scale["encoder.fusion.0.norm1.joint.weight"] == 1
    assert scale["encoder.trunk.norm.audio.weight"] == 1
    assert scale["encoder.trunk.blocks.1.norm1.audio.weight"] == 0.5
    assert scale["encoder.trunk.blocks.0.norm1.audio.weight"] == 0.25
    assert scale["encoder.trunk.patch_embed.image.proj.weight"] == 0.125


def _scales(model: Classifier) -> dict[str, float]:
    names = {id(p): name for name, p in model.named_parameters()}
    groups = model.parameter_groups("joint")
    for group in groups:
        assert {p.ndim >= 2 for p in group["params"]} == {group["weight_decay_scale"] == 1}
    return {names[id(p)]: group["lr_scale"] for group in groups for p in group["params"]}


def test_averaged_weights_take_the_place_of_the_last_ones_only_when_training_is_over():
    model = _model(replace(PLAIN, average_epochs=(1, 2)))
    last = model.heads["audio"].linear.bias
    model.after_training()
    assert model.weights_in_use == "the last weights"
    for step, value in itertools.chain(zip(range(1, 7), range(6), strict=True)):
        last.data.fill_(float(value))
        model.after_step(Progress(step, 6, step / 2))  # two steps an epoch: ends after steps 2, 4 and 6
    assert last.tolist() == [5.0] * 3
    model.after_training()
    assert last.tolist() == [2.0] * 3  # of 1 and 3
    assert model.weights_in_use == "the mean of the weights at the ends of 2 epochs"
    with pytest.raises(UsageError, match="no weights are averaged"):
        _model().use_average()


# ------------------------------------------------------------------------------------------------ what is refused
@pytest.mark.parametrize("config", [PLAIN, AS_CAV_MAE, replace(PLAIN, average_epochs=(3, 15), layer_decay=0.75)])
def test_a_configuration_survives_json(config):
    assert from_dict(Config, to_dict(config)) == config
    assert methods.config(to_dict(config)) == config


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"heads": "one"}, "pool 'whole'"),
        ({"draw": ()}, "draw is"),
        ({"mixup": 1.5}, "mixup is 1.5"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"classes": ("a",)}, "1 classes"),
        ({"classes": ("a", "a")}, "2 classes with 1 names"),
        ({"layer_decay": 0.0}, "layer_decay"),
    ],
)
def test_an_impossible_configuration_is_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        replace(PLAIN, **changes)


def test_a_batch_that_cannot_be_dealt_or_mixed_is_refused():
    with pytest.raises(UsageError, match=r"a batch of 6 clips.*multiple of 4"):
        _model()(_batch(6), RANDOMNESS)
    odd = _model(VARIANTS["both only"])
    assert odd.batch_multiple == 2
    with pytest.raises(UsageError, match=r"a batch of 3 clips.*multiple of 2"):
        odd(_batch(3), RANDOMNESS)
    assert _model(replace(VARIANTS["both only"], mixup=0.0)).batch_multiple == 1


def test_labels_of_other_classes_are_refused():
    batch = _batch()
    batch.fields["labels"] = torch.eye(8)
    with pytest.raises(UsageError, match=r"8 classes; expected 3"):
        _model()(batch, RANDOMNESS)


def test_several_frames_at_once_are_spread_over_the_clip_and_must_divide_up():
    class TwoFrames(avsiam.AVSiam):
        @property
        def needs(self):
            found = super().needs
            return replace(found, frames=replace(found.frames, count=2))

    model = _model().eval()
    model.encoder.__class__ = TwoFrames
    assert isinstance(model.encoder, Encodes)
    batch = _batch(2, frames=6)
    views, pictures = model._pictures(batch)
    assert pictures == 3
    for clip, view in itertools.product(range(2), range(3)):
        assert torch.equal(views["frames"][3 * clip + view], batch["frames"][clip, [view, view + 3]])
    with pytest.raises(UsageError, match=r"3 frames per clip; expected a multiple of 2"):
        model.classify(_batch(2, frames=3))
