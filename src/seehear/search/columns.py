"""The embedding columns of a clip table: how they are called, and whose they are.

A model's vectors lie in `audio_<model>`, `image_<model>` and `audiovisual_<model>`: L2-normalised float32, null where
the clip lacks the modality. Each column says in its metadata which weights made it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pyarrow as pa

from seehear.contracts import Modality
from seehear.errors import StorageError

KEY = b"seehear.embedding"
MODALITIES: tuple[Modality, ...] = ("audio", "image", "audiovisual")


@dataclass(frozen=True)
class Embedded:
    """One column of vectors.

    Attributes:
        slug: of the model, as in the column's name (`weights.About.slug`).
        model: the model's name, or the path it was loaded from.
        weights: hash of its weights (`weights.About.weights`).
        modality: what was embedded.
        width: D.
        precision: of the network's linear layers.
        seconds: of sound that the model hears of a clip; 0: none.
        knows: the sentence of `weights.About.knows`.
        windows: "first": of a longer clip the first `seconds` were heard; "mean": all, their vectors averaged.
    """

    slug: str
    model: str
    weights: str
    modality: Modality
    width: int
    precision: str
    seconds: float
    knows: str = ""
    windows: str = "first"

    @property
    def column(self) -> str:
        """The column's name."""
        return f"{self.modality}_{self.slug}"

    @property
    def field(self) -> pa.Field:
        """The column's Arrow field."""
        text = json.dumps(asdict(self), sort_keys=True).encode()
        return pa.field(self.column, pa.list_(pa.float32(), self.width), metadata={KEY: text})


def embedded_in(schema: Iterable[pa.Field]) -> list[Embedded]:
    """The embedding columns of a table, in its order.

    Raises:
        StorageError: if a column says things of itself that cannot be understood.
    """
    found = []
    for column in schema:
        text = (column.metadata or {}).get(KEY)
        if text is None:
            continue
        try:
            found.append(Embedded(**json.loads(text)))
        except (json.JSONDecodeError, TypeError) as error:
            raise StorageError(
                f"column {column.name}: {KEY.decode()} cannot be understood ({error})",
                cause="a table from another version of SeeHear",
                cure="seehear embed MODEL TABLE --overwrite",
            ) from error
    return found
