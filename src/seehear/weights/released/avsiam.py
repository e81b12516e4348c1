"""AVSiam's released pretraining files (github.com/GenjiB/AVSiam, MIT) as the method `avsiam`.

Their quirks become its configuration: tokens are doubled after positions were added, the fusion blocks run with their
audio norms, the separate audio trunk `ast_base` serves the sound of the reconstruction alone (its blocks with neutral
norms, its final `norm_a`), targets are not standardised. The released Base file holds neither `ast_base` nor fusion
blocks: fusion then starts from the trunk's last two blocks, as the released code's constructor has it.
"""

import math
from dataclasses import dataclass

from seehear.layers.inputs import InputConfig
from seehear.layers.multi_ratio import MaskingConfig
from seehear.layers.patches import conv_to_linear
from seehear.methods.avsiam import AVSiam, Config, ReconstructionConfig
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.method_encoder import MethodEncoder
from seehear.weights.released.published_blocks import Named, block, norm, stack, under
from seehear.weights.released.published_decoder import decoder, decoder_depth, decoder_width
from seehear.weights.released.sizes import heads_of
from seehear.weights.released.state import StateReader

TRUNKS = ("vit_base", "vit_large", "vit_huge")
FUSION = ("mm_layer_1.", "mm_layer_2.")
MEL_BINS, FRAMES = 128, 1024
PREPROCESSING = Preprocessing(audio_mean=-5.081, audio_deviation=4.4849, picture_fit="squash")


@dataclass(frozen=True)
class Trunk:
    """Sizes of a file's ViT: its prefix with the dot, width, depth, patch, and token grids."""

    prefix: str
    width: int
    depth: int
    patch: int
    grids: dict[str, tuple[int, int]]

    @property
    def places(self) -> dict[str, int]:
        """Token places of each modality."""
        return {m: rows * columns for m, (rows, columns) in self.grids.items()}


def read(state: StateReader, heads: int | None = None, decoder_heads: int = 16) -> ReleasedEncoder:
    """The encoder of a pretraining file.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
        decoder_heads: of the decoder's blocks.
    """
    trunk = find_trunk(state)
    tensors, fusing = read_trunk(state, trunk), read_fusion(state, trunk)
    tensors |= fusing
    separate, drawing = state.has("ast_base.blocks."), state.has("decoder_embed.")
    if separate:
        tensors |= _separate_audio(state, trunk)
    else:
        state.fallback(["ast_base.*"], "the shared trunk reads the sound that is reconstructed too")
    if drawing:
        values = {"audio": trunk.patch**2, "image": 3 * trunk.patch**2}
        tensors |= decoder(state, trunk.width, trunk.places, values)
    else:
        state.fallback(["decoder_*", "mask_token"], "nothing is reconstructed")
    config = configuration(
        trunk,
        heads,
        reconstruction=ReconstructionConfig(
            width=decoder_width(state) if drawing else 512,
            depth=decoder_depth(state) if drawing else 8,
            heads=decoder_heads,
            audio_trunk="separate" if separate else "shared",
        ),
        reconstruction_weight=1.0 if drawing else 0.0,
    )
    reading = state.finish()
    method = AVSiam(config)
    method.load_state_dict(tensors)
    return MethodEncoder(method, reading, PREPROCESSING)


def configuration(trunk: Trunk, heads: int | None, **fields: object) -> Config:
    """AVSiam of a file's sizes, with the released code's masks."""
    inputs = InputConfig(
        image_height=trunk.grids["image"][0] * trunk.patch,
        image_width=trunk.grids["image"][1] * trunk.patch,
        mel_bins=MEL_BINS,
        audio_frames=FRAMES,
        drop_remainder=MEL_BINS % trunk.patch > 0 or FRAMES % trunk.patch > 0,
    )
    return Config(
        inputs=inputs,
        patch=trunk.patch,
        width=trunk.width,
        depth=trunk.depth,
        heads=heads or heads_of(trunk.width),
        double_embed=True,
        masking=MaskingConfig(ratios=(0.0, 0.2, 0.4, 0.6, 0.8), audio="tf"),
        **fields,  # type: ignore[arg-type]
    )


