"""MAViL: losses by slow loops, what each part may see, training and presets."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from seehear.contracts import Batch, Embeds
from seehear.errors import UsageError
from seehear.layers.masking import kept
from seehear.layers.packing import whole
from seehear.methods.mavil import Config, Mavil
from tests.methods.mavil_toys import (
    INPUTS,
    RANDOMNESS,
    STUDENT,
    TINY,
    VARIANTS,
    VISIBLE,
    make_batch,
    make_model,
    make_patches,
    row_of,
)


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_trained_parameter_and_none_of_the_teacher(name: str) -> None:
    model = make_model(VARIANTS[name])
    losses = model(make_batch(), RANDOMNESS)
    assert all(v.ndim == 0 and v.isfinite() for v in losses.values())
    losses["loss"].backward()
    for parameter_name, parameter in model.named_parameters():
        learns = not parameter_name.startswith("teacher") and not parameter_name.endswith("positions.audio")
        learns &= not parameter_name.endswith("positions.image")
        assert parameter.requires_grad == learns, parameter_name
        assert (parameter.grad is not None) == learns, parameter_name
        if learns:
            assert parameter.grad.isfinite().all(), parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name


def _n(x: torch.Tensor, y: torch.Tensor, temperature: float) -> torch.Tensor:
    """N(x, y), one clip after the other."""
    total = torch.zeros((), dtype=x.dtype)
    for i in range(len(x)):
        scores = [torch.exp(F.cosine_similarity(x[i], y[j], dim=0) / temperature) for j in range(len(y))]
        total -= torch.log(scores[i] / sum(scores))
    return total / len(x)


@pytest.mark.parametrize("chunk", [None, 3])
def test_contrast_is_the_papers_formula(chunk: int | None) -> None:
    recipe = replace(
        TINY, inter_weight=0.3, intra_weight=0.7, inter_temperature=0.2, intra_temperature=0.5, contrast_chunk=chunk
    )
    model, batch = make_model(recipe, torch.float64), make_batch()
    z = model.embed(batch, RANDOMNESS)
    a, a2, v, v2 = (z[name] for name in ("audio", "audio again", "image", "image again"))
    inter = (_n(a, v, 0.2) + _n(v, a, 0.2)) / 2
    intra = (_n(a, a2, 0.5) + _n(v, v2, 0.5)) / 2
    losses = model(batch, RANDOMNESS)
    torch.testing.assert_close(losses["contrast"], inter)
    torch.testing.assert_close(losses["contrast_within"], intra)
    torch.testing.assert_close(model.loss_from_embeddings(z), 0.3 * inter + 0.7 * intra)
    drawn = losses["reconstruction_audio"] + losses["reconstruction_image"]
    torch.testing.assert_close(losses["loss"], drawn + 0.3 * inter + 0.7 * intra)


def test_two_clips_of_one_id_are_no_negatives() -> None:
    model, batch = make_model(dtype=torch.float64), make_batch(2)
    z = model.embed(batch, RANDOMNESS)
    assert model.loss_from_embeddings(z) > 1e-3
    assert model.loss_from_embeddings(z | {"sample_ids": torch.tensor([7, 7])}) == 0


@pytest.mark.parametrize("config", [TINY, replace(TINY, per_patch_targets=False)], ids=["per patch", "raw"])
def test_reconstruction_is_the_error_of_hidden_patches_clip_by_clip(config: Config) -> None:
    """Each clip and view alone, each hidden patch alone: MAE's targets, averaged over both views."""
    model, batch = make_model(config, torch.float64), make_batch(2)
    keys, patches = make_patches(model, batch)
    losses = model(batch, RANDOMNESS)
    for place, modality in enumerate(("audio", "image")):
        errors = []
        for row in range(4):  # two views of two clips
            views = model._views(patches, keys)
            alone = [row_of(view, row) for view in views]
            drawn = model._draw(model.encoder(alone).tokens, alone)[place][1][0]
            for value, hidden in zip(drawn, alone[place].hidden[0], strict=True):
                target = patches[modality][row % 2, hidden]
                if config.per_patch_targets:
                    target = (target - target.mean()) / (target.var() + 1e-6).sqrt()
                errors.append((value - target).square().mean())
        torch.testing.assert_close(losses[f"reconstruction_{modality}"], torch.stack(errors).mean())


