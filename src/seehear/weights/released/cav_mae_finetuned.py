"""CAV-MAE's fine-tuned files as the method `cav_mae` with its one class head.

The head reads the mean of a modality's own tokens, or of all tokens after the joint pass. A network fine-tuned on both
modalities is tested without one of them by `alone="average"`: the published `missingaudioonly` and `missingvideoonly`.
"""

from typing import Literal

from seehear.methods.cav_mae import CavMae
from seehear.weights.released.avsiam_finetuned import count_classes, read_head
from seehear.weights.released.cav_mae import PREPROCESSING, configuration, find_sizes, read_encoder
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.method_encoder import MethodEncoder
from seehear.weights.released.state import StateReader


def read(state: StateReader, alone: Literal["own", "average"] = "own", heads: int | None = None) -> ReleasedEncoder:
    """The encoder and class head of a fine-tuned file.

    Args:
        state: the file.
        alone: how a modality without the other is read (see `seehear.methods.cav_mae.Config.alone`).
        heads: attention heads; by default those of the file's size.
    """
    sizes = find_sizes(state)
    tensors = read_encoder(state, sizes)
    head = read_head(state, "mlp_head", sizes.width, count_classes(state))
    reading = state.finish()
    method = CavMae(configuration(sizes, heads, alone=alone, reconstruction_weight=0.0))
    method.load_state_dict(tensors)
    heads_by_modality = dict.fromkeys(("audio", "image", "audiovisual"), head)
    return MethodEncoder(method, reading, PREPROCESSING, heads_by_modality, pool="whole")
