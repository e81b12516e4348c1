"""The step's arms run, start alike, and their figures are what was measured."""

import pytest
import torch

from benchmarks import flops, step
from benchmarks.kit.arms import Taken
from benchmarks.rivals.coupling import shape_of

LIMITS = {"gemm_fp32_gflops": 100, "gemm_bf16_gflops": 1000}


def test_sizes_are_the_released_base_with_one_trunk_and_one_step():
    base = step.configuration("B")
    assert (base.width, base.depth, base.heads, base.double_embed) == (768, 12, 12, True)
    assert base.masking.ratios == (0.0, 0.2, 0.4, 0.6, 0.8)
    assert (base.masking.audio, base.reconstruction.depth, base.reconstruction.width) == ("tf", 8, 512)
    assert (base.reconstruction.audio_trunk, base.alternating) == ("shared", False)
    assert step.configuration("S").width == 384


@pytest.mark.parametrize("name", step.ARMS)
def test_every_arm_takes_steps(name, monkeypatch):
    monkeypatch.setattr(step, "economise", lambda *_: None)  # it would change this process for good
    arm = step._arm(name, "proof", 5)
    work = getattr(step, arm.target.split(":")[1])(**arm.arguments)
    first, second = work(), work()
    assert first == second
    assert first["parameters"] > (2e6 if name.startswith("R0") else 3e5)


def test_every_step_of_ours_draws_other_masks(monkeypatch):
    monkeypatch.setattr(step, "economise", lambda *_: None)
    seen = []
    forward = step.Prepared.forward
    monkeypatch.setattr(step.Prepared, "forward", lambda *a, **k: seen.append(a[1].positions) or forward(*a, **k))
    work = step.ours("proof", 5, bf16=False)
    work(), work()
    assert [p.tolist() for p in seen] == [list(range(5)), list(range(5, 10))]


def test_inputs_are_the_same_for_all_and_normalised():
    config = step.configuration("proof")
    one, other = step.inputs(config, 5), step.inputs(config, 5)
    assert torch.equal(one["bench_spectrogram"], other["bench_spectrogram"])
    assert one["bench_spectrogram"].shape == (5, 160, 64)
    assert one["bench_picture"].shape == (5, 3, 96, 96)
    assert 0.5 < one["bench_picture"].std() < 2


def test_a_cell_holds_rate_and_utilisation():
    taken = Taken((2.0, 2.0, 2.0), (3.0, 3.0, 3.0), ({"parameters": 5e6},), 100.0, 900.0)
    cell = step._cell("ours bf16", taken, "proof", 80, LIMITS)
    work = flops.step(shape_of(step.configuration("proof")), 80) / 1e9
    assert (cell["clips_per_second"], cell["gflop"], cell["gflops"]) == (40, work, work / 2)
    assert cell["utilisation"] == pytest.approx(work / 2 / 1000)
    assert step._cell("R0 fp32", taken, "proof", 80, LIMITS)["utilisation"] == pytest.approx(work / 2 / 100)


def test_r0_is_held_against_the_published_code_at_this_machines_rate():
    landing = step._landing(Taken((30.0,), (1.0,), (), 0.0, 7.8 * 1024), {"gemm_fp32_gflops": 380}, 10)
    assert landing["expected_seconds"] == pytest.approx(38.5 / 2)
    assert landing["expected_seconds_products_scaled"] == pytest.approx(38.5 - 4740 / 190 + 4740 / 380, rel=1e-3)
    assert landing["time_over_expected"] == pytest.approx(30 / 19.25)
    assert landing["memory_over_published"] == pytest.approx(1.0)


def test_arms_that_disagree_are_not_compared(monkeypatch):
    taken = Taken((1.0,), (1.0,), ({"R0 losses": 1e-7, "R1 gradients": float("nan")},), 0.0, 0.0)
    monkeypatch.setattr(step.arms, "take_turns", lambda *_, **__: {"agreement": taken})
    with pytest.raises(SystemExit, match="do not agree"):
        step.agreement("S", 5, small_only=False)
