"""Random weights under EZ-VSL's published names, and the map of a network with them, step by step in float64."""

import math

import torch
from torch.nn import functional as F

WIDTHS = (64, 128, 256, 512)


def _norm(name, channels, generator):
    yield f"{name}.weight", torch.rand(channels, generator=generator) + 0.5
    yield f"{name}.bias", 0.3 * torch.randn(channels, generator=generator)
    yield f"{name}.running_mean", 0.3 * torch.randn(channels, generator=generator)
    yield f"{name}.running_var", torch.rand(channels, generator=generator) + 0.3
    yield f"{name}.num_batches_tracked", torch.tensor(4321)


def _kernel(name, shape, generator):
    yield f"{name}.weight", torch.randn(shape, generator=generator) / math.sqrt(math.prod(shape[1:]))


def _trunk(prefix, channels, generator):
    yield from _kernel(f"{prefix}conv1", (64, channels, 7, 7), generator)
    yield from _norm(f"{prefix}bn1", 64, generator)
    before = 64
    for stage, width in enumerate(WIDTHS, 1):
        for block in range(2):
            name = f"{prefix}layer{stage}.{block}"
            yield from _kernel(f"{name}.conv1", (width, before, 3, 3), generator)
            yield from _norm(f"{name}.bn1", width, generator)
            yield from _kernel(f"{name}.conv2", (width, width, 3, 3), generator)
            yield from _norm(f"{name}.bn2", width, generator)
            if before != width:
                yield from _kernel(f"{name}.downsample.0", (width, before, 1, 1), generator)
                yield from _norm(f"{name}.downsample.1", width, generator)
            before = width


def ez_vsl(seed=0, width=512):
    """A file's entry `model`: names under `module.`, as data-parallel training saves them."""
    generator = torch.Generator().manual_seed(seed)
    state = dict(_trunk("imgnet.", 3, generator)) | dict(_kernel("img_proj", (width, 512, 1, 1), generator))
    state |= dict(_trunk("audnet.", 1, generator)) | dict(_kernel("aud_proj", (width, 512), generator))
    state |= {f"{name}.bias": torch.randn(width, generator=generator) for name in ("img_proj", "aud_proj")}
    return {f"module.{name}": value for name, value in state.items()}


def resnet18(classes=5, seed=0):
    """torchvision's file, with a classifier of so many classes."""
    generator = torch.Generator().manual_seed(seed)
    state = dict(_trunk("", 3, generator))
    if classes:
        state |= {"fc.weight": torch.randn(classes, 512, generator=generator) / 100}
        state |= {"fc.bias": torch.randn(classes, generator=generator)}
    return state


class Oracle:
    """The published network with these weights, in evaluation mode."""

    def __init__(self, state):
        self.state = {name.replace("module.", ""): value.double() for name, value in state.items()}

    def convolve(self, x, name, stride=1):
        kernel = self.state[f"{name}.weight"]
        return F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)

    def norm(self, x, name):
        scale, shift, mean, variance = (
            self.state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
        )
        return scale * (x - mean) / torch.sqrt(variance + 1e-5) + shift

    def trunk(self, x, prefix):
        x = torch.relu(self.norm(self.convolve(x, f"{prefix}conv1", 2), f"{prefix}bn1"))
        x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        for stage in range(1, 5):
            for block in range(2):
                name, stride = f"{prefix}layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
                inside = torch.relu(self.norm(self.convolve(x, f"{name}.conv1", stride), f"{name}.bn1"))
                inside = self.norm(self.convolve(inside, f"{name}.conv2"), f"{name}.bn2")
                if f"{name}.downsample.0.weight" in self.state:
                    x = self.norm(self.convolve(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
                x = torch.relu(inside + x)
        return x

    def map(self, image, spectrogram):
        """`[B, h, w]`: the product of unit vectors of each place and of the sound, over 0.03."""
        places = self.trunk(image.double(), "imgnet.")
        places = torch.einsum("bchw,dc->bdhw", places, self.state["img_proj.weight"][:, :, 0, 0])
        places = places + self.state["img_proj.bias"][:, None, None]
        sound = self.trunk(spectrogram.double(), "audnet.").amax(dim=(2, 3))
        sound = torch.einsum("bc,dc->bd", sound, self.state["aud_proj.weight"]) + self.state["aud_proj.bias"]
        places, sound = places / places.norm(dim=1, keepdim=True), sound / sound.norm(dim=1, keepdim=True)
        return torch.einsum("bdhw,bd->bhw", places, sound) / 0.03
