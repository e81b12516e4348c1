"""DeepAVFusion's released pretraining files (github.com/stoneMo/DeepAVFusion) as the method `deepavfusion`.

A file is a training state whose entry `state_dict` holds encoder and decoders. Widths of the fusion blocks' keys and
MLPs are read off their shapes (the two released models differ in them), and so are sizes and positions. What no shape
tells: attention heads, and how many of the fusion tokens are aggregators (all released configurations have a quarter of
each kind: 16, 8 and 8). Decoders draw the values of a patch in MAE's order of row, column and channel.

Legend: B clips, N tokens of a modality, F fusion tokens, D width, E decoder width.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from seehear.backbones.early_fusion import Fused, FusionConfig
from seehear.errors import DataError, UsageError
from seehear.layers.log_mel_inputs import LOG_MEL_INPUTS
from seehear.layers.packing import whole
from seehear.layers.patches import conv_to_linear, cut_picture
from seehear.methods.deepavfusion import Config, DeepAVFusion
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.published_blocks import Named, linear, norm, stack, under
from seehear.weights.released.reading import Reading
from seehear.weights.released.shapes import refuse_shape
from seehear.weights.released.sizes import heads_of
from seehear.weights.released.state import StateReader

MEL_BINS, AUDIO_FRAMES = 128, 192
CHANNELS = {"audio": 1, "image": 3}
JOINT = {"joint": ""}
CHANGES = ("fusion_", *(f"{m}.{part}" for m in CHANNELS for part in ("blocks.", "patch_embed.", "norm.", "cls_token")))
"""Beginnings of names under `encoder.` that change what comes out: what is not taken of these is refused."""
WINDOWED = "a decoder with shifted windows, which is not built here: nothing is reconstructed"
NOTE = (
    "sound is log10(mel power + 1e-7), HTK triangles, 50 ms windows every 1/64 s at 16 kHz, 128 x 192, not normalised; "
    "the network reads both modalities or neither"
)


@dataclass(frozen=True)
class Sizes:
    """Sizes of a file: width, blocks of a trunk, hidden widths, patch, token grids, and the fusion tokens."""

    width: int
    depth: int
    hidden: int
    patch: int
    grids: dict[str, tuple[int, int]]
    tokens: int
    layers: tuple[int, ...]
    narrow: int
    """Width of the queries and keys that read pairs."""
    fusion_hidden: int


class DeepAVFusionEncoder(ReleasedEncoder):
    """See `ReleasedEncoder`.

    Args:
        method: with the released weights; without decoders where the file has none.
        reading: what became of the file's keys.
    """

    def __init__(self, method: DeepAVFusion, reading: Reading):
        inputs = method.config.inputs
        size = (inputs.image_height, inputs.image_width)
        super().__init__(reading, Preprocessing(image_size=size, crop_ratio=224 / 256, note=NOTE))
        self.method = method

    def forward(self, image: Tensor, logmel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens of the picture and of the sound `[B, N, D]`, and all fusion tokens `[B, F, D]`, after the final norms.

        Args:
            image: `[B, 3, 224, 224]`, normalised.
            logmel: `[B, 1, 128, 192]`.

        Raises:
            UsageError: if a shape does not fit, or the two are not of equally many clips.
        """
        fused = self._fused(image, logmel)
        return fused.image, fused.audio, fused.fusion

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Tokens `[B, N, D]` after the final norms: "audio", "image" and "audiovisual", the fusion tokens.

        Args:
            spectrogram: log-mel `[B, 192, 128]`.
            image: `[B, 3, 224, 224]`, normalised.

        Raises:
            UsageError: if one of them is missing, or a shape does not fit.
        """
        if spectrogram is None or image is None:
            raise UsageError(f"one modality for {self.layout} weights", expected="both: their layers read both")
        fused = self._fused(image, spectrogram.transpose(1, 2)[:, None])
        return {"audio": fused.audio, "image": fused.image, "audiovisual": fused.fusion}

    def _fused(self, image: Tensor, logmel: Tensor) -> Fused:
        inputs, patch, grids = self.method.config.inputs, self.method.config.patch, self.method.grids
        refuse_shape("image", image, (3, inputs.image_height, inputs.image_width))
        refuse_shape("logmel", logmel, (1, inputs.mel_bins, inputs.audio_frames))
        if len(image) != len(logmel):
            raise UsageError(f"{len(image)} pictures and {len(logmel)} sounds", expected="one of each for a clip")
        rows, columns = (side * patch for side in grids["audio"])
        sound = whole("audio", cut_picture(logmel[..., :rows, :columns], patch))
        rows, columns = (side * patch for side in grids["image"])
        return self.method.encoder(sound, whole("image", cut_picture(image[..., :rows, :columns], patch)))


def read(
    state: StateReader,
    heads: int | None = None,
    counts: Sequence[int] | None = None,
    decoder_heads: int | None = None,
) -> ReleasedEncoder:
    """The encoder of a file, and its decoders where it has plain ones.

    Args:
        state: the file.
        heads: attention heads; by default those of the file's size.
        counts: fusion tokens proper, visual aggregators, sound's; by default a half and two quarters of them.
        decoder_heads: of the decoders' blocks; by default 32 channels each, as released.
    """
    sizes = find_sizes(state)
    options = {"heads": heads or heads_of(sizes.width), "fusion": _fusion(sizes, counts)}
    tensors = {f"encoder.{name}": value for name, value in _encoder(state, sizes).items()}
    drawing, fields = _draws(state), {}
    if drawing:
        found, fields = _decoders(state, sizes, decoder_heads)
        tensors |= found
    state.refuse(*(f"encoder.{name}" for name in CHANGES))
    reading = state.finish()
    method = DeepAVFusion(_configuration(sizes, **options, **fields))
    if not drawing:
        method.decoders = nn.ModuleDict()
    method.load_state_dict(tensors)
    return DeepAVFusionEncoder(method, reading)


def find_sizes(state: StateReader) -> Sizes:
    """Read off the tensors; sound is 128 mel bins high and as long as its positions say."""
    layers = _layers(state)
    asked = {
        "encoder.image.patch_embed.proj.weight": 4,
        "encoder.image.pos_embed": 3,
        "encoder.audio.pos_embed": 3,
        "encoder.fusion_tokens": 3,
        "encoder.image.blocks.0.mlp.fc1.weight": 2,
    }
    if layers:
        first = f"encoder.fusion_blocks.{layers[0]}."
        asked |= {f"{first}attn.q.weight": 2, f"{first}mlp.fc1.weight": 2}
    kernel, picture, sound, tokens, hidden, *fusion = state.sizes(asked)
    width, patch, side = kernel[0], kernel[-1], math.isqrt(picture[1])
    rows = max(1, MEL_BINS // patch)
    grids = {"audio": (rows, max(1, sound[1] // rows)), "image": (side, side)}
    depth = max(1, *(state.count_blocks(f"encoder.{m}.blocks.") for m in CHANNELS))
    narrow, fusion_hidden = (shape[0] for shape in fusion) if fusion else (width, width)
    return Sizes(width, depth, hidden[0], patch, grids, tokens[1], layers, narrow, fusion_hidden)


def _layers(state: StateReader) -> tuple[int, ...]:
    """The layers that have a fusion block."""
    prefix = "encoder.fusion_blocks."
    numbers = {name.removeprefix(prefix).split(".")[0] for name in state.names(prefix)}
    return tuple(sorted(int(number) for number in numbers if number.isdecimal()))


def _fusion(sizes: Sizes, counts: Sequence[int] | None) -> FusionConfig:
    """Refuse what cannot be the fusion tokens of this file."""
    quarter = sizes.tokens // 4
    tokens, visual, sound = (sizes.tokens - 2 * quarter, quarter, quarter) if counts is None else counts
    if tokens + visual + sound != sizes.tokens or min(tokens, visual, sound) < 1:
        raise DataError(
            f"encoder.fusion_tokens holds {sizes.tokens} tokens for {tokens} + {visual} + {sound}",
            expected="fusion tokens, visual and sound's aggregators that add up to it, one of each at least",
            cure="the option counts",
        )
    if sizes.layers and sizes.layers[-1] >= sizes.depth:
        raise DataError(
            f"a fusion block of layer {sizes.layers[-1]} for trunks of {sizes.depth} blocks", expected="one in a layer"
        )
    everywhere = sizes.layers == tuple(range(sizes.depth))
    ratios = {"ratio": sizes.narrow / sizes.width, "mlp_ratio": sizes.fusion_hidden / sizes.width}
    layers = "all" if everywhere else sizes.layers or "none"
    return FusionConfig(tokens=tokens, visual=visual, sound=sound, layers=layers, **ratios)


def _configuration(sizes: Sizes, **fields: Any) -> Config:
    """DeepAVFusion of a file's sizes."""
    patch, columns = sizes.patch, sizes.grids["audio"][1]
    side = sizes.grids["image"][0] * patch
    inputs = replace(
        LOG_MEL_INPUTS,
        mel_bins=MEL_BINS,
        audio_frames=AUDIO_FRAMES if AUDIO_FRAMES // patch == columns else columns * patch,
        image_height=side,
        image_width=side,
        drop_remainder=True,
    )
    trunk = {"width": sizes.width, "depth": sizes.depth, "mlp_ratio": sizes.hidden / sizes.width}
    return Config(inputs=inputs, patch=patch, **trunk, **fields)


