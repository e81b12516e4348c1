"""timm's ViT files (weights licensed model by model), and DINOv2's (Apache-2.0), whose tensors have the same names.

Ti to H with patches of any side, class token or none, registers, LayerScale. What a file does not tell is how its
pictures were normalised: by default as the AugReg models' (0.5), with LayerScale as DINOv2's (ImageNet's).
"""

from collections.abc import Sequence
from typing import Literal

from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.state import StateReader
from seehear.weights.released.vit import read_vit

HALF = (0.5, 0.5, 0.5)
NOTE = "timm files do not tell how pictures were normalised: see the model's page"


def read(
    state: StateReader,
    heads: int | None = None,
    grid: Sequence[int] | None = None,
    image_size: int | Sequence[int] | None = None,
    statistics: Literal["half", "imagenet"] | None = None,
) -> ReleasedEncoder:
    """The encoder of a file: "image" `[B, K + N, D]`, class token and registers first where the file has them.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
        grid: the file's token grid, where it is not square.
        image_size: of the pictures to come; positions are carried to its grid. By default the file's.
        statistics: how pictures were normalised.
    """
    chosen = statistics or ("imagenet" if state.has("blocks.0.ls1.") else "half")
    pictures = Preprocessing(note="" if statistics else NOTE)
    if chosen == "half":
        pictures = Preprocessing(image_mean=HALF, image_deviation=HALF, note=pictures.note)
    return read_vit(state, "image", pictures, heads, grid, image_size)
