"""Do R0, R1 and ours compute the same? Losses and gradients from the same weights on the same masks."""

import gc
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from benchmarks.rivals.coupling import Prepared, gradients, masks_of, shape_of
from benchmarks.rivals.plain import Plain
from benchmarks.rivals.reference import Reference
from seehear.contracts import Batch
from seehear.methods.avsiam import Config
from seehear.randomness import Randomness


def random_batch(config: Config, clips: int, seed: int = 0) -> Batch:
    """Prepared inputs of random values, about normal as real ones are."""
    inputs, draw = config.inputs, torch.Generator().manual_seed(seed)
    fields = {
        "bench_spectrogram": torch.randn(clips, inputs.audio_frames, inputs.mel_bins, generator=draw),
        "bench_picture": torch.randn(clips, 3, inputs.image_height, inputs.image_width, generator=draw),
    }
    return Batch(torch.arange(clips), torch.arange(clips), fields)


def build(config: Config, dtype: torch.dtype = torch.float32, seed: int = 0) -> Prepared:
    """Our network on prepared inputs; parameters that begin at zero are moved, so that an error in them shows."""
    torch.manual_seed(seed)
    ours = Prepared(config)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return ours.to(dtype)


def differences(config: Config, clips: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> dict[str, float]:
    """Largest relative difference of each rival's losses, and of its gradients, from ours.

    Of a gradient it is the norm of the difference over the parameter's norm (not less than a millionth of all).
    """
    ours, batch, randomness = build(config, dtype, seed), random_batch(config, clips, seed), Randomness(seed, 1000)
    masks = masks_of(ours, batch, randomness)
    losses = ours(batch, randomness)
    losses["loss"].backward()
    expected = {name: value.detach() for name, value in losses.items() if name != "loss"}
    wanted = {name: p.grad if p.grad is not None else torch.zeros_like(p) for name, p in ours.named_parameters()}
    inputs = (batch["bench_spectrogram"].to(dtype), batch["bench_picture"].to(dtype))
    found: dict[str, float] = {}
    makers: dict[str, Callable[[], nn.Module]] = {
        "R0": lambda: Reference(shape_of(config)),
        "R1": lambda: Plain(shape_of(config)),
    }
    for name, make in makers.items():
        rival = make().to(dtype).load(ours)  # type: ignore[operator]
        values = rival.step_losses(*inputs, masks)  # type: ignore[operator]
        torch.stack(list(values.values())).sum().backward()
        found[f"{name} losses"] = _largest(_apart(values[key].detach(), value) for key, value in expected.items())
        found[f"{name} gradients"] = _gradients_apart(gradients(rival, ours), wanted)
        del rival, values
        gc.collect()
    return found


def arm(config: Config, clips: int) -> Callable[[], Mapping[str, float]]:
    """`differences` in fp32 as an arm of a comparison: its memory goes back when it is done."""
    return lambda: differences(config, clips)


def _gradients_apart(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    whole = torch.stack([value.norm() for value in wanted.values()]).norm()
    return _largest(
        (found[name] - value).norm() / value.norm().clamp(min=1e-6 * whole) for name, value in wanted.items()
    )


def _apart(one: Tensor, other: Tensor) -> Tensor:
    return (one - other).abs() / other.abs()


def _largest(values: Iterable[Tensor]) -> float:
    """The largest of some scalars; nan if one of them is."""
    return torch.stack(list(values)).max().item()
