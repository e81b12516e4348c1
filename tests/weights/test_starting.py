"""Starting points: what of a plain ViT ends up where in AVSiam and CAV-MAE."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from seehear import recipes
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, ReconstructionConfig
from seehear.methods.avsiam import Config as AvsiamConfig
from seehear.methods.cav_mae import CavMae
from seehear.methods.cav_mae import Config as CavMaeConfig
from seehear.weights import from_released
from seehear.weights.starting import start_from
from tests.weights import published

WIDTH, PATCH = 64, 16
INPUTS = InputConfig(audio_seconds=0.64, mel_bins=32, audio_frames=64, image_height=48, image_width=48)
AVSIAM = AvsiamConfig(
    inputs=INPUTS, patch=PATCH, width=WIDTH, depth=3, heads=1,
    reconstruction=ReconstructionConfig(width=32, depth=1, heads=2),
)  # fmt: skip
CAV_MAE = CavMaeConfig(
    inputs=INPUTS, patch=PATCH, width=WIDTH, depth=2, joint_depth=1, heads=1,
    decoder_width=32, decoder_depth=1, decoder_heads=2,
)  # fmt: skip


def vit(channels=3, places=9, depth=3):
    shapes = {"cls_token": (1, 1, WIDTH), "pos_embed": (1, 1 + places, WIDTH)} | published.norms("norm", WIDTH)
    shapes |= {"patch_embed.proj.weight": (WIDTH, channels, PATCH, PATCH), "patch_embed.proj.bias": (WIDTH,)}
    for number in range(depth):
        block = published.block(f"blocks.{number}.", WIDTH)
        shapes |= {name: shape for name, shape in block.items() if not name.split(".")[2].endswith(("_a", "_v"))}
    return published.made(shapes)


def same_block(block, state, number):
    names = dict(block.named_parameters())
    assert torch.equal(names["attn.qkv.weight"], state[f"blocks.{number}.attn.qkv.weight"])
    assert torch.equal(names["mlp.fc2.bias"], state[f"blocks.{number}.mlp.fc2.bias"])
    for name, value in names.items():
        if name.startswith("norm"):
            pair, _, part = name.split(".")
            assert torch.equal(value, state[f"blocks.{number}.{pair}.{part}"]), name


@pytest.mark.parametrize("encoders", ["shared", "separate"])
@pytest.mark.parametrize("fusion", ["last", "repeat"])
def test_avsiam_from_a_vit_that_read_pictures(encoders, fusion):
    state = vit()
    method = AVSiam(replace(AVSIAM, encoders=encoders))
    start_from(method, from_released("vit-timm", state), "nearest", fusion)
    kernel = state["patch_embed.proj.weight"]
    trunk = method.trunk
    picture = trunk.patch_embed["image"].proj.weight.unflatten(1, (PATCH, PATCH, 3)).permute(0, 3, 1, 2)
    sound = trunk.patch_embed["audio"].proj.weight.unflatten(1, (PATCH, PATCH))
    assert torch.equal(picture, kernel)
    torch.testing.assert_close(sound, kernel.mean(1))
    assert torch.equal(trunk.positions["image"], state["pos_embed"][0, 1:])
    nearest = torch.arange(8) * 9 // 8  # as a row: place i takes that of floor(i N / M)
    assert torch.equal(trunk.positions["audio"], state["pos_embed"][0, 1:][nearest])
    for number in range(3):
        for blocks in [trunk.blocks] if encoders == "shared" else trunk.trunks.values():
            same_block(blocks[number], state, number)
    for number, block in zip((1, 2) if fusion == "last" else (2, 2), method.fusion, strict=True):
        same_block(block, state, number)
    for norm in trunk.norm.values():
        assert torch.equal(norm.weight, state["norm.weight"])


def test_positions_can_be_carried_on_the_grid():
    rows = torch.arange(3.0).repeat_interleave(3)[:, None].expand(9, WIDTH)
    state = vit() | {"pos_embed": torch.cat([torch.zeros(1, WIDTH), rows])[None]}
    method = AVSiam(AVSIAM)
    start_from(method, from_released("vit-timm", state), "bicubic")
    table = method.trunk.positions["audio"].view(2, 4, WIDTH)
    assert (table[1] > table[0]).all()
    torch.testing.assert_close(table[:, :1].expand_as(table), table)


def test_a_separate_audio_trunk_starts_from_the_same_blocks():
    state = vit()
    method = AVSiam(replace(AVSIAM, reconstruction=replace(AVSIAM.reconstruction, audio_trunk="separate")))
    start_from(method, from_released("vit-timm", state))
    for number in range(3):
        same_block(method.separate_audio[number], state, number)
    assert torch.equal(method.separate_norm.bias, state["norm.bias"])


def test_avsiam_from_a_vit_that_read_sound():
    state = vit(channels=1, places=4 * 8)  # 4 times of 8 rows
    method = AVSiam(replace(AVSIAM, inputs=replace(INPUTS, mel_bins=128)))
    start_from(method, from_released("audiomae", state))
    kernel, places = state["patch_embed.proj.weight"][:, 0], state["pos_embed"][0, 1:]
    sound = method.trunk.patch_embed["audio"].proj.weight.unflatten(1, (PATCH, PATCH))
    assert torch.equal(sound, kernel.transpose(1, 2)), "theirs is (frame, mel bin), ours (mel bin, frame)"
    picture = method.trunk.patch_embed["image"].proj.weight.unflatten(1, (PATCH * PATCH, 3))
    torch.testing.assert_close(picture.sum(-1), sound.flatten(1))
    assert torch.equal(method.trunk.positions["audio"].view(8, 4, -1), places.view(4, 8, -1).transpose(0, 1))


def test_cav_mae_from_a_vit_sums_the_colours_and_splits_the_blocks():
    state = vit()
    method = CavMae(CAV_MAE)
    fixed = {m: table.clone() for m, table in method.trunk.positions.items()}
    start_from(method, from_released("mae", state))
    sound = method.trunk.patch_embed["audio"].proj.weight.unflatten(1, (PATCH, PATCH))
    torch.testing.assert_close(sound, state["patch_embed.proj.weight"].sum(1))
    for trunk in method.trunk.trunks.values():
        for number in range(2):
            same_block(trunk[number], state, number)
    same_block(method.joint[0], state, 2)
    assert all(torch.equal(method.trunk.positions[m], table) for m, table in fixed.items())


def test_weights_of_another_size_or_method_are_refused():
    for state in (vit(depth=2), published.cav_mae()):
        encoder = from_released("vit-timm" if "cls_token" in state else "cav-mae", state, heads=1)
        with pytest.raises(UsageError):
            start_from(AVSiam(AVSIAM), encoder)
    with pytest.raises(UsageError, match="stem"):
        start_from(AVSiam(replace(AVSIAM, stem="hierarchical")), from_released("vit-timm", vit()))


def test_released_weights_of_the_same_method_go_on():
    encoder = from_released("cav-mae", published.cav_mae(), heads=1, decoder_heads=published.DRAWING_HEADS)
    method = CavMae(replace(encoder.method.config, temperature=0.1))
    start_from(method, encoder)
    for name, value in encoder.method.state_dict().items():
        assert torch.equal(method.state_dict()[name], value), name


def test_a_run_starts_from_a_file_and_goes_on_from_its_checkpoint(tmp_path):
    from seehear.runs.pretraining import _start, build_method

    save_file(vit(), tmp_path / "vit.safetensors")
    recipe = recipes.get("avsiam_tiny")
    config = replace(recipe, method=AVSIAM, init=f"vit-timm:{tmp_path / 'vit.safetensors'}")
    method = build_method(config)
    _start(method, config)
    assert torch.equal(method.trunk.positions["image"], vit()["pos_embed"][0, 1:])
    with pytest.raises(UsageError, match="LAYOUT:FILE"):
        replace(recipe, init="vit_base.safetensors")
