"""The most that a mask can do: estimates by ideal masks, from the true sources, with the mixture's phase.

Source: Wang, "On ideal binary mask as the computational goal of auditory scene analysis", 2005; the ideal ratio mask
as the separation systems use it. Masks lie over the bands that the network draws on: a ceiling knows its axis.

Legend: K sources, S samples.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from seehear.metrics.arrays import finite_matrix
from seehear.signals.separation import Bands, band_magnitude, mixture_spectrum, separated

Mask = Literal["binary", "ratio"]
PUBLISHED = Bands()
"""128 mel bands of 50 ms windows every 1/64 s."""


def ideal_estimates(references: ArrayLike, mask: Mask = "ratio", bands: Bands = PUBLISHED) -> NDArray[np.float64]:
    """Estimates `[K, S]` of sources `[K, S]`, cut out of their sum by ideal masks over `bands`.

    A cell belongs to the loudest source (`binary`), or to all by their share (`ratio`); where none sounds, to none.

    Raises:
        DataError: if values are not finite.
    """
    true = torch.from_numpy(finite_matrix(references, "sources"))
    spectra = mixture_spectrum(true, bands)
    magnitudes = band_magnitude(spectra, bands)
    if mask == "binary":
        loudest = magnitudes.argmax(dim=0)
        masks = torch.stack([(loudest == k) & (magnitudes[k] > 0) for k in range(len(true))]).to(true.dtype)
    else:
        masks = magnitudes / magnitudes.sum(dim=0).clamp_min(torch.finfo(true.dtype).tiny)
    whole = spectra.sum(dim=0).expand_as(spectra)
    return separated(whole, masks, bands, true.shape[1]).numpy()
