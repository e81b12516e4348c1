"""The layouts of released files by name, what a file looks like, and the door to all adapters.

An adapter is a file beside this one with `read(state, **options)`; it is imported when a file of its layout is read.
"""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from seehear.configuration import unknown_name
from seehear.errors import DataError
from seehear.weights.released.encoder import ReleasedEncoder
from seehear.weights.released.state import StateReader, unwrapped, without_wrappers

LAYOUTS = {
    "avsiam": "avsiam",
    "avsiam-finetuned": "avsiam_finetuned",
    "cav-mae": "cav_mae",
    "cav-mae-finetuned": "cav_mae_finetuned",
    "vit-timm": "vit_timm",
    "mae": "mae",
    "audiomae": "audiomae",
    "ez-vsl": "ez_vsl",
    "resnet18": "resnet18",
    "deepavfusion": "deepavfusion",
}
"""File of the adapter by layout."""
WRAPPED = {"ez-vsl": "model", "deepavfusion": "state_dict"}
"""Layouts whose files are training states, and the entry that holds the weights."""
ALIKE = ({"vit-timm", "mae"},)
"""Layouts whose encoders have the same names and compute the same."""
AVSIAM = ("vit_base.", "vit_large.", "vit_huge.")
READS_NOT = {"mavil": "MAViL's, which no adapter reads"}


def from_released(layout: str, state_dict: Mapping[str, Tensor], **options: Any) -> ReleasedEncoder:
    """The encoder of published weights, in eval mode.

    Args:
        layout: one of `LAYOUTS`.
        state_dict: tensors under their published names, with or without `module.`; any floating type. Of a layout in
            `WRAPPED` the whole training state may be given.
        options: of the layout's adapter, e.g. `heads` (see its `read`).

    Raises:
        UsageError: if there is no such layout or option.
        DataError: if the tensors are of another layout, necessary ones are missing or have other shapes, duplicated
            ones differ, or something in them changes the function and is not built here.
    """
    if layout not in LAYOUTS:
        raise unknown_name(f"layout {layout!r}", layout, LAYOUTS)
    adapter = importlib.import_module(f"seehear.weights.released.{LAYOUTS[layout]}")
    valid = list(inspect.signature(adapter.read).parameters)[1:]
    for name in options:
        if name not in valid:
            raise unknown_name(f"option {name!r} of the layout {layout}", name, valid)
    wrapper = WRAPPED.get(layout, "")
    inner = state_dict.get(wrapper)
    inside = isinstance(inner, Mapping)
    tensors = unwrapped(inner if inside else state_dict)
    _refuse_others(layout, guess(tensors))
    encoder = adapter.read(StateReader(tensors, layout), **options)
    encoder.options = dict(options)
    if inside:
        left = tuple(str(name) for name in state_dict if name != wrapper)
        encoder.reading = replace(encoder.reading, wrapper=wrapper, left=left)
    return encoder.eval()


def guess(state_dict: Mapping[str, Tensor]) -> str | None:
    """The layout that telltale keys point to ("mavil" is known by sight and not read), or None.

    MAE's encoder without its decoder looks like timm's, and is the same function.
    """
    tensors = {without_wrappers(name): value for name, value in state_dict.items()}

    def some(*prefixes: str) -> bool:
        return _some(tensors, prefixes)

    finetuned = "-finetuned" if some("mlp_head") else ""
    if some("imgnet.") and some("audnet."):
        return "ez-vsl"
    if some("encoder.fusion_tokens", "encoder.fusion_blocks."):
        return "deepavfusion"
    if some("blocks_av."):
        return "mavil"
    if some(*AVSIAM):
        return f"avsiam{finetuned}"
    if some("blocks_u."):
        return f"cav-mae{finetuned}"
    if some("layer4.1.conv2.") and some("conv1.") and not some("layer4.1.conv3.", "layer4.2."):
        return "resnet18"
    kernel = tensors.get("patch_embed.proj.weight")
    if kernel is None or kernel.ndim != 4 or not some("blocks."):
        return None
    if kernel.shape[1] == 1:
        return "audiomae"
    return "mae" if some("decoder_blocks.") else "vit-timm"


def _some(names: Iterable[str], prefixes: tuple[str, ...]) -> bool:
    return any(name.startswith(prefixes) for name in names)


def _refuse_others(layout: str, found: str | None) -> None:
    """Refuse weights that telltale keys give to another layout."""
    if found is None or found == layout or any({found, layout} <= alike for alike in ALIKE):
        return
    raise DataError(
        f"the weights look like the layout {found}" if found in LAYOUTS else f"the weights are {READS_NOT[found]}",
        expected=f"the layout {layout}",
        cure=f"the layout {found}" if found in LAYOUTS else "",
    )
