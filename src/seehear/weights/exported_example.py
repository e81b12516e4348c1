"""The script that lies beside exported programs: it embeds a sound and a picture without this package."""

from collections.abc import Mapping
from typing import Any, Literal

Format = Literal["pt2", "onnx"]
FORMATS: tuple[Format, ...] = ("pt2", "onnx")

_IMPORTS = {"pt2": "import torch", "onnx": "import onnxruntime"}
_SOUND = """
with wave.open(sys.argv.pop(1)) as file:
    assert (file.getframerate(), file.getsampwidth()) == (16000, 2), "16-bit sound at 16 kHz is read"
    sound = np.frombuffer(file.readframes({samples}), "<i2").reshape(-1, file.getnchannels()).mean(axis=1)
given["waveform"] = np.pad(sound / 32768, (0, {samples} - len(sound))).astype(np.float32)[None]
given["samples"] = np.array([len(sound)])
"""
_PICTURE = """
picture = {fit}(Image.open(sys.argv[1]).convert("RGB"), ({width}, {height}), Image.Resampling.BICUBIC)
given["pictures"] = np.asarray(picture).transpose(2, 0, 1)[None].copy()
"""
_RUN = {
    "pt2": """
for name, entry in json.loads((here / "signature.json").read_text())["entries"].items():
    inputs = [torch.from_numpy(given[input]) for input in entry["inputs"]]
    outputs = torch.export.load(here / f"{name}.pt2").module()(*inputs)
""",
    "onnx": """
for name, entry in json.loads((here / "signature.json").read_text())["entries"].items():
    session = onnxruntime.InferenceSession(here / f"{name}.onnx", providers=["CPUExecutionProvider"])
    outputs = session.run(None, {input: given[input] for input in entry["inputs"]})
""",
}
_PRINT = '    print(json.dumps({name: {key: value.tolist() for key, value in zip(entry["outputs"], outputs)}}))\n'


def example(kind: Format, signature: Mapping[str, Any]) -> str:
    """A script of at most 20 lines that needs torch or onnxruntime, numpy, and Pillow for pictures.

    Args:
        kind: of the programs.
        signature: what `signature.json` says.
    """
    heard, seen = "waveform" in signature["inputs"], "pictures" in signature["inputs"]
    files = " ".join(name for name, read in (("sound.wav", heard), ("picture.jpg", seen)) if read)
    modules = ["import json, sys, wave" if heard else "import json, sys", "from pathlib import Path"]
    modules += ["import numpy as np", _IMPORTS[kind]] + ["from PIL import Image, ImageOps"] * seen
    parts = [f'"""python example_{kind}.py {files}"""', *modules, "here, given = Path(__file__).parent, {}"]
    if heard:
        parts.append(_SOUND.strip().format(samples=signature["samples"]))
    if seen:
        fit = {"squash": "Image.Image.resize", "crop": "ImageOps.fit"}[signature["fit"]]
        parts.append(_PICTURE.strip().format(fit=fit, width=signature["width"], height=signature["height"]))
    return "\n".join([*parts, _RUN[kind].strip(), _PRINT])
