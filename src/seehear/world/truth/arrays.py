"""Truth that is too large for JSON: masks and stems of a clip, as compressed arrays in one `.npz` file.

`masks` brings the visible instances as one number per pixel and, packed to bits, every body with what is hidden of it;
`stems` brings the sounds that the mixture is the sum of.

Stems are whole numbers like the mixture of the clip's sound track before coding, `round(32767 waveform)`. Each is the
difference of rounded partial sums, so it is within one step of the exact stem, and all of them add up to the mixture
without a remainder. Should a stem alone pass full scale, one common `stem_gain` below 1 brings all of them down.

Legend: T frames, H W picture, S samples, N bodies, K stems (sources and background).
"""

import io
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from seehear.configuration import unknown_name
from seehear.errors import DataError, SeeHearError, StorageError
from seehear.world.rendering import Rendered

ARRAYS = ("masks", "stems")
FULL_SCALE = 32_767
MOST_BODIES = 255
_LAYOUT = {
    "masks": "masks: uint8 [T, H, W]",
    "whole_masks": "whole_masks: uint8 of packed bits",
    "whole_shape": "whole_shape: [N, T, H, W]",
    "stems": "stems: int16 [K, S]",
    "stem_names": "stem_names: texts [K]",
    "stem_gain": "stem_gain: a number above 0",
}


@dataclass(frozen=True, eq=False)
class TruthArrays:
    """What `read_arrays` gives; None for what was not stored.

    Attributes:
        masks: visible pixels of each body, bool `[N, T, H, W]`.
        whole_masks: the same with what others hide of it.
        stems: float32 `[S]` by name ("source 0", ..., "background"); their sum is the mixture before coding.
    """

    masks: ndarray | None
    whole_masks: ndarray | None
    stems: dict[str, ndarray] | None


# ----------------------------------------------------------------------------------------------------------- writing
def check_choice(which: Collection[str]) -> tuple[str, ...]:
    """The choice in the order of `ARRAYS`.

    Raises:
        UsageError: if there is no such array.
    """
    for name in which:
        if name not in ARRAYS:
            raise unknown_name(f"truth array {name!r}", name, ARRAYS)
    return tuple(name for name in ARRAYS if name in which)


def truth_arrays(clip: Rendered, which: Collection[str] = ARRAYS) -> dict[str, ndarray]:
    """The arrays of a clip as they are stored.

    Args:
        clip: a rendered clip.
        which: of `ARRAYS`.

    Raises:
        UsageError: if there is no such array.
        DataError: if a pixel belongs to two bodies.
    """
    found: dict[str, ndarray] = {}
    chosen = check_choice(which)
    if "masks" in chosen:
        found["masks"] = instance_map(clip.masks)
        found["whole_masks"] = np.packbits(clip.whole)
        found["whole_shape"] = np.array(clip.whole.shape)
    if "stems" in chosen:
        found["stems"], found["stem_gain"] = quantised(list(clip.stems.values()), clip.waveform)
        found["stem_names"] = np.array(list(clip.stems))
    return found


def instance_map(masks: ndarray) -> ndarray:
    """Visible masks bool `[N, T, H, W]` as uint8 `[T, H, W]`: 0 is nobody, k + 1 is body k.

    Raises:
        DataError: if a pixel belongs to two bodies, or there are more bodies than numbers.
    """
    if len(masks) > MOST_BODIES:
        raise DataError(f"{len(masks)} bodies", expected=f"at most {MOST_BODIES}")
    result = np.zeros(masks.shape[1:], np.uint8)
    for number, mask in enumerate(masks):
        twice = mask & (result > 0)
        if twice.any():
            frame, row, column = np.argwhere(twice)[0]
            other = result[frame, row, column] - 1
            raise DataError(
                f"frame {frame}: the pixel at row {row}, column {column} belongs to the bodies {other} and {number}",
                expected="visible masks that do not overlap",
            )
        result[mask] = number + 1
    return result


def quantised(stems: list[ndarray], waveform: ndarray) -> tuple[ndarray, ndarray]:
    """Stems `[S]` float32 as int16 `[K, S]`, and their common gain.

    With a gain of 1 their sum is `round(32767 waveform)` exactly, and each is within one step of its stem.
    """
    loudest = max(float(np.abs(stem).max(initial=0.0)) for stem in stems)
    gain = min(1.0, (1 - 1 / FULL_SCALE) / max(loudest, 1e-9))
    partial = np.cumsum(np.stack(stems), axis=0, dtype=np.float64)
    rounded = np.round(partial * (FULL_SCALE * gain))
    rounded[-1] = steps(waveform, gain)
    return np.diff(rounded, axis=0, prepend=0).astype(np.int16), np.array(gain)


def steps(waveform: ndarray, gain: float = 1.0) -> ndarray:
    """A waveform float32 `[S]` in whole steps, as the sound track of a clip takes it."""
    return np.round(waveform * np.float32(FULL_SCALE * gain))


