"""A network as a folder to pass on: its configuration, its weights, its card. Nothing in it is a program.

    config.json         format, name, what it knows, hash of the weights, the method's configuration
    model.safetensors   every parameter and buffer under its own name
    README.md           the model card
    figures.json        what was measured, where it was

The packaged models, the Hugging Face Hub and `seehear export --hub` share this format, and this reader.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from seehear import __version__, methods
from seehear.configuration import to_dict
from seehear.contracts import Method
from seehear.errors import SeeHearError, StorageError, UsageError
from seehear.training.compatibility import load_weights
from seehear.training.tensor_file import write_tensors
from seehear.weights.about import About, hash_of
from seehear.weights.whole_folder import whole_folder

FORMAT, FORMAT_VERSION = "seehear model", 1
CONFIG, WEIGHTS, CARD, FIGURES = "config.json", "model.safetensors", "README.md", "figures.json"
FILES = (CONFIG, WEIGHTS, CARD, FIGURES)
_AGAIN = "save or fetch the folder again"


def write_model(folder: str | Path, method: Method, about: About, files: Mapping[str, str] | None = None) -> None:
    """Write a network as a folder, whole or not at all.

    Args:
        folder: a new or empty one.
        method: the network, as it is to be used (averaged weights in place).
        about: its name, what it knows, its card.
        files: texts to lay beside it by file name, such as `figures.json`.

    Raises:
        StorageError: if the folder holds something already, or the disk does not take it.
        UsageError: if the network is no method of this package.
    """
    if method.config.method not in methods.NAMES:
        raise UsageError(
            f"{about.name} is read from a released file",
            expected=f"one of the methods {', '.join(methods.NAMES)}",
            cure="seehear weights convert FILE OUT",
        )
    tensors = method.state_dict()
    config = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "seehear": __version__,
        "name": about.name,
        "knows": about.knows,
        "weights": hash_of(tensors),
        "method": to_dict(method.config),
    }
    texts = {CONFIG: json.dumps(config, indent=1) + "\n", CARD: about.card, **(files or {})}
    with whole_folder(Path(folder)) as made:
        write_tensors(made / WEIGHTS, tensors)
        for name, text in texts.items():
            (made / name).write_text(text, encoding="utf-8")


def is_model(folder: Path) -> bool:
    """The folder says that `write_model` wrote it."""
    try:
        return json.loads((folder / CONFIG).read_bytes()).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def read_model(folder: str | Path, device: str = "cpu") -> tuple[Method, About]:
    """The network of a folder that `write_model` wrote, bit for bit, in eval mode.

    Raises:
        StorageError: if a file is missing or damaged, or the format or the method's configuration is of another
            version.
    """
    folder = Path(folder)
    config = _config(folder)
    try:
        method = methods.get(config["method"]["method"])(methods.config(config["method"]))
    except (SeeHearError, KeyError, TypeError) as error:
        raise StorageError(
            f"{folder / CONFIG} does not describe a network of this version ({error})",
            cause=f"saved by SeeHear {config.get('seehear', 'of another version')}, this is {__version__}",
            cure="load it with that release",
        ) from error
    tensors = _tensors(folder / WEIGHTS)
    load_weights(method, tensors, str(folder / WEIGHTS))
    if hash_of(tensors) != config.get("weights"):
        raise StorageError(f"{folder / WEIGHTS} is not what was saved", cause="a damaged file", cure=_AGAIN)
    method.after_training()
    card = folder / CARD
    about = About(
        str(config.get("name") or folder.resolve().name),
        hash_of(method.state_dict()),
        str(config.get("knows", "")),
        card.read_text(encoding="utf-8") if card.exists() else "",
    )
    return method.to(device).eval(), about


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror})", cause="half a folder", cure=_AGAIN) from error
    except ValueError as error:
        raise StorageError(f"{path} is no JSON ({error})", cause="a damaged file", cure=_AGAIN) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise StorageError(f"{path} describes no model of SeeHear", expected=f"the format {FORMAT!r}")
    if config.get("format_version") != FORMAT_VERSION:
        raise StorageError(
            f"{path}: format_version is {config.get('format_version')}",
            expected=str(FORMAT_VERSION),
            cause=f"saved by SeeHear {config.get('seehear', 'of another version')}, this is {__version__}",
            cure="load it with that release; there is no override",
        )
    return config


def _tensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        cause = "a damaged file" if path.exists() else "half a folder"
        raise StorageError(f"{path} cannot be read ({error})", cause=cause, cure=_AGAIN) from error
