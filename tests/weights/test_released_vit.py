"""timm, DINOv2, MAE and AudioMAE files: equal to the equations, every key accounted for, variants refused by name."""

import pytest
import torch
from torch import Tensor

from seehear.errors import DataError, UsageError
from seehear.weights import ReleasedEncoder, from_released
from tests.weights.published_vits import made, shapes, tiny, tokens

PICTURE = (2, 3, 48, 48)
FLOAT32, FLOAT64 = 1e-5, 1e-10


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def difference(ours: Tensor, theirs: Tensor) -> float:
    assert ours.shape == theirs.shape
    return ((ours - theirs).norm() / theirs.norm()).item()


def check(encoder: ReleasedEncoder, state: dict[str, Tensor], values: Tensor, heads: int) -> None:
    """Equal in float32 and in float64."""
    name = "image" if values.ndim == 4 else "audio"
    words = {"image" if name == "image" else "spectrogram": values}
    theirs = values if name == "image" else values[:, None]
    with torch.no_grad():
        assert difference(encoder.forward_features(**words)[name], tokens(state, theirs, heads)) < FLOAT32
        wide = {key: value.double() for key, value in state.items()}
        fine = encoder.double().forward_features(**{key: value.double() for key, value in words.items()})[name]
        assert difference(fine, tokens(wide, theirs.double(), heads)) < FLOAT64


# ------------------------------------------------------------------------------------- equal to the equations
@pytest.mark.parametrize("layout", ["vit-timm", "mae"])
@pytest.mark.parametrize("heads", [2, 4])
def test_pictures_are_read_as_the_equations_say(layout: str, heads: int):
    state = tiny()
    encoder = from_released(layout, state, heads=heads)
    check(encoder, state, drawn(*PICTURE), heads)
    assert encoder.layout == layout
    assert not encoder.training


def test_the_names_and_sizes_of_vit_tiny():
    state = made(shapes(width=192, depth=12, patch=16, places=197) | {"head.weight": (1000, 192), "head.bias": (1000,)})
    encoder = from_released("vit-timm", state)
    features = encoder.forward_features(image=drawn(1, 3, 224, 224))["image"]
    assert features.shape == (1, 197, 192)
    assert difference(features, tokens(state, drawn(1, 3, 224, 224), heads=3)) < FLOAT32
    assert len(encoder.reading.used) == 4 + 12 * 12 + 2
    assert set(encoder.reading.unused) == {"head.weight", "head.bias"}


def test_audiomae_goes_time_by_time():
    state = tiny(places=513, channels=1)
    encoder = from_released("audiomae", state, heads=2)
    sound = drawn(2, 1024, 128)
    check(encoder, state, sound, heads=2)
    with torch.no_grad():
        before = encoder.forward_features(spectrogram=sound.double())["audio"]
        assert before.shape == (2, 513, 128)
        changed = sound.double().clone()
        changed[:, 16 * 5 : 16 * 6, 16 * 3 : 16 * 4] += 1.0  # the sixth time, the fourth row of mel bins
        tokens_in = [encoder.trunk.embed(_group(encoder, x))[0] for x in (sound.double(), changed)]
    moved = (tokens_in[0] - tokens_in[1]).abs().sum(dim=-1).nonzero().flatten().tolist()
    assert moved == [1 + 5 * 8 + 3]


def test_audiomae_can_average_its_last_blocks():
    state, sound = tiny(places=513, channels=1, depth=4), drawn(1, 1024, 128)
    encoder = from_released("audiomae", state, heads=2, average_after=1)
    theirs = (tokens(state, sound[:, None], 2, depth=3) + tokens(state, sound[:, None], 2, depth=4)) / 2
    assert difference(encoder.forward_features(spectrogram=sound)["audio"], theirs) < FLOAT32
    with pytest.raises(UsageError, match="after number 3 of 4"):
        from_released("audiomae", state, average_after=3)


def _group(encoder: ReleasedEncoder, sound: Tensor):
    from seehear.layers.packing import whole
    from seehear.layers.patches import cut_spectrogram_by_time

    return whole("audio", cut_spectrogram_by_time(sound, encoder.patch))


