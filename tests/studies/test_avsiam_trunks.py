"""A trunk trained on one modality starts both."""

import torch

from seehear.methods.avsiam import AVSiam
from studies import avsiam
from studies.avsiam_trunks import carry


def test_blocks_and_norms_of_one_modality_start_both():
    config = avsiam.configuration(avsiam.Scale(), "trunk of sound", 0).method
    torch.manual_seed(0)
    source, target = AVSiam(config), AVSiam(config)
    for parameter in source.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    embedding = target.trunk.patch_embed["image"].state_dict()
    carry(source, target, "audio")
    for ours, theirs in zip(target.trunk.blocks, source.trunk.blocks, strict=True):
        assert torch.equal(ours.attn.qkv.weight, theirs.attn.qkv.weight)
        for modality in ("audio", "image"):
            assert torch.equal(ours.norm1[modality].weight, theirs.norm1["audio"].weight)
    assert torch.equal(target.fusion[-1].mlp.fc1.weight, source.trunk.blocks[-1].mlp.fc1.weight)
    assert torch.equal(target.fusion[-1].norm2["joint"].bias, source.trunk.blocks[-1].norm2["audio"].bias)
    assert all(torch.equal(v, embedding[n]) for n, v in target.trunk.patch_embed["image"].state_dict().items())
