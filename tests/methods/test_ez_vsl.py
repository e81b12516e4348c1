"""EZ-VSL: shapes, information flow, arms, its map by hand, and that a few steps find where the sound is."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear import signals
from seehear.contracts import Batch, Encodes, Progress
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.losses.multiple_instance import multiple_instance_info_nce
from seehear.methods.ez_vsl import Config, ConvNetConfig, EzVsl, SiameseConfig
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper
from seehear.weights.precision import Forward

INPUTS = InputConfig(audio_seconds=0.8, mel_bins=16, audio_frames=64, image_height=32, image_width=48)
TINY = Config(
    inputs=INPUTS,
    towers="convnet",
    convnet=ConvNetConfig(widths=(4, 8), image_strides=(4, 2), audio_strides=(4, 4)),
    siamese=SiameseConfig(patch=8, width=16, depth=2, heads=2),
    width=6,
    temperature=0.2,
)
VARIANTS = {
    "max": TINY,
    "pool": replace(TINY, score="pool"),
    "mean": replace(TINY, score="mean", reduction="mean"),
    "chunked": replace(TINY, contrast_chunk=3),
    "resnet18": replace(TINY, towers="resnet18"),
    "siamese ViT": replace(TINY, towers="siamese_vit"),
}
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)


def _batch(count: int = 4, samples: int = 12_800) -> Batch:
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (count, 12_800), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (count, 1, 3, 32, 48), generator=generator).to(torch.uint8)
    fields = {"waveform": waveform, "waveform_samples": torch.full((count,), samples), "frames": frames}
    return Batch(torch.arange(count) * 31 + 7, torch.arange(count), fields)


def _model(config: Config = TINY, dtype: torch.dtype = torch.float32) -> EzVsl:
    torch.manual_seed(0)
    return EzVsl(config).to(dtype)


def _without(batch: Batch, *names: str) -> Batch:
    return Batch(batch.sample_ids, batch.positions, {n: v for n, v in batch.fields.items() if n not in names})


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_parameter(name: str) -> None:
    model = _model(VARIANTS[name])
    model(_batch(), RANDOMNESS)["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", VARIANTS)
def test_its_map_is_what_its_features_say(name: str) -> None:
    model = _model(VARIANTS[name]).eval()
    batch = _batch()
    found, features = model.localize(batch), model.encode(batch)
    assert found.shape == (4, *features["image"].grid)
    places, sound = F.normalize(features["image"].tokens, dim=2), features["audio"].embedding
    for b in range(4):
        by_hand = torch.stack([torch.dot(place, sound[b]) / 0.2 for place in places[b]])
        torch.testing.assert_close(found[b].flatten(), by_hand)
    for modality, seen in features.items():
        assert seen.tokens.shape == (4, torch.tensor(seen.grid).prod(), 6), modality
        torch.testing.assert_close(seen.embedding.norm(dim=1), torch.ones(4))


def test_the_loss_is_that_of_its_map() -> None:
    config = replace(TINY, inputs=replace(INPUTS, flip=False))
    model = _model(config, torch.float64).eval()
    batch = _batch()
    features = model.encode(batch)
    places, sound = F.normalize(features["image"].tokens, dim=2), features["audio"].embedding
    expected = multiple_instance_info_nce(sound, places, batch.sample_ids, 0.2)
    torch.testing.assert_close(model(batch, RANDOMNESS)["loss"], expected)


def test_the_sound_is_the_projected_maximum_of_its_map() -> None:
    model = _model().eval()
    values = model.patches(_batch(), None)["audio"]
    maps = model.trunk["audio"](values)[-1]
    pooled = torch.stack([torch.stack([channel.max() for channel in clip]) for clip in maps])
    torch.testing.assert_close(model.encode(_batch())["audio"].pooled, model.audio_projection(pooled))


def test_features_need_no_other_modality() -> None:
    model, batch = _model().eval(), _batch()
    both = model.encode(batch, with_layers=True)
    assert [layer.shape[2] for layer in both["image"].layers] == [4, 8]
    for modality, names in (("audio", ("frames",)), ("image", ("waveform", "waveform_samples"))):
        alone = model.encode(_without(batch, *names))
        assert set(alone) == {modality}
        torch.testing.assert_close(alone[modality].tokens, both[modality].tokens)
    with pytest.raises(UsageError, match="nothing to compare"):
        model.localize(_without(batch, "frames"))
    with pytest.raises(UsageError, match="nothing to compare"):
        model(_without(batch, "waveform", "waveform_samples"), RANDOMNESS)


def test_the_spectrogram_is_the_published_one_of_3_seconds() -> None:
    with torch.device("meta"):
        model = EzVsl(Config())
    assert model.grids == {"audio": (9, 7), "image": (7, 7)}
    assert sum(p.numel() for p in model.parameters()) == 22_872_064
    waveform = torch.randint(-20_000, 20_000, (2, 48_000)).to(torch.int16)
    fields = {"waveform": waveform, "waveform_samples": torch.tensor([48_000, 20_000])}
    small = _model(replace(TINY, inputs=replace(INPUTS, audio_seconds=3.0)))
    found = small.patches(Batch(torch.arange(2), torch.arange(2), fields), None)["audio"]
    assert found.shape == (2, 1, 257, 200)
    again = torch.cat([waveform[1, :20_000]] * 3)[:48_000]
    rows = torch.stack([waveform[0], again]).float() / 32768
    torch.testing.assert_close(found[:, 0], signals.log_spectrogram(rows))


def test_training_pictures_are_cropped_and_mirrored_and_others_are_not() -> None:
    model = _model(replace(TINY, inputs=replace(INPUTS, crop_scale=(0.83, 0.83), flip=True)))
    batch = _batch()
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)
    plain, drawn = model.patches(batch, None), model.patches(batch, keys)
    torch.testing.assert_close(plain["image"], signals.normalize_image(batch["frames"][:, 0]))
    assert (plain["image"] - drawn["image"]).abs().amax(dim=(1, 2, 3)).min() > 0.1
    assert torch.equal(plain["audio"], drawn["audio"])


@pytest.mark.parametrize("towers", ["convnet", "siamese_vit"])
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_it_encodes_in_fewer_bits(towers, precision) -> None:
    model = _model(replace(TINY, towers=towers)).eval()
    exact, found = (Forward(model, p)(_batch()) for p in ("fp32", precision))
    for modality, features in found.items():
        assert features.tokens.dtype == features.embedding.dtype == torch.float32
        assert F.cosine_similarity(features.embedding, exact[modality].embedding).min() > 0.99, modality


def test_it_can_be_fine_tuned_part_by_part() -> None:
    assert isinstance(_model(), Encodes)


def test_a_few_steps_find_the_place_of_each_sound() -> None:
    """Five colours with a tone each; in every picture a square of the colour that sounds and one of another."""
    alone = Peers(0, 1, torch.device("cpu"))
    config = replace(TINY, width=16, inputs=replace(INPUTS, audio_seconds=0.4))
    model = _model(replace(config, convnet=ConvNetConfig((8, 16), (4, 2), (4, 4))))
    optimizers = build_optimizers(model, OptimizerConfig())
    stepper = Stepper(model, optimizers, NonFiniteGuard(model, alone.device, alone), alone, RANDOMNESS)
    generator = torch.Generator().manual_seed(1)
    for step in range(80):
        stepper(_two_squares(24, generator, step)[0], 2e-3, Progress(step, 80, 0.0))
    batch, left = _two_squares(120, generator)
    model.eval()
    with torch.no_grad():
        found = model.localize(batch)
    hits = (found[:, :, :2].amax(dim=(1, 2)) > found[:, :, 4:].amax(dim=(1, 2))) == left
    assert hits.float().mean() > 0.75


def _two_squares(count: int, generator: torch.Generator, step: int = 0) -> tuple[Batch, torch.Tensor]:
    """Clips, and which of them sound on the left; those of one colour and tone share an id, so are no negatives."""
    kinds = torch.arange(count) % 5
    others = (kinds + torch.randint(1, 5, (count,), generator=generator)) % 5
    frames = torch.randint(90, 140, (count, 1, 3, 32, 48), generator=generator).to(torch.uint8)
    left = torch.rand(count, generator=generator) < 0.5
    low, high = 100, 255
    colours = torch.tensor([[high, low, low], [low, high, low], [low, low, high], [high, high, low], [low, high, high]])
    for row in range(count):
        own, other = (slice(0, 16), slice(32, 48)) if left[row] else (slice(32, 48), slice(0, 16))
        frames[row, 0, :, 8:24, own] = colours[kinds[row]][:, None, None].to(torch.uint8)
        frames[row, 0, :, 8:24, other] = colours[others[row]][:, None, None].to(torch.uint8)
    pitch = torch.tensor([300.0, 800.0, 1600.0, 3000.0, 5500.0])[kinds]
    tone = 9000 * torch.sin(6.2832 * pitch[:, None] * torch.arange(6_400) / 16_000)
    waveform = (tone + 500 * torch.randn(count, 6_400, generator=generator)).short()
    fields = {"waveform": waveform, "waveform_samples": torch.full((count,), 6_400), "frames": frames}
    return Batch(kinds, torch.arange(count) + count * step, fields), left


@pytest.mark.parametrize("values", [{"temperature": 0.0}, {"width": 0}, {"contrast_chunk": 0}])
def test_values_out_of_range_are_refused_by_name(values) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        replace(TINY, **values)
    with pytest.raises(UsageError, match="audio_seconds is 0"):
        replace(TINY, inputs=replace(INPUTS, audio_seconds=0.01))