@pytest.mark.parametrize("teacher", ["joint", "single", "random"])
def test_prediction_is_the_error_against_the_teachers_tokens_clip_by_clip(teacher: str) -> None:
    model, batch = make_model(replace(STUDENT, teacher=teacher), torch.float64), make_batch(2)
    keys, patches = make_patches(model, batch)
    losses = model(batch, RANDOMNESS)
    views = model._views(patches, keys)
    for place, modality in enumerate(("audio", "image")):
        errors = []
        for row in range(4):
            clip = {m: values[row % 2 : row % 2 + 1] for m, values in patches.items()}
            tokens = model.teacher([whole(m, clip[m]) for m in ("audio", "image")]).tokens
            wanted = (tokens if teacher == "single" else model.teacher.fuse(tokens))[place][0, 1:]
            alone = [row_of(view, row) for view in views]
            drawn = model._draw(model.encoder(alone).tokens, alone)[place][1][0]
            for value, hidden in zip(drawn, alone[place].hidden[0], strict=True):
                target = wanted[hidden]
                target = (target - target.mean()) / (target.var(unbiased=False) + 1e-5).sqrt()
                errors.append((value - target).square().mean())
        torch.testing.assert_close(losses[f"prediction_{modality}"], torch.stack(errors).mean())
    assert not any(name.startswith("reconstruction") for name in losses)


def test_two_views_differ_and_hide_the_exact_share() -> None:
    model, batch = make_model(), make_batch()
    keys, patches = make_patches(model, batch)
    for view in model._views(patches, keys):
        tokens = math.prod(model.grids[view.modality])
        assert view.places.shape == (8, VISIBLE[view.modality])
        assert view.hidden.shape == (8, tokens - VISIBLE[view.modality])
        whole_rows = torch.cat([view.places, view.hidden], dim=1).sort(dim=1).values
        assert torch.equal(whole_rows, torch.arange(tokens).expand(8, -1))
        seen = [set(row.tolist()) for row in view.places]
        assert all(first != second for first, second in zip(seen[:4], seen[4:], strict=True))
        assert len({frozenset(s) for s in seen}) > 4


def test_what_a_clip_sees_does_not_depend_on_its_batch() -> None:
    model = make_model()
    together = model.embed(make_batch(8), RANDOMNESS)
    parts = [model.embed(make_batch(4, first), RANDOMNESS) for first in (0, 4)]
    for name, rows in together.items():
        torch.testing.assert_close(rows, torch.cat([part[name] for part in parts]), rtol=1e-5, atol=1e-6)


def test_hidden_patches_reach_what_is_drawn_in_no_way() -> None:
    model, batch = make_model(), make_batch()
    keys, values = make_patches(model, batch)
    patches = {m: v.clone().requires_grad_() for m, v in values.items()}
    views = model._views(patches, keys)
    drawn = model._draw(model.encoder(views).tokens, views)
    sum(d[4].square().sum() for _, d in drawn).backward()  # of the first clip's second view
    for view, _ in drawn:
        gradient = patches[view.modality].grad
        assert gradient[1:].abs().max() == 0, "another clip"
        assert gradient[0, view.hidden[4]].abs().max() == 0, "a hidden patch"
        assert (gradient[0, view.places[4]].abs().sum(dim=1) > 0).all(), "a visible patch"


def test_drawing_sound_looks_at_the_film_and_contrast_does_not() -> None:
    model, batch = make_model(), make_batch()
    keys, values = make_patches(model, batch)
    patches = {m: v.clone().requires_grad_() for m, v in values.items()}
    views = model._views(patches, keys)
    tokens = model.encoder(views).tokens
    sound = model._draw(tokens, views)[0][1].square().sum()
    assert torch.autograd.grad(sound, patches["image"], retain_graph=True)[0].abs().sum() > 0
    z = model._embeddings(tokens, batch)
    for name in ("audio", "audio again"):
        other = torch.autograd.grad(z[name].sum(), list(patches.values()), retain_graph=True, allow_unused=True)
        assert other[0].abs().sum() > 0
        assert other[1] is None or other[1].abs().max() == 0


