"""The masked decoder of AVSiam's and CAV-MAE's files under this project's names.

Legend: D encoder width, E decoder width, N token places, V values of a patch.
"""

from collections.abc import Mapping

from seehear.weights.released.published_blocks import Named, linear, norm, stack, under
from seehear.weights.released.state import StateReader

LETTERS = {"audio": "a", "image": "v"}


def decoder(state: StateReader, width: int, places: Mapping[str, int], values: Mapping[str, int]) -> Named:
    """Everything of a decoder on an encoder `width` wide; its blocks run with their neutral norms."""
    narrow = decoder_width(state)
    found = linear(state, "decoder_embed", "embed", narrow, width) | norm(state, "decoder_norm", "norm", narrow)
    found["mask_token"] = state.take("mask_token", (1, 1, narrow))[0, 0]
    for modality, letter in LETTERS.items():
        shape = (1, places[modality], narrow)
        found[f"positions.{modality}"] = state.take(f"decoder_pos_embed_{letter}", shape)[0]
        found[f"modalities.{modality}"] = state.take(f"decoder_modality_{letter}", (1, 1, narrow))[0, 0]
        found |= linear(state, f"decoder_pred_{letter}", f"heads.{modality}", values[modality], narrow)
    unused = "a norm of one modality, in a decoder that runs with neutral ones"
    depth = decoder_depth(state)
    return under("decoder", found | stack(state, "decoder_blocks.", "blocks", depth, narrow, {"joint": ""}, unused))


def decoder_width(state: StateReader) -> int:
    """E."""
    ((narrow, _),) = state.sizes({"decoder_embed.weight": 2})
    return narrow


def decoder_depth(state: StateReader) -> int:
    """Blocks: one at least, which is missed where there is none."""
    return max(1, state.count_blocks("decoder_blocks."))