def find_trunk(state: StateReader) -> Trunk:
    """Sizes of the file's ViT, read off its tensors."""
    prefix = next((f"{name}." for name in TRUNKS if state.has(f"{name}.")), "vit_base.")
    kernel, positions = state.sizes({f"{prefix}patch_embed.proj.weight": 4, f"{prefix}pos_embed": 3})
    side, patch = math.isqrt(positions[1] - 1), kernel[-1]
    depth = max(1, state.count_blocks(f"{prefix}blocks."), state.count_blocks("my_blocks."))
    grids = {"audio": (MEL_BINS // patch, FRAMES // patch), "image": (side, side)}
    return Trunk(prefix, positions[-1], depth, patch, grids)


def read_trunk(state: StateReader, trunk: Trunk) -> Named:
    """The shared ViT; copies of it that the published classes register twice must be equal."""
    prefix, width, patch = trunk.prefix, trunk.width, trunk.patch
    found: Named = {}
    for modality, name, channels in (("audio", "patch_embed_a", 1), ("image", "patch_embed", 3)):
        kernel = state.take(f"{prefix}{name}.proj.weight", (width, channels, patch, patch))
        found[f"patch_embed.{modality}.proj.weight"] = conv_to_linear(kernel)
        found[f"patch_embed.{modality}.proj.bias"] = state.take(f"{prefix}{name}.proj.bias", (width,))
    found["positions.image"] = state.take(f"{prefix}pos_embed", (1, 1 + trunk.places["image"], width))[0, 1:]
    found["positions.audio"] = state.take(f"{prefix}pos_embed_a", (1, trunk.places["audio"], width))[0]
    sets = {"audio": "_a", "image": "_v"}
    unused = "a neutral norm, which the shared trunk does not run with"
    found |= stack(state, f"{prefix}blocks.", "blocks", trunk.depth, width, sets, unused)
    found |= norm(state, f"{prefix}norm_a", "norm.audio", width) | norm(state, f"{prefix}norm", "norm.image", width)
    state.drop(f"{prefix}cls_token", "no class token enters the trunk")
    state.drop(f"{prefix}head.", "the ImageNet-21k classes")
    state.same("my_blocks.", f"{prefix}blocks.")
    for copy in ("my_patch_embed.", "my_patch_embed_a."):
        state.drop(copy, "a copy from before training")
    return under("trunk", found)


def read_fusion(state: StateReader, trunk: Trunk) -> Named:
    """The two fusion blocks, with their audio norms; where there are none, the trunk's last two blocks."""
    prefixes = FUSION
    if not any(state.has(prefix) for prefix in FUSION):
        last = [max(trunk.depth - 2, 0), trunk.depth - 1]
        prefixes = tuple(f"{trunk.prefix}blocks.{number}." for number in last)
        state.fallback(["mm_layer_1.*", "mm_layer_2.*"], f"fusion starts from blocks {last[0]} and {last[1]}")
    unused = "a norm of the fusion blocks, which run with their audio norms"
    found: Named = {}
    for number, prefix in enumerate(prefixes):
        found |= under(f"fusion.{number}", block(state, prefix, trunk.width, {"joint": "_a"}, unused))
    return found


def _separate_audio(state: StateReader, trunk: Trunk) -> Named:
    """The second trunk, which reads the sound to be reconstructed: neutral norms, and its own final `norm_a`."""
    unused = "a norm that the separate audio trunk does not run with"
    found = stack(state, "ast_base.blocks.", "separate_audio", trunk.depth, trunk.width, {"joint": ""}, unused)
    found |= norm(state, "ast_base.norm_a", "separate_norm", trunk.width)
    state.drop("ast_base.", "the separate audio trunk is its blocks and `norm_a`; the rest of it runs nowhere")
    return found
