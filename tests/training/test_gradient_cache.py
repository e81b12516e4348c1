"""Cached gradients against the plain step: AVSiam and a learnt temperature, one process and two, and who is refused."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from seehear.contracts import Batch, Embeds, Method, Progress
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.losses.info_nce import info_nce
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig, Trainer, distributed
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.step import Stepper
from tests.training.processes import exit_codes, start_ranks
from tests.training.stubs import MemoryStream, TwoTowers, stub_config

ALONE = Peers(0, 1, torch.device("cpu"))
CLIPS = 12
TINY = Config(
    inputs=InputConfig(
        audio_seconds=0.8,
        mel_bins=16,
        audio_frames=64,
        image_height=16,
        image_width=24,
        flip=True,
        crop_scale=(0.5, 1.0),
    ),
    patch=8,
    width=16,
    depth=2,
    heads=2,
    masking=MaskingConfig(ratios=(0.0, 0.5)),
    reconstruction=ReconstructionConfig(fusion_depth=1, width=8, depth=1, heads=2, decode=0.5),
    contrast_weight=0.7,
    reconstruction_weight=1.3,
)
VARIANTS = {
    "default": TINY,
    "chunked loss": replace(TINY, contrast_chunk=5),
    "per-patch targets": replace(TINY, reconstruction=replace(TINY.reconstruction, per_patch_targets=True)),
    "released": replace(
        TINY, alternating=True, reconstruction=replace(TINY.reconstruction, audio_trunk="separate", decode=1.0)
    ),
}


class Warming(Method):
    """Two linear maps and a temperature that is learnt; its own draws are not keyed where `dropout` is above 0."""

    @dataclass(frozen=True)
    class Config:
        method: ClassVar[str] = "stub_warming"
        dropout: float = 0.0

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        generator = torch.Generator().manual_seed(2)
        self.sound = nn.Parameter(torch.randn(12, 5, generator=generator, dtype=torch.float64))
        self.picture = nn.Parameter(torch.randn(48, 5, generator=generator, dtype=torch.float64))
        self.log_temperature = nn.Parameter(torch.tensor(-1.0, dtype=torch.float64))

    def forward(self, batch, randomness, phase="joint", contrast=None):
        embeddings = self.embed(batch, randomness, phase)
        value = (contrast or self.loss_from_embeddings)(embeddings)
        return {"contrast": value, "loss": value + 0.1 * embeddings["audio"].square().mean()}

    def embed(self, batch, randomness, phase="joint"):
        sound = nn.functional.dropout(batch["waveform"].double() / 100, self.config.dropout, self.training)
        audio, image = sound @ self.sound, batch["frames"].double().flatten(1) / 255 @ self.picture
        return {"audio": audio, "image": image, "ids": batch.sample_ids}

    def loss_from_embeddings(self, embeddings):
        audio, image = (nn.functional.normalize(embeddings[name], dim=1) for name in ("audio", "image"))
        return info_nce(audio, image, embeddings["ids"], self.log_temperature.exp())


def _avsiam(config, dtype=torch.float64):
    torch.manual_seed(0)
    model = AVSiam(config).to(dtype)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def _batch(first=0, count=CLIPS):
    generator = torch.Generator().manual_seed(5)
    waveform = torch.randint(-20_000, 20_000, (CLIPS, 12_800), generator=generator).to(torch.int16)
    frames = torch.randint(0, 256, (CLIPS, 1, 3, 16, 24), generator=generator).to(torch.uint8)
    ids = torch.tensor([7, 3, 9, 4, 7, 1, 12, 5, 8, 2, 6, 10])  # one clip twice
    rows = slice(first, first + count)
    fields = {
        "waveform": waveform[rows],
        "waveform_samples": torch.full((count,), 12_800),
        "frames": frames[rows],
    }
    return Batch(ids[rows], torch.arange(CLIPS)[rows], fields)


def _step(method, batch, peers=ALONE, **options):
    """What a step logs, and the gradients it leaves of every phase."""
    method.train()
    optimizers = build_optimizers(method, OptimizerConfig(learning_rate=1e-30, weight_decay=0.0))
    guard = NonFiniteGuard(method, peers.device, peers)
    gradients, judge = {}, guard.judge

    def watch(loss, norm):
        phase = len(gradients)
        gradients[phase] = {n: p.grad.clone() for n, p in method.named_parameters() if p.grad is not None}
        return judge(loss, norm)

    guard.judge = watch
    result = Stepper(method, optimizers, guard, peers, Randomness(3, 20), **options)(batch, 1e-30, Progress(1, 10, 0.1))
    return result.values, gradients


def _same(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        assert one.keys() == other.keys()
    for name, value in expected[0].items():
        torch.testing.assert_close(found[0][name], value, rtol=tolerance, atol=tolerance, msg=name)
    for phase, gradients in expected[1].items():
        assert found[1][phase].keys() == gradients.keys()
        for name, gradient in gradients.items():
            difference = (found[1][phase][name] - gradient).norm()
            assert difference <= tolerance * (gradient.norm() + 1e-3), name


@pytest.mark.parametrize("chunk", [2, 4, 12])
@pytest.mark.parametrize("name", VARIANTS)
def test_avsiam_learns_the_same_from_pieces(name, chunk):
    """Loss, every part of it, and every parameter's gradient, with the reconstruction part and in both phases."""
    plain, cached = (_step(_avsiam(VARIANTS[name]), _batch(), gradient_cache_chunk=c) for c in (None, chunk))
    _same(cached, plain, 1e-9)
    phases = len(plain[1])
    assert phases == (2 if name == "released" else 1)
    trained = set().union(*(g.keys() for g in plain[1].values()))
    assert trained == {n for n, _ in _avsiam(VARIANTS[name]).named_parameters()}


