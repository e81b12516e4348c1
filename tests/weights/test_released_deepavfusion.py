"""DeepAVFusion's files: the published network within 1e-4 for any weights, sizes off the shapes, no key lost."""

import pytest
import torch

import seehear
from seehear.contracts import Batch
from seehear.errors import DataError, UsageError
from seehear.randomness import Randomness
from seehear.weights import from_released
from tests.weights.published_deepavfusion import Oracle, deepavfusion


def _inputs(batch=2):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, 224, 224, generator=generator), torch.randn(batch, 1, 128, 192, generator=generator)


def _off(ours, published):
    return max(float((one.double() - other).norm() / other.norm()) for one, other in zip(ours, published, strict=True))


@pytest.mark.parametrize(
    ("made", "options", "oracle"),
    [
        ({}, {}, {}),
        ({"ratio": 0.25, "mlp_ratio": 4.0, "decoders": False}, {}, {}),
        ({"width": 128, "ratio": 0.25, "prefix": "module."}, {}, {"heads": 2}),
        ({"width": 96, "ratio": 0.5, "scale": 3.0}, {"heads": 3}, {"heads": 3}),
        ({"depth": 3, "fused": (1,)}, {}, {}),
        ({"fused": ()}, {}, {}),
        ({"tokens": 8}, {"counts": (2, 5, 1)}, {"counts": (2, 5, 1)}),
        ({"tokens": 16}, {}, {"counts": (8, 4, 4)}),
    ],
)
def test_the_published_network_is_ours(made, options, oracle):
    state = deepavfusion(**made)
    encoder = from_released("deepavfusion", state, **options)
    assert not encoder.training
    with torch.inference_mode():
        found = encoder(*_inputs())
    assert [t.shape[1] for t in found] == [196, 96, made.get("tokens", 32)]
    assert _off(found, Oracle(state, **oracle)(*_inputs())) < 1e-4


def test_every_key_is_used_and_the_state_may_be_wrapped():
    state = deepavfusion(prefix="module.")
    encoder = from_released("deepavfusion", {"state_dict": state, "epoch": 200})
    reading = encoder.reading
    assert set(reading.used) == {name.removeprefix("module.") for name in state}
    assert not reading.unused
    assert (reading.wrapper, reading.left) == ("state_dict", ("epoch",))


def test_a_file_of_an_encoder_alone_draws_nothing_and_says_so():
    reading = from_released("deepavfusion", deepavfusion(decoders=False)).reading
    assert set(reading.missing) == {"audio_decoder_*", "image_decoder_*"}
    windowed = deepavfusion() | {"image_decoder_blocks.0.attn.relative_position_bias_table": torch.zeros(4, 4)}
    encoder = from_released("deepavfusion", windowed)
    assert len(encoder.reading.unused) == sum("decoder" in name for name in windowed)
    assert all("shifted windows" in reason for reason in encoder.reading.unused.values())
    assert len(encoder.method.decoders) == 0


def test_the_two_released_models_differ_in_widths_that_shapes_tell():
    for ratio, mlp_ratio in ((0.25, 1.0), (1.0, 4.0)):
        fusion = from_released("deepavfusion", deepavfusion(ratio=ratio, mlp_ratio=mlp_ratio)).method.config.fusion
        assert (fusion.ratio, fusion.mlp_ratio, fusion.counts, fusion.layers) == (ratio, mlp_ratio, (16, 8, 8), "all")


def test_batches_go_through_it_and_its_decoders_draw():
    method = from_released("deepavfusion", deepavfusion()).method
    generator = torch.Generator().manual_seed(2)
    fields = {
        "waveform": torch.randint(-9000, 9000, (1, 48_000), generator=generator).to(torch.int16),
        "waveform_samples": torch.tensor([48_000]),
        "frames": torch.randint(0, 256, (1, 1, 3, 224, 224), generator=generator).to(torch.uint8),
    }
    batch = Batch(torch.arange(1), torch.arange(1), fields)
    found = method.encode(batch)
    assert {m: f.grid for m, f in found.items()} == {"audio": (8, 12), "image": (14, 14), "audiovisual": (32,)}
    assert set(method.reconstruct(batch, Randomness(0, 10))) == {"audio", "image"}


@pytest.mark.parametrize("name", ["image.cls_token", "audio.blocks.1.ls1.gamma", "fusion_blocks.0.attn.q_norm.weight"])
def test_what_would_change_the_function_is_refused_and_other_extras_are_told(name):
    with pytest.raises(DataError, match=f"change what deepavfusion weights compute: encoder.{name}"):
        from_released("deepavfusion", deepavfusion() | {f"encoder.{name}": torch.ones(64)})
    reading = from_released("deepavfusion", deepavfusion() | {"encoder.image.head.bias": torch.ones(3)}).reading
    assert list(reading.unused) == ["encoder.image.head.bias"]


def test_a_file_loads_by_its_path_and_refuses_one_modality(tmp_path):
    torch.save({"state_dict": deepavfusion(), "epoch": 200}, tmp_path / "checkpoint_latest.pth")
    encoder = seehear.load(tmp_path / "checkpoint_latest.pth")
    assert encoder.about.name == "checkpoint_latest"
    with pytest.raises(UsageError, match="no pictures"):
        encoder.encode_audio(torch.zeros(1, 48_000), 16_000)


def test_what_does_not_fit_is_refused():
    encoder = from_released("deepavfusion", deepavfusion())
    image, logmel = _inputs()
    for given in ((image[..., :-1], logmel), (image, logmel[:, 0]), (image, logmel[:1])):
        with pytest.raises(UsageError):
            encoder(*given)
    with pytest.raises(UsageError, match="read both"):
        encoder.forward_features(image=image)
    tokens = encoder.forward_features(logmel[:, 0].transpose(1, 2), image)
    for one, other in zip(encoder(image, logmel), (tokens[m] for m in ("image", "audio", "audiovisual")), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(DataError, match="holds 32 tokens for 4 \\+ 4 \\+ 4"):
        from_released("deepavfusion", deepavfusion(), counts=(4, 4, 4))
    with pytest.raises(DataError, match="fusion block of layer 5"):
        from_released("deepavfusion", deepavfusion(fused=(0, 5)))
