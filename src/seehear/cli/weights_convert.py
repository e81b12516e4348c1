"""`seehear weights convert`: a released file under this project's parameter names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.cli.weights_options import adapter_options

EXAMPLES = (
    "seehear weights convert as2m_pretrained.20.pth avsiam.safetensors",
    "seehear weights convert vit.safetensors vit-224.safetensors --layout vit-timm --option image_size=224",
)


@dataclass(frozen=True)
class Options:
    """Write a released file as safetensors under this project's parameter names, with its layout, what became of each
    published key, the normalisation of its inputs and a hash. `seehear.weights.open_converted` reads it.
    """

    file: Annotated[Positional[Path], named("FILE")]
    """the published file"""
    out: Annotated[Positional[Path], named("OUT")]
    """the file to write, which must not be there yet"""
    layout: str | None = None
    """as what to read it; by default what its names point to"""
    option: tuple[str, ...] = ()
    """options of the layout's adapter, each as name=value"""


def run(arguments: list[str], console: Console) -> dict[str, Any]:
    """Convert and say what became of the keys."""
    options = parse(Options, arguments, "weights convert", EXAMPLES)
    from seehear.weights import open_released, write_converted

    encoder = open_released(options.file, options.layout, **adapter_options(options.option))
    write_converted(encoder, options.out)
    for line in encoder.reading.lines():
        console.line(line)
    console.line(f"{options.out}: read it with seehear.weights.open_converted")
    return {"file": options.file, "out": options.out, "layout": encoder.layout, "reading": encoder.reading.to_dict()}
