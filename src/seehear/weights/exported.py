"""Networks as programs that run without this package: `torch.export` files (.pt2) and ONNX.

Each entry point (see `entry_points`) becomes one file of fixed shapes and free batch; the filter bank is inside. Every
file is read back and held against the network itself; one that differs by more than 1e-4 is not written. Beside them
lie `signature.json` and an example that needs torch or onnxruntime, numpy and Pillow.
"""

import contextlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seehear.configuration import unknown_name
from seehear.contracts import SAMPLE_RATE, Method
from seehear.errors import DataError, UsageError
from seehear.weights.about import About
from seehear.weights.encoder import Encoder
from seehear.weights.entry_points import INPUTS, KINDS, Entry, EntryPoint, bare, entries_of, sound_fields
from seehear.weights.exported_example import FORMATS, Format, example
from seehear.weights.whole_folder import whole_folder

SIGNATURE = "signature.json"
TOLERANCE = 1e-4
BATCHES = (1, 3)
MOST_CLIPS = 4096
_INSIDE_ONNX = 1 << 30
"""Bytes of weights up to which an ONNX file holds them itself (its format ends at 2 GiB)."""

Run = Callable[[dict[str, Tensor]], list[Tensor]]


def export(
    encoder: Encoder, folder: str | Path, formats: Sequence[Format] = FORMATS, entries: Sequence[Entry] | None = None
) -> dict[str, Any]:
    """Write an encoder's programs into a new folder, whole or not at all; returns what `signature.json` says.

    Args:
        encoder: the network; in float32, whatever its precision is.
        folder: a new or empty one.
        formats: "pt2", "onnx" or both.
        entries: "audio", "image", "joint"; by default all that the network has.

    Raises:
        UsageError: on another format or entry, a missing package, or a network that cannot be exported.
        DataError: if a program does not agree with the network.
        StorageError: if the folder holds something already, or the disk does not take it.
    """
    with whole_folder(Path(folder)) as made:
        return write_programs(encoder, made, formats, entries)


def write_programs(
    encoder: Encoder, folder: Path, formats: Sequence[Format] = FORMATS, entries: Sequence[Entry] | None = None
) -> dict[str, Any]:
    """As `export`, into a folder that is there and may hold other files."""
    offered = entries_of(encoder.method)
    for what, asked, valid in (("format", formats, FORMATS), ("entry point", entries or (), offered)):
        for name in asked:
            if name not in valid:
                raise unknown_name(f"{what} {name!r}", name, valid)
    if "onnx" in formats:
        _need_onnx()
    method = bare(encoder.method)
    signature = _signature(method, encoder.about)
    for name in entries or offered:
        network = KINDS[name](method)
        wanted = {count: _outputs(network, inputs_for(method, name, count)) for count in BATCHES}
        first = wanted[BATCHES[0]]
        program = _traced(network, method, name)
        found: dict[str, float] = {}
        for kind in formats:
            path = folder / f"{name}.{kind}"
            run = (_write_pt2 if kind == "pt2" else _write_onnx)(program, path, INPUTS[name], tuple(first))
            found[kind] = _compared(path.name, run, wanted, method, name)
        shapes = {key: ["batch", *value.shape[1:]] for key, value in first.items()}
        signature["entries"][name] = {"inputs": list(INPUTS[name]), "outputs": shapes, "difference": found}
    _write(folder / SIGNATURE, json.dumps(signature, indent=1) + "\n")
    for kind in formats:
        _write(folder / f"example_{kind}.py", example(kind, signature))
    return signature


