"""Networks on the Hugging Face Hub: saved, loaded and published in the format of `model_folder`.

from seehear.weights.hub import HubModel

HubModel(encoder).save_pretrained("folder")
HubModel.from_pretrained("folder or owner/name").encoder
HubModel(encoder).push_to_hub("owner/name")
"""

import contextlib
from pathlib import Path
from typing import Any

from huggingface_hub import PyTorchModelHubMixin, snapshot_download
from huggingface_hub.errors import HFValidationError

from seehear.errors import StorageError
from seehear.weights.about import About
from seehear.weights.card import CardWords, plain_card
from seehear.weights.encoder import Encoder
from seehear.weights.model_folder import FILES, WEIGHTS, read_model, write_model
from seehear.weights.whole_folder import refuse_full


class HubModel(PyTorchModelHubMixin, library_name="seehear"):
    """An encoder with the hub's `save_pretrained`, `from_pretrained` and `push_to_hub`.

    Args:
        encoder: the network; its `about.card` is the model card, else a plain one is made.
        files: texts to lay beside it by file name, such as `figures.json`.
    """

    def __init__(self, encoder: Encoder, files: dict[str, str] | None = None):
        self.encoder, self.files = encoder, files or {}

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write the folder; options are the mixin's (`push_to_hub=True`, `repo_id`, ...).

        Raises:
            StorageError: if the folder holds something already, or the disk does not take it.
            UsageError: if the network is no method of this package.
        """
        refuse_full(Path(save_directory))
        return super().save_pretrained(save_directory, **options)

    def _save_pretrained(self, save_directory: Path) -> None:
        about, method = self.encoder.about, self.encoder.method
        card = about.card or plain_card(CardWords(about.name, about.knows), method)
        write_model(save_directory, method, About(about.name, about.weights, about.knows, card), self.files)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> "HubModel":
        places = ("revision", "cache_dir", "force_download", "local_files_only", "token")
        found = Path(model_id)
        if not found.is_dir():
            found = Path(snapshot_download(model_id, allow_patterns=list(FILES), **{n: options[n] for n in places}))
        method, about = read_model(found)
        return cls(Encoder(method, about=about), _texts(found))


def fetched(name: str) -> Path:
    """Folder of a model on the hub: as it lies in the local cache, else downloaded.

    Args:
        name: "owner/name".

    Raises:
        StorageError: if it is not there and cannot be fetched.
    """
    with contextlib.suppress(OSError, HFValidationError):
        found = Path(snapshot_download(name, allow_patterns=list(FILES), local_files_only=True))
        if (found / WEIGHTS).exists():
            return found
    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except (OSError, HFValidationError) as error:
        raise StorageError(
            f"{name} could not be fetched from the hub ({_first_line(error)})",
            expected="a network connection and the id of a published model, or one in the local cache",
            cure="a packaged model that needs no network, such as avsiam-world, or the path of a folder",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _texts(folder: Path) -> dict[str, str]:
    """The texts beside the network that are not made anew."""
    return {name: (folder / name).read_text(encoding="utf-8") for name in FILES[3:] if (folder / name).exists()}