def packed(arrays: Mapping[str, ndarray]) -> bytes:
    """Arrays as the bytes of a compressed `.npz` file; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez_compressed(buffer, **named)
    return buffer.getvalue()


# ----------------------------------------------------------------------------------------------------------- reading
def read_arrays(source: str | Path | Mapping[str, ndarray], truth: Mapping[str, Any] | None = None) -> TruthArrays:
    """The arrays of a clip, unpacked.

    Args:
        source: the `.npz` file, or its arrays as a clip table gives them (`TableClips.truth_arrays`).
        truth: the clip's truth, to check the arrays against.

    Raises:
        StorageError: if the file cannot be read.
        DataError: if it is damaged, or does not fit the truth.
    """
    where = "truth arrays" if isinstance(source, Mapping) else str(source)
    arrays = source if isinstance(source, Mapping) else _loaded(Path(source))
    masks, whole = _masks(arrays, where)
    result = TruthArrays(masks, whole, _stems(arrays, where))
    if truth is not None:
        _check_against(result, truth, where)
    return result


def _loaded(path: Path) -> dict[str, ndarray]:
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, ndarray):
            raise DataError(f"{path} holds a single array", expected="an .npz file of several")
        with found as file:
            return dict(file)
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise DataError(
            f"{path} is damaged ({error})", expected="an .npz file as a build writes it", cure="build the world again"
        ) from error


def _masks(arrays: Mapping[str, ndarray], where: str) -> tuple[ndarray | None, ndarray | None]:
    if "masks" not in arrays:
        return None, None
    numbers, bits, shape = (_array(arrays, name, where) for name in ("masks", "whole_masks", "whole_shape"))
    bodies = int(shape[0]) if shape.shape == (4,) else -1
    if bodies < 0 or numbers.shape != tuple(shape[1:]) or numbers.dtype != np.uint8:
        raise _misshapen(where, f"masks {numbers.dtype} {list(numbers.shape)} of {shape.tolist()}", "masks")
    if bits.dtype != np.uint8 or bits.shape != ((bodies * numbers.size + 7) // 8,):
        raise _misshapen(where, f"whole_masks {bits.dtype} {list(bits.shape)} of {shape.tolist()}", "whole_masks")
    if numbers.max(initial=0) > bodies:
        raise _misshapen(where, f"masks of body {numbers.max() - 1} of {bodies}", "masks")
    whole = np.unpackbits(bits, count=bodies * numbers.size).view(bool).reshape(bodies, *numbers.shape)
    masks = np.stack([numbers == k + 1 for k in range(bodies)]) if bodies else np.zeros_like(whole)
    if (masks & ~whole).any():
        raise _misshapen(where, "visible pixels beyond a whole body", "whole_masks")
    return masks, whole


def _stems(arrays: Mapping[str, ndarray], where: str) -> dict[str, ndarray] | None:
    if "stems" not in arrays:
        return None
    stems, names, gain = (_array(arrays, name, where) for name in ("stems", "stem_names", "stem_gain"))
    if stems.dtype != np.int16 or stems.ndim != 2 or names.shape != stems.shape[:1] or names.dtype.kind != "U":
        raise _misshapen(where, f"stems {stems.dtype} {list(stems.shape)} with the names {names.tolist()}", "stems")
    if gain.shape != () or gain.dtype.kind != "f" or not 0 < gain <= 1:
        raise _misshapen(where, f"stem_gain {gain.tolist()}", "stem_gain")
    scale = np.float32(1 / (FULL_SCALE * float(gain)))
    return {str(name): stem * scale for name, stem in zip(names, stems.astype(np.float32), strict=True)}


def _check_against(arrays: TruthArrays, truth: Mapping[str, Any], where: str) -> None:
    bodies, sources = len(truth["objects"]), len(truth["sources"])
    if arrays.masks is not None:
        frames = len(truth["objects"][0]["boxes"]) if bodies else arrays.masks.shape[1]
        if arrays.masks.shape[:2] != (bodies, frames):
            found = "{} bodies in {} frames".format(*arrays.masks.shape[:2])
            raise DataError(f"{where} holds masks of {found}", expected=f"{bodies} in {frames}, as the truth says")
    if arrays.stems is not None:
        expected = [*(f"source {k}" for k in range(sources)), "background"]
        if list(arrays.stems) != expected:
            raise DataError(f"{where} holds the stems {list(arrays.stems)}", expected=f"{expected}, as the truth says")


def _array(arrays: Mapping[str, ndarray], name: str, where: str) -> ndarray:
    if name not in arrays:
        raise _misshapen(where, f"no {name}", name)
    return np.asarray(arrays[name])


def _misshapen(where: str, found: str, name: str) -> SeeHearError:
    return DataError(f"{where} holds {found}", expected=_LAYOUT[name], cause="a damaged or foreign file")