def test_gradients_of_a_cached_loss_are_those_of_the_whole_batch() -> None:
    model = make_model(dtype=torch.float64)
    assert isinstance(model, Embeds)
    names = ("audio", "audio again", "image", "image again")
    learnt = [p for p in model.parameters() if p.requires_grad]
    loss = model.loss_from_embeddings(model.embed(make_batch(8), RANDOMNESS))
    expected = torch.autograd.grad(loss, learnt, allow_unused=True)
    pieces = [make_batch(4, first) for first in (0, 4)]
    with torch.no_grad():
        parts = [model.embed(piece, RANDOMNESS) for piece in pieces]
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    leaves = [joined[name].requires_grad_() for name in names]
    flows = [gradient.split(4) for gradient in torch.autograd.grad(model.loss_from_embeddings(joined), leaves)]
    for i, piece in enumerate(pieces):

        def contrast(z, i: int = i):
            return sum((z[name] * flow[i]).sum() for name, flow in zip(names, flows, strict=True))

        losses = model(piece, RANDOMNESS, contrast=contrast)
        drawn = losses["reconstruction_audio"] + losses["reconstruction_image"]
        torch.testing.assert_close(losses["loss"], drawn + losses["contrasts"])
        losses["contrasts"].backward()
    for parameter, gradient in zip(learnt, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-9, atol=1e-12)
    assert make_model(VARIANTS["no contrast"]).embed(make_batch(), RANDOMNESS) == {}


@pytest.mark.parametrize("config", [TINY, STUDENT], ids=["stage 1", "stage 2"])
def test_thirty_steps_on_one_batch_lower_every_loss(config: Config) -> None:
    model = make_model(config)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    history = []
    for _ in range(30):
        losses = model(make_batch(), RANDOMNESS)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        history.append({n: v.item() for n, v in losses.items()})
    assert all(history[-1][n] < history[0][n] for n in history[0])
    assert history[-1]["loss"] < 0.95 * history[0]["loss"]


@pytest.mark.parametrize("config", [TINY, STUDENT], ids=["stage 1", "stage 2"])
def test_bf16_autocast_stays_close_to_fp32(config: Config) -> None:
    model, batch = make_model(config), make_batch()
    exact = model(batch, RANDOMNESS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(batch, RANDOMNESS)
    rounded["loss"].backward()
    for name, loss in rounded.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, exact[name], rtol=0.03, atol=0)


@pytest.mark.parametrize("config", [TINY, STUDENT], ids=["stage 1", "stage 2"])
def test_no_step_makes_the_host_wait_for_the_device(config: Config) -> None:
    model, batch = make_model(config).to("meta"), make_batch().to(torch.device("meta"))
    losses = model(batch, RANDOMNESS)
    losses["loss"].backward()
    with pytest.raises(RuntimeError):
        losses["loss"].item()


def test_the_paper_preset_has_the_encoder_of_the_sheet() -> None:
    """172 M in the two trunks; 64 x 8 tokens of sound and 4 x 14 x 14 of film, of which 102 and 156 stay."""
    with torch.device("meta"):
        model = Mavil(Config())
    assert sum(p.numel() for p in model.encoder.trunk.parameters()) == pytest.approx(172e6, rel=0.005)
    assert model.grids == {"audio": (64, 8), "image": (4, 14, 14)}
    assert [kept(math.prod(grid), 0.8) for grid in model.grids.values()] == [102, 156]
    assert model.needs.frames is not None
    assert model.needs.frames.count == 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(TINY, tube=0), r"tube is 0"),
        (lambda: replace(TINY, frames=3), r"frames is 3.*multiple of `tube`"),
        (lambda: replace(TINY, depth=0), r"depth is 0"),
        (lambda: replace(TINY, fusion_depth=0), r"fusion_depth is 0"),
        (lambda: replace(TINY, masking_ratio=1.0), r"masking_ratio is 1\.0"),
        (lambda: replace(TINY, inter_weight=-1.0), r"inter_weight is -1\.0"),
        (lambda: replace(TINY, intra_weight=-1.0), r"intra_weight is -1\.0"),
        (lambda: replace(TINY, inter_temperature=0.0), r"inter_temperature is 0\.0"),
        (lambda: replace(TINY, intra_temperature=0.0), r"intra_temperature is 0\.0"),
        (lambda: replace(TINY, contrast_chunk=0), r"contrast_chunk is 0"),
        (lambda: Mavil(replace(TINY, masking_ratio=0.95)), r"masking ratio 0\.95 of 16 tokens"),
        (lambda: Mavil(replace(TINY, width=24)), r"width 24"),
        (lambda: Mavil(replace(TINY, inputs=replace(INPUTS, mel_bins=20))), r"mel_bins is 20"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_a_run(make, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()


def test_a_batch_without_a_modality_is_refused_where_it_is_needed() -> None:
    batch = make_batch()
    seen = Batch(batch.sample_ids, batch.positions, {"frames": batch["frames"]})
    with pytest.raises(UsageError, match="nothing to compare"):
        make_model()(seen, RANDOMNESS)
