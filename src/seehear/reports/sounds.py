"""The page's sounds: each one once, as FLAC, trimmed so that the page stays small, and its outline as a picture.

Legend: S samples at 16 kHz.
"""

import base64
import hashlib
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from seehear.contracts import SAMPLE_RATE

LONGEST_SECONDS = 10.0
SHORTEST_SECONDS = 1.0  # below this nobody recognises anything
BUDGET_BYTES = 4_500_000  # of all sounds, in base64
_BARS = 44


class Shelf:
    """Sounds by content: equal ones are kept once.

    Attributes:
        seconds: what is kept of each sound at most: its loudest stretch.
        trimmed: whether any sound was cut.
        dropped: sounds that found no place at all.
    """

    def __init__(self, waveforms: Iterable[np.ndarray | None], budget_bytes: int = BUDGET_BYTES):
        unique = {_digest(w): w for w in waveforms if w is not None and len(w)}
        self.seconds, encoded = _fit(list(unique.values()), budget_bytes)
        self.trimmed = any(len(w) > self.seconds * SAMPLE_RATE for w in unique.values())
        self._numbers: dict[str, str] = {}
        self.encoded: dict[str, str] = {}
        for digest, content in zip(unique, encoded, strict=True):
            budget_bytes -= len(content)
            if budget_bytes >= 0:
                self._numbers[digest] = f"s{len(self._numbers)}"
                self.encoded[self._numbers[digest]] = content
        self.dropped = len(unique) - len(self.encoded)

    def key(self, waveform: np.ndarray | None) -> str | None:
        """Key of a sound in `encoded` (base64 of FLAC), or None where it is not kept."""
        return None if waveform is None else self._numbers.get(_digest(waveform))


def loudest(waveform: np.ndarray, seconds: float) -> np.ndarray:
    """The stretch of at most `seconds` with the most energy, `[S]` -> `[S']`."""
    length = round(seconds * SAMPLE_RATE)
    if len(waveform) <= length:
        return waveform
    energy = np.concatenate([[0], np.cumsum(waveform.astype(np.int64) ** 2)])
    start = int((energy[length:] - energy[:-length]).argmax())
    return waveform[start : start + length]


def outline(waveform: np.ndarray, width: int = 88, height: int = 40) -> str:
    """The loudness over time as an SVG path of upright bars, square-root scaled to the loudest one."""
    edges = np.linspace(0, len(waveform), _BARS + 1).astype(int)
    peaks = np.array([np.abs(waveform[a:b].astype(np.int32)).max(initial=0) for a, b in pairwise(edges)])
    heights = np.sqrt(peaks / max(peaks.max(initial=0), 1)) * (height / 2 - 2) + 0.6
    step = width / _BARS
    return "".join(f"M{step * (i + 0.5):.1f} {height / 2 - h:.1f}v{2 * h:.1f}" for i, h in enumerate(heights))


def _fit(waveforms: list[np.ndarray], budget_bytes: int) -> tuple[float, list[str]]:
    """The most seconds of each sound (between `SHORTEST_SECONDS` and `LONGEST_SECONDS`) that fit, and the sounds."""
    from seehear.media import encode_flac

    longest = max(map(len, waveforms), default=0) / SAMPLE_RATE
    seconds = min(LONGEST_SECONDS, max(longest, SHORTEST_SECONDS))
    while True:
        stretches = (np.ascontiguousarray(loudest(waveform, seconds)) for waveform in waveforms)
        encoded = [base64.b64encode(encode_flac(stretch)).decode("ascii") for stretch in stretches]
        total = sum(map(len, encoded))
        if total <= budget_bytes or seconds <= SHORTEST_SECONDS:
            return seconds, encoded
        seconds = max(SHORTEST_SECONDS, 0.95 * seconds * budget_bytes / total)


def _digest(waveform: np.ndarray) -> str:
    return hashlib.blake2b(np.ascontiguousarray(waveform, dtype=np.int16).tobytes(), digest_size=8).hexdigest()
