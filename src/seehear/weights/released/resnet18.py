"""torchvision's ImageNet ResNet-18 (BSD 3-Clause code): where EZ-VSL's picture tower starts, and its judge of objects.

The classifier is optional: without it there is no class-score objectness.
"""

from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn

from seehear.backbones.resnet import WIDTHS, ResNet18
from seehear.errors import UsageError
from seehear.layers.object_guidance import Objectness
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.reading import Reading
from seehear.weights.released.shapes import refuse_shape
from seehear.weights.released.state import StateReader

PREPROCESSING = Preprocessing(picture_fit="crop", crop_ratio=0.875)


class ResNetEncoder(ReleasedEncoder):
    """See `ReleasedEncoder`.

    Args:
        trunk: with the released weights.
        classifier: of its pooled features, where the file has one.
        reading: what became of the file's keys.
    """

    def __init__(self, trunk: ResNet18, classifier: nn.Linear | None, reading: Reading):
        super().__init__(reading, PREPROCESSING)
        self.trunk, self.classifier = trunk, classifier

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """The places of the last map, row by row: "image" `[B, h w, 512]` of `image [B, 3, H, W]` of any size.

        Raises:
            UsageError: if no image is given, or a spectrogram, or a shape does not fit.
        """
        if spectrogram is not None or image is None:
            raise UsageError(f"{self.layout} weights read an image alone", expected="image [B, 3, H, W]")
        refuse_shape("image", image, (3, *image.shape[2:]))
        return {"image": self.trunk(image)[-1].flatten(2).transpose(1, 2)}

    def objectness(self, kind: Literal["L1", "CLS"] = "L1") -> Objectness:
        """A frozen judge of what looks like an object, by the size of features or by class scores.

        Raises:
            UsageError: if class scores are asked for and the file has no classifier.
        """
        if kind == "CLS" and self.classifier is None:
            raise UsageError("this file has no classifier", expected="one with fc.weight and fc.bias", cure="L1")
        return Objectness(self.trunk, self.classifier if kind == "CLS" else None)


def read(state: StateReader) -> ReleasedEncoder:
    """The trunk of a file, and its classifier where there is one.

    Args:
        state: the file.
    """
    tensors = read_trunk(state, "", 3)
    head = None
    if state.has("fc."):
        ((classes, _),) = state.sizes({"fc.weight": 2})
        head = {"weight": state.take("fc.weight", (classes, WIDTHS[-1])), "bias": state.take("fc.bias", (classes,))}
    else:
        state.fallback(["fc.*"], "objectness by feature size alone")
    state.refuse("layer")  # deeper networks of the family
    reading = state.finish()
    trunk = ResNet18(3)
    trunk.load_state_dict(tensors)
    classifier = None
    if head is not None:
        classifier = nn.Linear(WIDTHS[-1], len(head["bias"]))
        classifier.load_state_dict(head)
    return ResNetEncoder(trunk, classifier, reading)


def read_trunk(state: StateReader, prefix: str, channels: int) -> dict[str, Tensor]:
    """A ResNet-18's tensors under its own names; how many batches its norms have seen may be missing, as nothing is
    computed from it.
    """
    return {
        name: state.count(prefix + name) if name.endswith("num_batches_tracked") else state.take(prefix + name, shape)
        for name, shape in _shapes(channels).items()
    }


@cache
def _shapes(channels: int) -> dict[str, torch.Size]:
    """Of everything in a ResNet-18, by name."""
    with torch.device("meta"):
        return {name: value.shape for name, value in ResNet18(channels).state_dict().items()}
