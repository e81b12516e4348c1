"""What an encoder makes of one file: features of its windows, when each of them is, and one vector for all of it.

Legend: W windows, V windows that have a modality, N tokens, D width.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seehear.contracts import Features, Modality
from seehear.errors import DataError


@dataclass(frozen=True, eq=False)
class EncodedFile(Mapping[Modality, Features]):
    """The features of a file, by modality: `file["audio"].embedding` is `[V, D]`.

    Attributes:
        path: the file.
        start_seconds: float64 `[W]`, where each window begins in the file.
        duration_seconds: float64 `[W]`, how long it is; 0 for a still picture without sound.
        features: one row for each window that has the modality.
        windows: int64 `[V]` for each modality: which windows those are.
    """

    path: str
    start_seconds: np.ndarray
    duration_seconds: np.ndarray
    features: dict[Modality, Features]
    windows: dict[Modality, np.ndarray]

    def __getitem__(self, modality: Modality) -> Features:
        return self.features[modality]

    def __iter__(self) -> Iterator[Modality]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def embedding(self, modality: Modality) -> Tensor:
        """One vector for the whole file, `[D]`: the mean over its windows' embeddings, L2-normalised.

        Raises:
            DataError: if the file has nothing of that modality that the network reads.
        """
        if modality not in self.features:
            raise DataError(
                f"{self.path} has no {modality} embedding", expected=f"one of {', '.join(self.features) or 'none'}"
            )
        return torch.nn.functional.normalize(self.features[modality].embedding.mean(dim=0), dim=0)
