"""CAV-MAE's released pretraining files (github.com/YuanGongND/cav-mae, BSD 2-Clause) as the method `cav_mae`.

Positions are entries of the file and are loaded, not computed. Nothing in a file tells whether its targets were
standardised: `per_patch_targets` does, on by default (the files called "NoNorm" want it off).
"""

import math
from dataclasses import dataclass

from seehear.layers.inputs import InputConfig
from seehear.layers.patches import conv_to_linear
from seehear.methods.cav_mae import CavMae, Config
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.method_encoder import MethodEncoder
from seehear.weights.released.published_blocks import Named, norm, stack
from seehear.weights.released.published_decoder import decoder, decoder_depth, decoder_width
from seehear.weights.released.sizes import heads_of
from seehear.weights.released.state import StateReader

MEL_BINS = 128
LETTERS = {"audio": "a", "image": "v"}
SETS = {"joint": "", "audio": "_a", "image": "_v"}
PREPROCESSING = Preprocessing(audio_mean=-5.081, audio_deviation=4.4849, picture_fit="crop")


@dataclass(frozen=True)
class Sizes:
    """Sizes of a file: width, blocks of each trunk and joint ones, patch, and token grids."""

    width: int
    depth: int
    joint_depth: int
    patch: int
    grids: dict[str, tuple[int, int]]

    @property
    def places(self) -> dict[str, int]:
        """Token places of each modality."""
        return {m: rows * columns for m, (rows, columns) in self.grids.items()}


def read(
    state: StateReader, per_patch_targets: bool = True, heads: int | None = None, decoder_heads: int = 16
) -> ReleasedEncoder:
    """The encoder of a pretraining file.

    Args:
        state: the file.
        per_patch_targets: the targets were standardised patch by patch.
        heads: attention heads; by default those of the file's size.
        decoder_heads: of the decoder's blocks.
    """
    sizes = find_sizes(state)
    tensors, drawing = read_encoder(state, sizes), state.has("decoder_embed.")
    fields: dict[str, object] = {"reconstruction_weight": 0.0}
    if drawing:
        values = {"audio": sizes.patch**2, "image": 3 * sizes.patch**2}
        tensors |= decoder(state, sizes.width, sizes.places, values)
        fields = {
            "decoder_width": decoder_width(state),
            "decoder_depth": decoder_depth(state),
            "decoder_heads": decoder_heads,
            "per_patch_targets": per_patch_targets,
        }
    else:
        state.fallback(["decoder_*", "mask_token"], "nothing is reconstructed")
    reading = state.finish()
    method = CavMae(configuration(sizes, heads, **fields))
    method.load_state_dict(tensors)
    return MethodEncoder(method, reading, PREPROCESSING, pool="whole")


def configuration(sizes: Sizes, heads: int | None, **fields: object) -> Config:
    """CAV-MAE of a file's sizes."""
    inputs = InputConfig(
        image_height=sizes.grids["image"][0] * sizes.patch,
        image_width=sizes.grids["image"][1] * sizes.patch,
        mel_bins=MEL_BINS,
        audio_frames=sizes.grids["audio"][1] * sizes.patch,
        audio_seconds=sizes.grids["audio"][1] * sizes.patch / 100,
        fit="crop",
    )
    return Config(
        inputs=inputs,
        patch=sizes.patch,
        width=sizes.width,
        depth=sizes.depth,
        joint_depth=sizes.joint_depth,
        heads=heads or heads_of(sizes.width),
        **fields,  # type: ignore[arg-type]
    )


def find_sizes(state: StateReader) -> Sizes:
    """Read off the tensors; sound is 128 mel bins high and as long as its positions say."""
    kernel, sound, picture = state.sizes({"patch_embed_v.proj.weight": 4, "pos_embed_a": 3, "pos_embed_v": 3})
    patch, side = kernel[-1], math.isqrt(picture[1])
    rows = max(1, MEL_BINS // patch)
    grids = {"audio": (rows, sound[1] // rows), "image": (side, side)}
    depth = max(1, state.count_blocks("blocks_a."), state.count_blocks("blocks_v."))
    return Sizes(kernel[0], depth, max(1, state.count_blocks("blocks_u.")), patch, grids)


def read_encoder(state: StateReader, sizes: Sizes) -> Named:
    """Trunks, joint blocks and final norms."""
    width, patch = sizes.width, sizes.patch
    found: Named = {}
    for modality, letter in LETTERS.items():
        channels = 1 if modality == "audio" else 3
        kernel = state.take(f"patch_embed_{letter}.proj.weight", (width, channels, patch, patch))
        found[f"trunk.patch_embed.{modality}.proj.weight"] = conv_to_linear(kernel)
        found[f"trunk.patch_embed.{modality}.proj.bias"] = state.take(f"patch_embed_{letter}.proj.bias", (width,))
        positions = state.take(f"pos_embed_{letter}", (1, sizes.places[modality], width))
        found[f"trunk.positions.{modality}"] = positions[0]
        found[f"trunk.names.{modality}"] = state.take(f"modality_{letter}", (1, 1, width))[0, 0]
        unused = "a norm of one modality, in a trunk that runs with neutral ones"
        ours = f"trunk.trunks.{modality}"
        found |= stack(state, f"blocks_{letter}.", ours, sizes.depth, width, {modality: ""}, unused)
    found |= stack(state, "blocks_u.", "joint", sizes.joint_depth, width, SETS)
    for name, suffix in SETS.items():
        found |= norm(state, f"norm{suffix}", f"norm.{name}", width)
    return found
