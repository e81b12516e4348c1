"""AVSiam: shapes, packing, information flow, presets, and that a few steps learn something."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear.contracts import Batch, Embeds, Progress
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.layers.multi_ratio import ratio_index
from seehear.layers.packing import Group
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
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
    masking=MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=ReconstructionConfig(fusion_depth=2, width=8, depth=1, heads=2),
)
RELEASED = replace(
    TINY,
    double_embed=True,
    alternating=True,
    masking=MaskingConfig(ratios=(0.0, 0.4), audio="tf"),
    reconstruction=replace(TINY.reconstruction, audio_trunk="separate"),
)
VARIANTS = {
    "default": TINY,
    "hierarchical stem": replace(TINY, stem="hierarchical"),
    "released": RELEASED,
    "half decoded": replace(TINY, reconstruction=replace(TINY.reconstruction, decode=0.5)),
    "per-patch targets": replace(TINY, reconstruction=replace(TINY.reconstruction, per_patch_targets=True)),
    "separate encoders": replace(TINY, encoders="separate"),
    "norms of each": replace(TINY, reconstruction=replace(TINY.reconstruction, fusion_norms="each")),
    "decoder follows": replace(TINY, reconstruction=replace(TINY.reconstruction, width=None)),
    "contrast alone": replace(TINY, reconstruction_weight=0.0),
    "reconstruction alone": replace(TINY, contrast_weight=0.0),
    "augmented": replace(TINY, inputs=replace(INPUTS, flip=True, crop_scale=(0.5, 1.0))),
}
RANDOMNESS = Randomness(seed=3, clips_per_epoch=8)


def _batch(count: int = 4, first: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (12, 12_800), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (12, 1, 3, 16, 24), generator=generator).to(torch.uint8)
    fields = {
        "waveform": waveform[first : first + count],
        "waveform_samples": torch.full((count,), 12_800),
        "frames": frames[first : first + count],
    }
    return Batch(torch.arange(first, first + count) * 31 + 7, torch.arange(first, first + count), fields)


def _model(config: Config = TINY, dtype: torch.dtype = torch.float32) -> AVSiam:
    torch.manual_seed(0)
    model = AVSiam(config).to(dtype)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_parameter_and_are_finite(name):
    model = _model(VARIANTS[name])
    for phase in model.phases:
        losses = model(_batch(), RANDOMNESS, phase)
        assert all(v.ndim == 0 and v.isfinite() for v in losses.values())
        losses["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert parameter.grad is None, parameter_name
            assert VARIANTS[name].reconstruction_weight == 0
            assert parameter_name.startswith("fusion.")
            continue
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


def test_joint_loss_is_the_sum_of_its_parts():
    model = _model(replace(TINY, contrast_weight=2.0, reconstruction_weight=0.5))
    losses = model(_batch(), RANDOMNESS)
    parts = 2 * losses["contrast"] + 0.5 * (losses["reconstruction_audio"] + losses["reconstruction_image"])
    torch.testing.assert_close(losses["loss"], parts)


def test_phases_are_the_joint_pass_in_two_halves():
    """In value and gradient: packing both passes together changes neither."""
    model = _model(dtype=torch.float64)
    joint = model(_batch(), RANDOMNESS)["loss"]
    halves = sum(model(_batch(), RANDOMNESS, phase)["loss"] for phase in ("contrast", "reconstruction"))
    torch.testing.assert_close(joint, halves)
    both = [torch.autograd.grad(loss, list(model.parameters())) for loss in (joint, halves)]
    for packed, apart in zip(*both, strict=True):
        torch.testing.assert_close(packed, apart, rtol=1e-9, atol=1e-12)


def test_passes_in_turn_give_the_joint_step_and_hold_less() -> None:
    alone, found, held = Peers(0, 1, torch.device("cpu")), [], []
    for in_turn in (False, True):
        model = _model(replace(TINY, in_turn=in_turn), torch.float64)
        stepper = Stepper(
            model,
            build_optimizers(model, OptimizerConfig()),
            NonFiniteGuard(model, alone.device, alone),
            alone,
            RANDOMNESS,
        )
        now = most = 0

        def hold(tensor: torch.Tensor) -> tuple[torch.Tensor, int]:
            nonlocal now, most
            now += tensor.nbytes
            most = max(most, now)
            return tensor, tensor.nbytes

        def let_go(kept: tuple[torch.Tensor, int]) -> torch.Tensor:
            nonlocal now
            now -= kept[1]
            return kept[0]

        with torch.autograd.graph.saved_tensors_hooks(hold, let_go):
            values = stepper(_batch(), 0.0, Progress(1, 10, 0.0)).values
        found.append([values[n] for n in sorted(values)] + [p.grad for p in model.parameters()])
        held.append(most)
    torch.testing.assert_close(found[1], found[0], rtol=1e-10, atol=1e-12)
    assert held[1] < 0.75 * held[0]


def test_every_linear_layer_of_the_trunk_runs_once_a_step_and_on_visible_patches_only():
    model, rows = _model(), {}
    for name, part in model.trunk.named_modules():
        if isinstance(part, torch.nn.Linear):
            part.register_forward_hook(
                lambda _, inputs, __, name=name: rows.setdefault(name, []).append(len(inputs[0]))
            )
    model(_batch(), RANDOMNESS)
    audio, image = 2 * 16 + 2 * 8 + 4 * 4, 2 * 6 + 2 * 3 + 4 * 1  # at ratio 0, at 0.5, and at 0.75 for reconstruction
    assert rows.pop("patch_embed.audio.proj") == [audio]
    assert rows.pop("patch_embed.image.proj") == [image]
    assert len(rows) == 2 * 4  # blocks x (qkv, proj, fc1, fc2)
    assert all(calls == [audio + image] for calls in rows.values())


def test_gradients_of_a_cached_loss_are_those_of_the_whole_batch():
    """Gradient caching over two pieces: the loss from embeddings without history, then back through each piece."""
    model = _model(dtype=torch.float64)
    assert isinstance(model, Embeds)
    whole = model(_batch(8), RANDOMNESS, "contrast")["loss"]
    expected = torch.autograd.grad(whole, list(model.parameters()), allow_unused=True)
    pieces = [_batch(4, first) for first in (0, 4)]
    with torch.no_grad():
        parts = [model.embed(piece, RANDOMNESS) for piece in pieces]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    leaves = [joined[name].requires_grad_() for name in ("audio", "image")]
    loss = model.loss_from_embeddings(joined)
    torch.testing.assert_close(loss, whole)
    cached = [gradient.split(4) for gradient in torch.autograd.grad(loss, leaves)]
    for i, piece in enumerate(pieces):
        part = model.embed(piece, RANDOMNESS)
        sum((part[name] * g[i]).sum() for name, g in zip(("audio", "image"), cached, strict=True)).backward()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-9, atol=1e-12)


def test_the_reconstruction_phase_has_no_embeddings():
    assert _model().embed(_batch(), RANDOMNESS, "reconstruction") == {}


def test_packed_embeddings_equal_a_slow_loop_over_samples_and_ratios():
    """Each clip alone, masked by its own ratio, through the trunk: the readable form of multi-ratio masking."""
    model, batch = _model(dtype=torch.float64), _batch()
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)
    patches = model.patches(batch, keys)
    fast = model.embed(batch, RANDOMNESS)
    groups = model._contrast_groups(patches, batch, RANDOMNESS, keys)
    seen = {"audio": 0, "image": 0}
    for group in groups:
        for values, places in zip(group.patches, group.places, strict=True):
            sample = next(b for b in range(4) if torch.equal(patches[group.modality][b][places], values))
            alone = model.trunk([Group(group.modality, values[None], places[None])]).tokens[0][0].mean(dim=0)
            torch.testing.assert_close(fast[group.modality][sample], F.normalize(alone, dim=0))
            seen[group.modality] += 1
    assert seen == {"audio": 4, "image": 4}


def test_every_ratio_occurs_equally_often_and_independently_per_modality():
    indices = [ratio_index(m, _batch(12).positions, RANDOMNESS, 3) for m in ("audio", "image")]
    assert all(torch.bincount(i).tolist() == [4, 4, 4] for i in indices)
    assert not torch.equal(*indices)


def test_what_a_clip_sees_does_not_depend_on_its_batch():
    """Two batches of 4 give the same embeddings as one batch of 8."""
    model = _model()
    whole = model.embed(_batch(8), RANDOMNESS)
    parts = [model.embed(_batch(4, first), RANDOMNESS) for first in (0, 4)]
    for modality in ("audio", "image"):
        joined = torch.cat([part[modality] for part in parts])
        torch.testing.assert_close(whole[modality], joined, rtol=1e-5, atol=1e-6)


def test_hidden_patches_reach_the_encoder_of_the_reconstruction_pass_in_no_way():
    model = _model()
    batch = _batch()
    keys = RANDOMNESS.keys(batch.positions, batch.sample_ids)
    patches = {m: v.clone().requires_grad_() for m, v in model.patches(batch, keys).items()}
    hidden = model._hidden(patches, keys, share=1.0)
    drawn = model._draw(model._encode_groups([], hidden), hidden)
    sum(d[0].square().sum() for d in drawn.values()).backward()
    for group in hidden:
        gradient = patches[group.modality].grad
        assert gradient[1:].abs().max() == 0, "another clip"
        assert gradient[0, group.hidden[0]].abs().max() == 0, "a hidden patch"
        assert gradient[0, group.places[0]].abs().sum() > 0, "a visible patch"


def test_contrast_never_sees_the_other_modality():
    model, batch = _model(), _batch()
    patches = {m: v.clone().requires_grad_() for m, v in model.patches(batch, None).items()}
    model.patches = lambda *_: patches
    model.embed(batch, RANDOMNESS)["audio"].sum().backward()
    assert patches["image"].grad.abs().max() == 0
    assert patches["audio"].grad.abs().sum() > 0


def test_without_encoder_gradient_only_fusion_and_decoder_learn_from_reconstruction():
    config = replace(TINY, reconstruction=replace(TINY.reconstruction, encoder_gradient=False))
    model = _model(config)
    model(_batch(), RANDOMNESS, "reconstruction")["loss"].backward()
    for name, parameter in model.named_parameters():
        learns = name.startswith(("fusion", "decoder"))
        assert (parameter.grad is not None) == learns, name


def test_encode_is_deterministic_unmasked_and_works_on_one_modality():
    model, batch = _model().eval(), _batch()
    both = model.encode(batch)
    assert {m: f.tokens.shape for m, f in both.items()} == {
        "audio": (4, 16, 16),
        "image": (4, 6, 16),
        "audiovisual": (4, 22, 16),
    }
    assert all(torch.allclose(f.embedding.norm(dim=1), torch.ones(4)) for f in both.values())
    alone = model.encode(Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]}))
    assert set(alone) == {"image"}
    torch.testing.assert_close(alone["image"].tokens, both["image"].tokens)
    assert both["image"].layers == ()
    layers = model.encode(batch, with_layers=True)["image"].layers
    assert [layer.shape for layer in layers] == [(4, 6, 16)] * 2
    normed = model.trunk.norm["image"](layers[-1])
    torch.testing.assert_close(normed, both["image"].tokens)


def test_reconstruct_shows_original_and_drawing_in_human_units():
    model, batch = _model().eval(), _batch()
    shown = model.reconstruct(batch, RANDOMNESS)
    image = shown["image"]
    torch.testing.assert_close(image.original, batch["frames"][:, 0].float() / 255, rtol=0, atol=1e-5)
    assert image.mask.shape == image.original.shape
    assert image.mask.float().mean().item() == pytest.approx(5 / 6)  # int(6 * 0.25) = 1 of 6 patches visible
    for r in shown.values():
        torch.testing.assert_close(r.reconstruction[~r.mask], r.original[~r.mask])
        assert not torch.equal(r.reconstruction[r.mask], r.original[r.mask])


def test_the_paper_preset_has_the_parameters_of_the_sheet():
    """86.46 M encoder (without class token and neutral norms) + 2 fusion layers; the decoder comes on top."""
    with torch.device("meta"):
        model = AVSiam(Config())
    encoder = sum(p.numel() for n, p in model.named_parameters() if not n.startswith("decoder"))
    assert encoder == pytest.approx(100.65e6, rel=0.002)
    assert model.grids == {"audio": (8, 64), "image": (14, 14)}


def test_a_batch_that_ratios_do_not_divide_is_refused():
    with pytest.raises(UsageError, match=r"batch of 3 clips.*multiple of 2"):
        _model()(_batch(3), RANDOMNESS)


def test_a_batch_without_a_modality_is_refused_where_it_is_needed():
    batch = _batch()
    seen = Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]})
    with pytest.raises(UsageError, match="nothing to contrast"):
        _model()(seen, RANDOMNESS)
    assert set(_model()(seen, RANDOMNESS, "reconstruction")) == {"reconstruction_image", "loss"}
    with pytest.raises(UsageError, match="nothing to encode"):
        _model().encode(Batch(batch.sample_ids, batch.positions))


def test_silence_gives_finite_losses_and_gradients():
    batch = _batch()
    batch.fields |= {"waveform": torch.zeros_like(batch["waveform"]), "frames": torch.zeros_like(batch["frames"])}
    model = _model(replace(TINY, inputs=replace(INPUTS, audio_noise=False), stem="hierarchical"))
    losses = model(batch, RANDOMNESS)
    losses["loss"].backward()
    assert all(v.isfinite() for v in losses.values())
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_bf16_autocast_stays_close_to_fp32():
    model, batch = _model(), _batch()
    exact = model(batch, RANDOMNESS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(batch, RANDOMNESS)
    rounded["loss"].backward()
    for name, loss in rounded.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, exact[name], rtol=0.03, atol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaskingConfig(ratios=()), r"masking\.ratios is \(\)"),
        (lambda: MaskingConfig(ratios=(0.0, 1.5)), r"masking\.ratios"),
        (lambda: MaskingConfig(reconstruction_ratio=0.0), r"reconstruction_ratio is 0\.0"),
        (lambda: ReconstructionConfig(decode=0.0), r"decode is 0\.0"),
        (lambda: replace(TINY, temperature=0.0), r"temperature is 0\.0"),
        (lambda: replace(TINY, contrast_chunk=0), r"contrast_chunk is 0"),
        (lambda: AVSiam(replace(TINY, masking=MaskingConfig(ratios=(0.0, 0.9)))), r"masking ratio 0\.9 of 6 tokens"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_run(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize("field", ["mel_bins", "image_width"])
def test_sides_that_are_no_multiple_of_the_patch_are_refused(field):
    with pytest.raises(UsageError, match=field):
        AVSiam(replace(TINY, inputs=replace(INPUTS, **{field: 30})))


def test_twenty_steps_on_one_batch_lower_every_loss():
    model = _model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(20):
        losses = model(_batch(), RANDOMNESS)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        history.append({n: v.item() for n, v in losses.items()})
    assert all(history[-1][n] < 0.95 * history[0][n] for n in history[0])


def _rank(rank: int, folder: str) -> None:
    store = torch.distributed.FileStore(f"{folder}/store", 2)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    model = torch.nn.parallel.DistributedDataParallel(_model(dtype=torch.float64))
    model(_batch(4, 4 * rank), RANDOMNESS)["loss"].backward()
    if rank == 0:
        torch.save({n: p.grad for n, p in model.module.named_parameters()}, f"{folder}/gradients.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_give_the_gradients_of_one(tmp_path):
    """DDP over gloo in float64, contrast with its gather and reconstruction in one backward."""
    torch.multiprocessing.spawn(_rank, args=(str(tmp_path),), nprocs=2)
    shared = torch.load(tmp_path / "gradients.pt", weights_only=True)
    model = _model(dtype=torch.float64)
    model(_batch(8), RANDOMNESS)["loss"].backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(shared[name], parameter.grad, rtol=1e-10, atol=1e-13, msg=name)


@pytest.mark.parametrize("name", VARIANTS)
def test_no_step_makes_the_host_wait_for_the_device(name: str) -> None:
    """On the meta device there are no values: whatever looked at one (item, nonzero, a branch on a tensor) raises."""
    model = _model(VARIANTS[name]).to("meta")
    batch = _batch().to(torch.device("meta"))
    for phase in model.phases:
        losses = model(batch, RANDOMNESS, phase)
        losses["loss"].backward()
    assert losses["loss"].shape == ()
    with pytest.raises(RuntimeError):
        losses["loss"].item()
