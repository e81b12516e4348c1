import pytest
import torch
from torch import nn

from seehear.contracts import Progress
from seehear.errors import UsageError
from seehear.randomness import Randomness
from seehear.training.distributed import Peers
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers
from seehear.training.run_config import OptimizerConfig
from seehear.training.step import Stepper, split
from tests.training.stubs import MemoryStream, TwoTowers

ALONE = Peers(0, 1, torch.device("cpu"))


class Separable(TwoTowers):
    """A loss that is a mean over clips, so that pieces of a batch add up to the whole."""

    def forward(self, batch, randomness, phase="joint"):
        rows = self.sound(batch["waveform"].to(self.sound.weight.dtype)).square().sum(1)
        return {"loss": rows.mean(), "rows": rows}


def stepper(method, **options) -> Stepper:
    optimizers = build_optimizers(method, OptimizerConfig(learning_rate=0.01))
    return Stepper(method, optimizers, NonFiniteGuard(method, ALONE.device, ALONE), ALONE, Randomness(0, 20), **options)


def run(method, **options):
    return stepper(method, **options)(MemoryStream().batch(0), 0.01, Progress(1, 10, 0.4))


def test_accumulated_pieces_equal_the_whole_batch():
    whole, pieces = (Separable(TwoTowers.Config(double=True)) for _ in range(2))
    results = [run(whole), run(pieces, accumulate=4)]
    for name in ("loss", "rows", "gradient_norm"):
        torch.testing.assert_close(results[0].values[name], results[1].values[name], rtol=1e-12, atol=0)
    torch.testing.assert_close(results[0].features["rows"], results[1].features["rows"], rtol=1e-12, atol=0)
    torch.testing.assert_close(whole.sound.weight.grad, pieces.sound.weight.grad, rtol=1e-12, atol=0)


def test_split_keeps_order_and_every_field():
    batch = MemoryStream().batch(2)
    pieces = split(batch, 2)
    assert torch.equal(torch.cat([p.positions for p in pieces]), batch.positions)
    assert torch.equal(torch.cat([p["frames"] for p in pieces]), batch["frames"])


def test_a_batch_that_cannot_be_cut_equally_is_refused():
    with pytest.raises(UsageError, match=r"8 clips cannot be cut into 3 equal pieces.*training\.accumulate"):
        split(MemoryStream().batch(0), 3)


def test_phases_run_in_order_on_the_same_batch_and_log_under_their_names():
    method = TwoTowers(TwoTowers.Config(alternating=True))
    calls = []
    method.register_forward_pre_hook(lambda m, args: calls.append((args[2], args[0].positions.tolist())))
    result = run(method)
    assert calls == [("sound", list(range(8))), ("both", list(range(8)))]
    assert {"sound/loss", "both/loss", "both/accuracy", "sound/gradient_norm"} <= result.values.keys()


def test_a_phase_moves_only_what_it_trains():
    class Picky(TwoTowers):
        def parameter_groups(self, phase):
            mine = [self.picture.weight] if phase == "both" else [self.sound.weight]
            return [{"name": phase, "params": mine, "lr_scale": 1.0, "weight_decay_scale": 1.0}]

        def optimizer_of(self, phase):
            return "shared"

    method = Picky(TwoTowers.Config(alternating=True))
    before = {n: p.detach().clone() for n, p in method.named_parameters()}
    after_first = []
    method.register_forward_pre_hook(lambda m, args: after_first.append(method.sound.weight.detach().clone()))
    run(method)
    moved = {n for n, p in method.named_parameters() if not torch.equal(p, before[n])}
    assert moved == {"picture.weight", "sound.weight"}
    assert torch.equal(method.sound.weight, after_first[1])  # the second phase's gradient on it was dropped


def test_gradients_are_clipped_to_the_norm_and_logged_unclipped():
    method = TwoTowers(TwoTowers.Config())
    result = run(method, gradient_clip=1e-3)
    norm = torch.stack([p.grad.norm() for p in method.parameters()]).norm()
    assert norm.item() == pytest.approx(1e-3, rel=1e-3)
    assert result.values["gradient_norm"] > 0.01


def test_bf16_is_used_in_the_forward_pass_only():
    method, seen = TwoTowers(TwoTowers.Config()), []
    method.sound.register_forward_hook(lambda m, a, out: seen.append(out.dtype))
    run(method, bf16=True)
    assert seen == [torch.bfloat16]
    assert method.sound.weight.grad.dtype == method.sound.weight.dtype == torch.float32


def test_losses_without_a_loss_are_refused():
    method = TwoTowers(TwoTowers.Config())
    method.forward = lambda *_: {"contrast": torch.zeros(())}
    with pytest.raises(UsageError, match="phase 'joint' gave contrast; expected an entry 'loss'"):
        run(method)


def test_after_step_is_told_the_progress_once_per_batch():
    method, told = TwoTowers(TwoTowers.Config(alternating=True)), []
    method.after_step = told.append
    run(method)
    assert told == [Progress(1, 10, 0.4)]
    assert isinstance(method, nn.Module)