def _encoder(state: StateReader, sizes: Sizes) -> Named:
    """Trunks, fusion tokens and blocks, and final norms."""
    width, patch, found = sizes.width, sizes.patch, Named()
    for modality, channels in CHANNELS.items():
        theirs, (rows, columns) = f"encoder.{modality}.", sizes.grids[modality]
        kernel = state.take(f"{theirs}patch_embed.proj.weight", (width, channels, patch, patch))
        found[f"patch_embed.{modality}.proj.weight"] = conv_to_linear(kernel)
        found[f"patch_embed.{modality}.proj.bias"] = state.take(f"{theirs}patch_embed.proj.bias", (width,))
        found[f"positions.{modality}"] = state.take(f"{theirs}pos_embed", (1, rows * columns, width))[0]
        ours = f"trunks.{modality}"
        found |= stack(state, f"{theirs}blocks.", ours, sizes.depth, width, JOINT, hidden=sizes.hidden)
        found |= norm(state, f"{theirs}norm", f"norm.{modality}", width)
    found["fusion_tokens"] = state.take("encoder.fusion_tokens", (1, sizes.tokens, width))[0]
    for number in sizes.layers:
        found |= under(f"fusion.{number}", _fusion_block(state, f"encoder.fusion_blocks.{number}.", sizes))
    return found | norm(state, "encoder.fusion_norm", "fusion_norm", width)


