"""R0, R1 and ours are the same function: losses and gradients agree in float64 on the same masks."""

from dataclasses import replace

import pytest
import torch

from benchmarks.rivals.agreement import build, differences, random_batch
from benchmarks.rivals.coupling import gradients, masks_of, shape_of
from benchmarks.rivals.plain import Plain, PlainTraining
from benchmarks.rivals.reference import Reference, ReferenceTraining
from benchmarks.rivals.shape import AUDIO, IMAGE
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import Config, MaskingConfig, ReconstructionConfig
from seehear.randomness import Randomness

TINY = Config(
    inputs=InputConfig(mel_bins=32, audio_frames=96, image_height=48, image_width=64),
    patch=8,
    width=32,
    depth=2,
    heads=2,
    double_embed=True,
    masking=MaskingConfig(ratios=(0.0, 0.2, 0.4, 0.6, 0.8), audio="tf"),
    reconstruction=ReconstructionConfig(width=16, depth=2, heads=2),
)


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        replace(TINY, stem="hierarchical", double_embed=False, masking=MaskingConfig()),
        replace(TINY, masking=MaskingConfig(ratios=(0.25, 0.5)), reconstruction=ReconstructionConfig(1, 8, 1, 1)),
    ],
    ids=["released", "hierarchical stem", "other sizes"],
)
def test_losses_and_gradients_agree_in_float64(config):
    found = differences(config, clips=10, dtype=torch.float64)
    assert max(found.values()) < 1e-9, found


def test_attention_by_matrices_is_the_same_function():
    ours, batch = build(TINY, torch.float64), random_batch(TINY, 5)
    masks = masks_of(ours, batch, Randomness(0, 100))
    inputs = (batch["bench_spectrogram"].double(), batch["bench_picture"].double())
    fused, matrix = (Reference(shape_of(TINY), attending).double().load(ours) for attending in ("fused", "matrix"))
    for name, value in fused.step_losses(*inputs, masks).items():
        torch.testing.assert_close(matrix.step_losses(*inputs, masks)[name], value, rtol=1e-10, atol=0)


def test_a_wrong_weight_is_noticed():
    ours, batch = build(TINY, torch.float64), random_batch(TINY, 5)
    masks = masks_of(ours, batch, Randomness(0, 100))
    inputs = (batch["bench_spectrogram"].double(), batch["bench_picture"].double())
    rival = Plain(shape_of(TINY)).double().load(ours)
    before = rival.step_losses(*inputs, masks)
    with torch.no_grad():
        rival.decoder.modalities[AUDIO][0] += 0.1
    after = rival.step_losses(*inputs, masks)
    assert abs(after["reconstruction_audio"] - before["reconstruction_audio"]) > 1e-6


def test_masks_are_those_that_ours_draws():
    ours, batch = build(TINY), random_batch(TINY, 10)
    masks = masks_of(ours, batch, Randomness(3, 100))
    for modality in (AUDIO, IMAGE):
        rows = torch.cat([rows for rows, _ in masks.contrast[modality]])
        assert sorted(rows.tolist()) == list(range(10))
        places = shape_of(TINY).places(modality)
        assert [p.shape[1] for _, p in masks.contrast[modality]] == [int(places * (1 - 0.2 * k)) for k in range(5)]
        both = torch.cat([masks.visible[modality], masks.hidden[modality]], dim=1).sort(dim=1).values
        assert torch.equal(both, torch.arange(places).expand(10, -1))


def test_the_published_base_holds_248_million_parameters():
    with torch.device("meta"):
        network = Reference(shape_of(Config(reconstruction=ReconstructionConfig(depth=8))))
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(248.0e6, rel=1e-3)


@pytest.mark.parametrize("stem", ["linear", "hierarchical"])
def test_both_rivals_learn_with_masks_of_their_own(stem):
    config = replace(TINY, stem=stem)
    ours, batch = build(config), random_batch(config, 10)
    inputs = (batch["bench_spectrogram"], batch["bench_picture"])
    reference, plain = Reference(shape_of(config)).load(ours), Plain(shape_of(config)).load(ours)
    torch.manual_seed(0)
    for training in (ReferenceTraining(reference, rate=2e-3), PlainTraining(plain, rate=2e-3)):
        losses = [float(training(*inputs)["reconstruction_audio"]) for _ in range(20)]
        assert losses[-1] < 0.9 * losses[0]


def test_the_second_trunk_learns_from_the_second_pass_only():
    ours, batch = build(TINY), random_batch(TINY, 5)
    network = Reference(shape_of(TINY)).load(ours)
    network.contrast(batch["bench_spectrogram"], batch["bench_picture"])[0].backward()
    assert all(p.grad is None for p in network.ast_base.parameters())
    assert gradients(network, ours)["decoder.embed.weight"].norm() == 0


def test_struck_lines_are_hidden_first():
    from benchmarks.rivals.reference_masks import inverse, noise

    torch.manual_seed(0)
    values = noise(3, (8, 64), 0.4, "tf", torch.device("cpu"))
    assert [(v > 1).sum().item() for v in values] == [512 - (64 - 17) * (8 - 2)] * 3
    order = torch.randperm(9)
    assert torch.equal(order[inverse(order)], torch.arange(9))
