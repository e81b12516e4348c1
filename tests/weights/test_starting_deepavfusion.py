"""Starting points of DeepAVFusion: each plain ViT fills the trunk of its own modality; own weights fill all."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from seehear.errors import UsageError
from seehear.layers.log_mel_inputs import LOG_MEL_INPUTS
from seehear.methods.deepavfusion import Config, DeepAVFusion
from seehear.runs.pretraining import _start
from seehear.training import DataConfig, RunConfig
from seehear.weights import from_released
from seehear.weights.starting import start_from
from tests.weights.published_deepavfusion import deepavfusion
from tests.weights.published_vits import tiny

SMALL = Config(
    inputs=replace(LOG_MEL_INPUTS, image_height=48, image_width=48, mel_bins=32, audio_frames=48),
    width=128, depth=2, heads=2, decoder_width=32, decoder_depth=1, decoder_heads=2,
)  # fmt: skip
STATES = {"mae": ("image", 3, 10), "audiomae": ("audio", 1, 513)}


def _snapshot(method):
    return {name: value.clone() for name, value in method.state_dict().items()}


@pytest.mark.parametrize("layout", STATES)
def test_a_vit_becomes_the_trunk_of_its_modality_and_nothing_else(layout):
    modality, channels, places = STATES[layout]
    state, method = tiny(places=places, channels=channels), DeepAVFusion(SMALL)
    before = _snapshot(method)
    start_from(method, from_released(layout, state))
    found = method.state_dict()
    for number in range(2):
        ours, theirs = f"encoder.trunks.{modality}.{number}.", f"blocks.{number}."
        for name in ("attn.qkv.weight", "attn.proj.bias", "mlp.fc1.weight", "mlp.fc2.weight"):
            assert torch.equal(found[ours + name], state[theirs + name])
        assert torch.equal(found[f"{ours}norm2.joint.weight"], state[f"{theirs}norm2.weight"])
    assert torch.equal(found[f"encoder.norm.{modality}.bias"], state["norm.bias"])
    kernel = found[f"encoder.patch_embed.{modality}.proj.weight"].unflatten(1, (16, 16, channels)).permute(0, 3, 1, 2)
    expected = state["patch_embed.proj.weight"]
    assert torch.equal(kernel, expected if modality == "image" else expected.transpose(2, 3))  # it reads time by mel
    mine = (f"encoder.trunks.{modality}.", f"encoder.norm.{modality}.", f"encoder.patch_embed.{modality}.")
    assert all(torch.equal(found[name], value) for name, value in before.items() if not name.startswith(mine))


def test_a_run_starts_both_trunks_from_files_of_their_own(tmp_path):
    told = []
    for layout, (_, channels, places) in STATES.items():
        save_file(tiny(places=places, channels=channels), tmp_path / f"{layout}.safetensors")
    init = ",".join(f"{layout}:{tmp_path / layout}.safetensors" for layout in STATES)
    method = DeepAVFusion(SMALL)
    before = _snapshot(method)
    _start(method, RunConfig("both", DataConfig(), SMALL, init=init), told.append)
    found = method.state_dict()
    assert len(told) == 2
    for modality in ("image", "audio"):
        name = f"encoder.trunks.{modality}.1.mlp.fc1.weight"
        assert not torch.equal(found[name], before[name])
    assert torch.equal(found["encoder.fusion_tokens"], before["encoder.fusion_tokens"])


def test_released_weights_of_its_own_fill_everything():
    encoder = from_released("deepavfusion", deepavfusion(width=128))
    method = DeepAVFusion(encoder.method.config)
    start_from(method, encoder)
    assert all(torch.equal(v, encoder.method.state_dict()[n]) for n, v in method.state_dict().items())


@pytest.mark.parametrize("other", [{"width": 64}, {"depth": 3}, {"patch": 8}, {"stem": "hierarchical"}])
def test_other_sizes_are_refused(other):
    with pytest.raises(UsageError, match="deepavfusion_paper_vggsound"):
        start_from(DeepAVFusion(replace(SMALL, **other)), from_released("mae", tiny()))
    with pytest.raises(UsageError, match="encoder have another shape"):
        start_from(DeepAVFusion(SMALL), from_released("deepavfusion", deepavfusion(width=64)))