def inputs_for(method: Method, name: Entry, count: int, seed: int = 0) -> dict[str, Tensor]:
    """Inputs of an entry point for `count` clips: noise of any loudness, whole and cut short, and random pictures."""
    draw = torch.Generator().manual_seed(seed + count)
    found: dict[str, Tensor] = {}
    need = method.needs
    if "waveform" in INPUTS[name] and need.audio is not None:
        samples = round(need.audio.seconds * SAMPLE_RATE)
        loudness = torch.logspace(-0.3, -3, count)[:, None]
        found["waveform"] = (torch.randn(count, samples, generator=draw) * loudness).clamp(-1, 1)
        found["samples"] = torch.tensor([samples // (1 + place % 2) for place in range(count)])
    if "pictures" in INPUTS[name] and need.frames is not None:
        size = (count, 3, need.frames.height, need.frames.width)
        found["pictures"] = torch.randint(0, 256, size, generator=draw, dtype=torch.uint8)
    return found


# --------------------------------------------------------------------------------------------------------- the program
def _traced(network: EntryPoint, method: Method, name: Entry) -> torch.export.ExportedProgram:
    """The network's graph, with the number of clips left open."""
    inputs = inputs_for(method, name, 2)
    batch = torch.export.Dim("batch", min=1, max=MOST_CLIPS)
    shapes = {key: {0: batch} for key in inputs}
    with _translating(f"the {name} entry point of {method.config.method}"), torch.no_grad():
        program = torch.export.export(network, tuple(inputs.values()), dynamic_shapes=shapes, strict=True)
    for node in program.graph.nodes:  # where the code lies on this machine is nobody's business
        node.meta.pop("stack_trace", None)
    used = {*program.graph_signature.parameters, *program.graph_signature.buffers}
    for key in [key for key in program.state_dict if key not in used]:
        del program.state_dict[key]
    return program


def _write_pt2(program: torch.export.ExportedProgram, path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Run:
    with _quiet():
        torch.export.save(program, path)
        module = torch.export.load(path).module()

    def run(given: dict[str, Tensor]) -> list[Tensor]:
        with torch.inference_mode():
            return list(module(*(given[name] for name in inputs)))

    return run


def _write_onnx(
    program: torch.export.ExportedProgram, path: Path, inputs: Sequence[str], outputs: Sequence[str]
) -> Run:
    import onnxruntime
    from onnxscript import ir

    names: dict[str, Any] = {"input_names": list(inputs), "output_names": list(outputs)}
    with _translating(path.name):
        made: Any = torch.onnx.export(program, dynamo=True, verbose=False, **names)
    for value in (*made.model.graph.inputs, *made.model.graph.outputs):
        value.shape = ir.Shape(["batch", *list(value.shape)[1:]])
    for part in (made.model.graph, *made.model.graph, *made.model.functions.values()):
        part.metadata_props.clear()
    weights = sum(value.numel() * value.element_size() for value in program.state_dict.values())
    made.save(path, external_data=weights > _INSIDE_ONNX)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(given: dict[str, Tensor]) -> list[Tensor]:
        found = session.run(None, {name: given[name].numpy() for name in inputs})
        return [torch.from_numpy(value) for value in found]

    return run


# ----------------------------------------------------------------------------------------------------------- agreement
def _outputs(network: EntryPoint, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the network itself says, by name."""
    fields = sound_fields(given["waveform"], given["samples"]) if "waveform" in given else {}
    if "pictures" in given:
        fields["frames"] = given["pictures"][:, None]
    with torch.inference_mode():
        return network.compute(fields)


def _compared(file: str, run: Run, wanted: dict[int, dict[str, Tensor]], method: Method, name: Entry) -> float:
    """The largest difference of any output, in units of its largest value where that is above 1.

    Raises:
        DataError: if it is more than is allowed.
    """
    worst = 0.0
    for count, outputs in wanted.items():
        found = run(inputs_for(method, name, count))
        for own, value in zip(found, outputs.values(), strict=True):
            scale = max(1.0, value.abs().max().item())
            worst = max(worst, (own - value).abs().max().item() / scale)
    if not worst <= TOLERANCE:
        raise DataError(
            f"{file} differs from the network by {worst:.2g}",
            expected=f"at most {TOLERANCE:g}",
            cause="an operation that was translated wrongly",
            cure="another format, or another version of torch",
        )
    return worst


def _signature(method: Method, about: About) -> dict[str, Any]:
    audio, frames = method.needs.audio, method.needs.frames
    inputs: dict[str, Any] = {}
    told: dict[str, Any] = {"format": 1, "name": about.name, "weights": about.weights, "knows": about.knows}
    if audio is not None:
        samples = round(audio.seconds * SAMPLE_RATE)
        told |= {"sample_rate": SAMPLE_RATE, "seconds": audio.seconds, "samples": samples}
        inputs["waveform"] = _input("float32", ["batch", samples], "mono sound in -1 to 1, zero-padded at the end")
        inputs["samples"] = _input("int64", ["batch"], "valid samples of each waveform")
    if frames is not None:
        told |= {"height": frames.height, "width": frames.width, "fit": frames.fit}
        inputs["pictures"] = _input("uint8", ["batch", 3, frames.height, frames.width], "RGB")
    classes = list(getattr(method, "classes", ()))
    return told | ({"classes": classes} if classes else {}) | {"inputs": inputs, "entries": {}}


def _input(dtype: str, shape: list[Any], what: str) -> dict[str, Any]:
    return {"type": dtype, "shape": shape, "what": what}


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"ONNX programs need a package that is missing ({error.name})",
            expected="onnx, onnxscript and onnxruntime",
            cure="pip install 'seehear[export]'",
        ) from error


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _translating(what: str) -> Iterator[None]:
    """What a tracer cannot follow as one error, and without what exporters say of libraries that are not needed.

    Raises:
        UsageError: naming what could not be translated.
    """
    try:
        with _quiet():
            yield
    except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError, LookupError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UsageError(
            f"{what} cannot be exported ({said[0][:200]})",
            cause="an operation that the exporter does not follow",
            cure="seehear export MODEL OUT --hub, which keeps the network for this package",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
