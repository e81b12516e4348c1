"""The cache of constant tables under inference mode, compilation, export and a change of dtype."""

import subprocess
import sys

import pytest
import torch

from seehear.signals import fbank, normalize_image, resample, stft
from seehear.signals.tables import cached_table


def test_a_table_is_built_once_per_parameters_and_dtype():
    built = []

    @cached_table
    def ramp(size):
        built.append(size)
        return torch.arange(size, dtype=torch.float64)

    cpu = torch.device("cpu")
    assert ramp(cpu, torch.float32, 4) is ramp(cpu, torch.float32, 4)
    assert ramp(cpu, torch.float64, 4).dtype == torch.float64
    assert ramp(cpu, torch.float32, 5).tolist() == [0, 1, 2, 3, 4]
    assert built == [4, 4, 5]


def test_a_table_first_built_under_inference_mode_serves_training():
    """Sizes used nowhere else, so that the tables are surely built here."""
    x = torch.rand(1, 4000)
    with torch.inference_mode():
        fbank(x, num_mel_bins=17)
        resample(x, 17, 19)
        stft(x, 34, 17)
    x.requires_grad_()
    (fbank(x, num_mel_bins=17).sum() + resample(x, 17, 19).sum() + stft(x, 34, 17).abs().sum()).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


class Front(torch.nn.Module):
    def forward(self, waveform, pictures):
        return fbank(resample(waveform, 8_000, 16_000), num_mel_bins=18), normalize_image(pictures, (0.1, 0.2, 0.3))


@pytest.mark.parametrize("how", ["compile", "export"])
def test_the_front_end_is_one_graph(how):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, 2000, generator=generator) - 0.5
    pictures = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=generator)
    if how == "compile":
        front = torch.compile(Front(), backend="eager", fullgraph=True)
    else:
        front = torch.export.export(Front(), (x, pictures)).module()
    for traced, plain in zip(front(x, pictures), Front()(x, pictures), strict=True):
        torch.testing.assert_close(traced, plain)


def test_the_room_opens_without_other_libraries():
    heavy = "av lance pyarrow PIL sklearn scipy matplotlib torchvision torchaudio"
    code = f"import sys, seehear.signals; sys.exit(' '.join(set({heavy.split()!r}) & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