def test_single_precision_agrees_to_a_hundred_thousandth():
    plain, cached = (_step(_avsiam(TINY, torch.float32), _batch(), gradient_cache_chunk=c) for c in (None, 4))
    _same(cached, plain, 1e-5)


def test_bf16_sees_the_same_clips_in_both_passes():
    plain, cached = (
        _step(_avsiam(TINY, torch.float32), _batch(), gradient_cache_chunk=c, bf16=True) for c in (None, 4)
    )
    _same(cached, plain, 0.05)


def test_a_learnt_temperature_gets_its_gradient():
    stream = MemoryStream()
    plain, cached = (_step(Warming(Warming.Config()), stream.batch(0), gradient_cache_chunk=c) for c in (None, 2))
    assert plain[1][0]["log_temperature"].abs() > 1e-3
    _same(cached, plain, 1e-12)


def test_the_contrast_is_that_of_the_whole_batch_where_accumulation_sees_a_piece():
    plain, cached, accumulated = (
        _step(_avsiam(TINY), _batch(), **options)[0]["contrast"]
        for options in ({}, {"gradient_cache_chunk": 4}, {"accumulate": 3})
    )
    torch.testing.assert_close(cached, plain, rtol=1e-12, atol=0)
    assert accumulated < plain - 0.3


def test_the_first_pass_keeps_no_history_and_draws_nothing():
    model, calls = _avsiam(TINY), []
    model.decoder.register_forward_hook(lambda *_: calls.append("decoder"))
    model.trunk.register_forward_hook(lambda *_: calls.append(torch.is_grad_enabled()))
    _step(model, _batch(), gradient_cache_chunk=6)
    assert calls == [False, False, True, "decoder", True, "decoder"]


def test_draws_that_are_not_keyed_are_found_out():
    with pytest.raises(UsageError, match=r"audio of the same clips differs by .*% between two passes.*not keyed"):
        _step(Warming(Warming.Config(dropout=0.3)), MemoryStream().batch(0), gradient_cache_chunk=4)


def test_a_method_without_embeddings_apart_is_refused_before_a_run(tmp_path):
    config = stub_config(gradient_cache_chunk=4)
    with pytest.raises(UsageError, match=r"gradients of TwoTowers cannot be cached.*loss_from_embeddings"):
        Trainer(TwoTowers(config.method), MemoryStream(), config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_forward_that_takes_no_contrast_is_refused():
    class Half(Warming):
        def forward(self, batch, randomness, phase="joint"):
            return super().forward(batch, randomness, phase)

    method = Half(Warming.Config())
    assert isinstance(method, Embeds)
    with pytest.raises(UsageError, match="a `forward` that takes `contrast`"):
        _step(method, MemoryStream().batch(0), gradient_cache_chunk=4)


@pytest.mark.parametrize(
    ("multiple", "chunk", "message"),
    [
        (1, 3, r"data\.global_batch is 8; expected a multiple of 1 processes x pieces of 3 cached clips"),
        (2, 3, r"training\.gradient_cache_chunk is 3; expected a multiple of 2 clips.*equal groups"),
    ],
)
def test_pieces_that_do_not_fit_are_refused_before_a_run(tmp_path, multiple, chunk, message):
    class Grouped(Warming):
        batch_multiple = multiple

    config = stub_config(gradient_cache_chunk=chunk)
    with pytest.raises(UsageError, match=message):
        Trainer(Grouped(Warming.Config()), MemoryStream(), config, tmp_path / "run")


def test_a_run_with_cached_gradients_ends_where_the_plain_one_does(tmp_path):
    weights = []
    for chunk in (None, 2):
        method = Warming(Warming.Config())
        config = stub_config(steps=5, method=TwoTowers.Config(), gradient_cache_chunk=chunk)
        Trainer(method, MemoryStream(), config, tmp_path / str(chunk)).run()
        weights.append({n: p.detach() for n, p in method.named_parameters()})
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-9, atol=1e-12)


def _rank(rank, world_size, folder):
    peers = distributed.start("cpu")
    count = CLIPS // world_size
    for name, method, batch, chunk in (
        ("avsiam", _avsiam(VARIANTS["chunked loss"]), _batch(rank * count, count), 2),
        ("warming", Warming(Warming.Config()), MemoryStream(rank=rank, world_size=world_size).batch(0), 2),
    ):
        values, gradients = _step(method, batch, peers, gradient_cache_chunk=chunk)
        torch.save(({n: peers.mean(v) for n, v in values.items()}, gradients), f"{folder}/{name}-{rank}.pt")
    distributed.stop()


def test_two_processes_with_cached_gradients_are_one_without(tmp_path):
    """DDP adds up once, after the last piece; the chunked loss compares the clips of both."""
    assert exit_codes(start_ranks(2, _rank, tmp_path)) == [0, 0]
    plain = {
        "avsiam": _step(_avsiam(TINY), _batch()),
        "warming": _step(Warming(Warming.Config()), MemoryStream().batch(0)),
    }
    for name, expected in plain.items():
        for rank in range(2):
            _same(torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True), expected, 1e-9)
