"""`seehear weights inspect`: what a file of released weights holds, and what becomes of it here."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.cli.weights_options import adapter_options

if TYPE_CHECKING:
    from seehear.weights import ReleasedEncoder

EXAMPLES = (
    "seehear weights inspect as2m_pretrained.20.pth",
    "seehear weights inspect cav-mae-base-nonorm.pth --option per_patch_targets=false",
    "seehear weights inspect mae_pretrain_vit_base.pth --layout mae --json",
)


@dataclass(frozen=True)
class Options:
    """Say what a file holds: its layout, sizes, the keys that are used, those that are not and why, what is missing and
    what happens instead, and how inputs must be normalised. Nothing in it is run.
    """

    file: Annotated[Positional[Path], named("FILE")]
    """.pth, .pt, .bin or .safetensors; also one that `seehear weights convert` wrote"""
    layout: str | None = None
    """as what to read it; by default what its names point to"""
    option: tuple[str, ...] = ()
    """options of the layout's adapter, each as name=value"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Read the file and tell."""
    options = parse(Options, arguments, "weights inspect", EXAMPLES)
    from seehear.weights import open_released

    encoder = open_released(options.file, options.layout, **adapter_options(options.option))
    sizes = sizes_of(encoder)
    for line in (*encoder.reading.lines(), *encoder.preprocessing.lines()):
        console.line(line)
    console.table("sizes", ("what", "value"), sizes.items())
    return {
        "file": options.file,
        "layout": encoder.layout,
        "options": encoder.options,
        "sizes": sizes,
        "reading": encoder.reading.to_dict(),
        "preprocessing": asdict(encoder.preprocessing),
    }


def sizes_of(encoder: "ReleasedEncoder") -> dict[str, Any]:
    """Of an encoder: width, heads and blocks of its trunk, token grids, parameters in all and by part."""
    from seehear.layers.attention import Attention
    from seehear.layers.modality_tokens import ModalityTokens

    trunk = next(module for module in encoder.modules() if isinstance(module, ModalityTokens))
    attentions = [module for module in trunk.modules() if isinstance(module, Attention)]
    grids = {f"tokens of {name}": " x ".join(map(str, grid)) for name, grid in trunk.grids.items()}
    counts: Counter[str] = Counter()
    for name, value in encoder.named_parameters():
        counts[".".join(name.split(".")[:2])] += value.numel()
    parts = {f"parameters of {name}": count for name, count in counts.most_common()}
    own = {"width": trunk.width, "heads": attentions[0].heads, "blocks of the trunk": len(attentions)}
    return {**own, **grids, "parameters": sum(counts.values()), **parts}
