"""AVSiam's fine-tuned files as the method `avsiam` with class heads.

Sound and picture have a head each on the mean of their tokens after the final norms, both together one on the two means
after the fusion blocks side by side. Huge files have no such head: the logits of both are the mean of those of each.
"""

from seehear.layers.class_head import ClassHead
from seehear.methods.avsiam import AVSiam
from seehear.weights.released.avsiam import PREPROCESSING, configuration, find_trunk, read_fusion, read_trunk
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.method_encoder import MethodEncoder, class_head
from seehear.weights.released.state import StateReader


def read(state: StateReader, heads: int | None = None) -> ReleasedEncoder:
    """The encoder and class heads of a fine-tuned file.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
    """
    trunk = find_trunk(state)
    tensors = read_trunk(state, trunk) | read_fusion(state, trunk)
    classes = count_classes(state)
    together = state.has("mlp_head_mm.")
    widths = {"audio": ("mlp_head_a", trunk.width), "image": ("mlp_head", trunk.width)}
    if together:
        widths["audiovisual"] = ("mlp_head_mm", 2 * trunk.width)
    else:
        state.fallback(["mlp_head_mm.*"], "logits of both modalities are the mean of those of each")
    found = {modality: read_head(state, name, width, classes) for modality, (name, width) in widths.items()}
    state.drop("mlp_head_mm_v2.", "a head that the published fine-tuning never calls")
    reading = state.finish()
    method = AVSiam(configuration(trunk, heads, reconstruction_weight=0.0))
    method.load_state_dict(tensors)
    return MethodEncoder(method, reading, PREPROCESSING, found, without_fusion=not together)


def count_classes(state: StateReader) -> int:
    """C."""
    ((classes,),) = state.sizes({"mlp_head.1.bias": 1})
    return classes


def read_head(state: StateReader, name: str, width: int, classes: int) -> ClassHead:
    """A LayerNorm and a linear layer, `name`.0 and `name`.1."""
    return class_head(
        state.take(f"{name}.1.weight", (classes, width)),
        state.take(f"{name}.1.bias", (classes,)),
        state.take(f"{name}.0.weight", (width,)),
        state.take(f"{name}.0.bias", (width,)),
    )