def _fusion_block(state: StateReader, prefix: str, sizes: Sizes) -> Named:
    width, narrow, found = sizes.width, sizes.narrow, Named()
    norms = {"norm1_mm": "norm_tokens", "norm1_img": "norm_image", "norm1_aud": "norm_audio", "norm2": "norm2"}
    for theirs, ours in norms.items():
        found |= norm(state, prefix + theirs, ours, width)
    for theirs, ours in (("attn_v", "image"), ("attn_a", "audio")):
        for part, outputs in (("q", width), ("kv", 2 * width), ("proj", width)):
            found |= linear(state, f"{prefix}attn.{theirs}.{part}", f"read.{ours}.{part}", outputs, width)
    for name, outputs, inputs in (
        ("q", narrow, width),
        ("k", narrow, 2 * width),
        ("v", width, 2 * width),
        ("proj", width, width),
    ):
        found |= linear(state, f"{prefix}attn.{name}", f"read.both.{name}", outputs, inputs)
    found |= linear(state, f"{prefix}mlp.fc1", "mlp.fc1", sizes.fusion_hidden, width)
    return found | linear(state, f"{prefix}mlp.fc2", "mlp.fc2", width, sizes.fusion_hidden)


def _draws(state: StateReader) -> bool:
    """The file has plain decoders; what it lacks, or has of another kind, is reported."""
    prefixes = tuple(f"{modality}_decoder_" for modality in CHANNELS)
    if any("relative_position" in name for prefix in prefixes for name in state.names(prefix)):
        for prefix in prefixes:
            state.drop(prefix, WINDOWED)
        return False
    if any(state.has(prefix) for prefix in prefixes):
        return True
    state.fallback([f"{prefix}*" for prefix in prefixes], "nothing is reconstructed")
    return False


def _decoders(state: StateReader, sizes: Sizes, heads: int | None) -> tuple[Named, dict[str, int]]:
    """Both decoders, and the configuration's fields of them."""
    ((narrow, _),) = state.sizes({"image_decoder_embed.weight": 2})
    depth = max(1, *(state.count_blocks(f"{m}_decoder_blocks.") for m in CHANNELS))
    found = Named()
    for modality, channels in CHANNELS.items():
        theirs, (rows, columns) = f"{modality}_decoder_", sizes.grids[modality]
        mine = linear(state, f"{theirs}embed", "embed", narrow, sizes.width)
        mine |= norm(state, f"{theirs}norm", "norm", narrow)
        mine["mask_token"] = state.take(f"{theirs}mask_token", (1, 1, narrow))[0, 0]
        mine[f"positions.{modality}"] = state.take(f"{theirs}pos_embed", (1, rows * columns, narrow))[0]
        mine |= linear(state, f"{theirs}pred", f"heads.{modality}", channels * sizes.patch**2, narrow)
        mine |= stack(state, f"{theirs}blocks.", "blocks", depth, narrow, JOINT)
        found |= under(f"decoders.{modality}", mine)
    if heads is None:
        heads = next(number for number in range(max(1, narrow // 32), 0, -1) if narrow % number == 0)
    return found, {"decoder_width": narrow, "decoder_depth": depth, "decoder_heads": heads}
