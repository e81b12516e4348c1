"""MAE's ViT files (github.com/facebookresearch/mae, CC-BY-NC 4.0), with their decoder or without: the encoder is read.

He et al., "Masked autoencoders are scalable vision learners", arXiv 2111.06377; pictures as in its evaluation.
"""

from collections.abc import Sequence

from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.state import StateReader
from seehear.weights.released.vit import read_vit

PREPROCESSING = Preprocessing(crop_ratio=0.875)


def read(
    state: StateReader, heads: int | None = None, image_size: int | Sequence[int] | None = None
) -> ReleasedEncoder:
    """The encoder of a file: "image" `[B, 1 + N, D]`, class token first.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
        image_size: of the pictures to come; positions are carried to its grid. By default the file's.
    """
    return read_vit(state, "image", PREPROCESSING, heads, image_size=image_size)