def test_without_a_class_token_there_is_none():
    state = tiny(places=9)
    del state["cls_token"]
    encoder = from_released("vit-timm", state)
    check(encoder, state, drawn(*PICTURE), heads=2)
    assert encoder.forward_features(image=drawn(*PICTURE).double())["image"].shape[1] == 9


def test_a_class_token_without_a_position():
    state = tiny(places=9)
    check(from_released("vit-timm", state), state, drawn(*PICTURE), heads=2)


@pytest.mark.parametrize("name", ["reg_token", "register_tokens"])
@pytest.mark.parametrize("places", [9, 10, 14])
def test_registers_with_and_without_positions(name: str, places: int):
    state = tiny(places=places) | made({name: (1, 4, 128)}, seed=3)
    encoder = from_released("vit-timm", state)
    check(encoder, state, drawn(*PICTURE), heads=2)
    assert encoder.forward_features(image=drawn(*PICTURE).double())["image"].shape[1] == 1 + 4 + 9


def test_layer_scale_is_folded():
    scales = {f"blocks.{n}.ls{i}.gamma": (128,) for n in range(2) for i in (1, 2)}
    state = tiny() | made(scales, seed=4)
    encoder = from_released("vit-timm", state)
    check(encoder, state, drawn(*PICTURE), heads=2)
    assert set(scales) <= set(encoder.reading.used)
    assert encoder.preprocessing.image_mean == (0.485, 0.456, 0.406)


def test_mixed_types_and_a_wrapper_of_the_names_change_nothing():
    state = tiny()
    halves = {f"module.{name}": value.half() for name, value in state.items()}
    encoder = from_released("mae", halves)
    rounded = {name: value.half().float() for name, value in state.items()}
    check(encoder, rounded, drawn(*PICTURE), heads=2)
    assert all(not name.startswith("module.") for name in encoder.reading.used)


def test_a_grid_that_is_not_square():
    state = tiny(places=1 + 2 * 5)
    with pytest.raises(DataError, match=r"pos_embed has 11 places.*grid="):
        from_released("vit-timm", state)
    check(from_released("vit-timm", state, grid=(2, 5)), state, drawn(1, 3, 32, 80), heads=2)


def test_positions_are_carried_to_pictures_of_another_size():
    state = tiny()
    constant = state | {"pos_embed": torch.cat([state["pos_embed"][:, :1], torch.ones(1, 9, 128)], dim=1)}
    encoder = from_released("vit-timm", constant, image_size=64)
    larger = constant | {"pos_embed": torch.cat([state["pos_embed"][:, :1], torch.ones(1, 16, 128)], dim=1)}
    picture = drawn(1, 3, 64, 64)
    assert difference(encoder.forward_features(image=picture)["image"], tokens(larger, picture, 2)) < FLOAT32
    assert encoder.preprocessing.image_size == (64, 64)
    assert list(encoder.reading.missing) == ["pos_embed of 4 x 4"]
    same = from_released("vit-timm", state, image_size=(48, 48))
    assert not same.reading.missing
    with pytest.raises(UsageError, match="multiples of the patch, 16"):
        from_released("vit-timm", state, image_size=50)


def test_reading_draws_nothing():
    before = torch.get_rng_state()
    from_released("mae", tiny())
    assert torch.equal(torch.get_rng_state(), before)


def test_gradients_reach_every_weight_and_the_input():
    encoder = from_released("mae", tiny())
    picture = drawn(*PICTURE).requires_grad_()
    encoder.forward_features(image=picture)["image"].pow(2).sum().backward()
    assert picture.grad is not None
    assert [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.any()] == []


# ------------------------------------------------------------------------------------- keys, each by name
def test_every_key_ends_up_somewhere():
    others = made(
        {
            "mask_token": (1, 1, 64),
            "decoder_embed.weight": (64, 128),
            "decoder_blocks.0.norm1.weight": (64,),
            "head.bias": (10,),
            "fc_norm.weight": (128,),
            "strange": (3,),
        }
    )
    state = tiny() | others
    reading = from_released("mae", state).reading
    assert set(reading.used) | set(reading.unused) == set(state)
    assert set(reading.unused) == set(others)
    assert "not part of the mae layout" in reading.unused["strange"]
    assert "pretraining alone" in reading.unused["decoder_blocks.0.norm1.weight"]
    assert any("unused" in line and "strange" in line for line in reading.lines())


