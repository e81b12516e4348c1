"""AudioMAE's ViT files (github.com/facebookresearch/AudioMAE, CC-BY-NC 4.0), with their decoder or without.

Huang et al., "Masked autoencoders that listen", arXiv 2207.06405. Its convolution reads `[B, 1, frames, mel bins]`:
token t * 8 + f, values of a patch (frame, mel bin). The spectrogram is divided by twice its deviation. Its pretraining
class returns, of what is not masked, the mean of the normed tokens after blocks 9, 10 and 11: `average_after=8`.
"""

from collections.abc import Sequence

from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.state import StateReader
from seehear.weights.released.vit import read_vit

PREPROCESSING = Preprocessing(
    audio_mean=-4.2677393, audio_deviation=2 * 4.5689974, image_mean=None, image_deviation=None
)


def read(
    state: StateReader,
    heads: int | None = None,
    grid: Sequence[int] | None = None,
    average_after: int | None = None,
) -> ReleasedEncoder:
    """The encoder of a file: "audio" `[B, 1 + 512, D]` of `[B, 1024, 128]`, class token first.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
        grid: the file's token grid (times, rows of mel bins), where it does not read 128 mel bins.
        average_after: the mean over the blocks after this one; None: the tokens after the last block.
    """
    return read_vit(state, "audio", PREPROCESSING, heads, grid, average_after=average_after)