@pytest.mark.parametrize(
    "name",
    [
        "norm_pre.weight",
        "blocks.1.attn.q_norm.weight",
        "blocks.0.mlp.w12.weight",
        "blocks.0.attn.relative_position_bias_table",
        "blocks.0.gamma_1",
        "patch_embed.norm.weight",
        "patch_embed.backbone.stem.weight",
        "rel_pos_bias.table",
        "dist_token",
    ],
)
def test_what_changes_the_function_is_refused_by_name(name: str):
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        from_released("vit-timm", tiny() | {name: torch.ones(128)})


def test_all_missing_keys_are_named_at_once():
    state = tiny()
    for name in ("blocks.0.attn.qkv.bias", "blocks.1.attn.qkv.bias", "norm.bias", "norm.weight"):
        del state[name]
    with pytest.raises(DataError, match=r"4 keys .* blocks\.\{0-1\}\.attn\.qkv\.bias, norm\.weight, norm\.bias"):
        from_released("vit-timm", state)


def test_the_keys_that_tell_sizes_are_missed_first():
    with pytest.raises(DataError, match=r"from which sizes are read missing: pos_embed"):
        from_released("vit-timm", {k: v for k, v in tiny().items() if k != "pos_embed"})


def test_other_shapes_are_named_with_both_shapes():
    state = tiny() | {"norm.weight": torch.ones(64), "blocks.1.mlp.fc1.bias": torch.ones(3)}
    with pytest.raises(
        DataError, match=r"2 tensors.*blocks\.1\.mlp\.fc1\.bias is \[3\], expected \[512\].*norm\.weight"
    ):
        from_released("vit-timm", state)


def test_a_gap_in_the_blocks_is_missed():
    state = {name: value for name, value in tiny().items() if not name.startswith("blocks.0.")}
    with pytest.raises(DataError, match=r"12 keys of the vit-timm layout missing: blocks\.0\.norm1"):
        from_released("vit-timm", state)


def test_a_file_tuned_on_the_mean_of_its_tokens_says_so():
    state = {name: value for name, value in tiny().items() if not name.startswith("norm.")}
    with pytest.raises(DataError, match="fc_norm"):
        from_released("mae", state | {"fc_norm.weight": torch.ones(128), "fc_norm.bias": torch.ones(128)})


# ------------------------------------------------------------------------------------- inputs
@pytest.mark.parametrize(
    ("layout", "words", "says"),
    [
        ("mae", {"spectrogram": (1, 1024, 128)}, "an audio input"),
        ("mae", {"image": (1, 3, 48, 48), "spectrogram": (1, 1024, 128)}, "an audio input"),
        ("mae", {}, "no input"),
        ("mae", {"image": (1, 3, 48, 64)}, r"\(1, 3, 48, 64\).*\[B, 3, 48, 48\]"),
        ("mae", {"image": (3, 48, 48)}, r"\[B, 3, 48, 48\]"),
        ("audiomae", {"image": (1, 3, 48, 48)}, "image input"),
        ("audiomae", {"spectrogram": (1, 128, 1024)}, r"\[B, 1024, 128\]"),
    ],
)
def test_wrong_inputs_are_refused(layout: str, words: dict[str, tuple[int, ...]], says: str):
    encoder = from_released(layout, tiny() if layout == "mae" else tiny(places=513, channels=1))
    with pytest.raises(UsageError, match=says):
        encoder.forward_features(**{name: torch.zeros(shape) for name, shape in words.items()})


def test_pictures_in_bytes_are_refused():
    with pytest.raises(UsageError, match="uint8"):
        from_released("mae", tiny()).forward_features(image=torch.zeros(PICTURE, dtype=torch.uint8))


def test_a_plain_vit_neither_classifies_nor_draws():
    encoder = from_released("vit-timm", tiny())
    with pytest.raises(UsageError, match="fine-tuned"):
        encoder.classify(image=torch.zeros(PICTURE))
    with pytest.raises(UsageError, match="pretraining"):
        encoder.reconstruction_losses(*[torch.zeros(1)] * 4)
