"""Parameter cells: combinations of size, pitch and shape that only test clips show.

A cell is (size, pitch, shape code 1, shape code 2), each quantised. A hash divides all cells once and for all: cells
whose hash leaves 0 when divided by 5 belong to `test` and `test_ood`, all others to the other splits. Presets that ask
for it draw again until every body and every source lies in a cell of its split.
"""

import hashlib
import math

from seehear.errors import DataError
from seehear.world.scenes import Instance

Cell = tuple[int, int, int, int]
SIZE_STEP = 0.05  # picture widths
PITCHES_PER_OCTAVE = 3
CODE_BINS = 4
DIVISOR = 5
MOST_ATTEMPTS = 400  # one draw in five lies in a test cell
TEST_SPLITS = ("test", "test_ood")


def cell(instance: Instance, size: float, pitch_hz: float) -> Cell:
    """The cell of an individual at a size (picture widths) and a pitch."""
    one, two = (min(CODE_BINS - 1, max(0, int(value * CODE_BINS))) for value in instance.code[:2])
    return int(size / SIZE_STEP), round(math.log2(pitch_hz) * PITCHES_PER_OCTAVE), one, two


def held_out(found: Cell) -> bool:
    """Whether a cell is kept for test clips."""
    digest = hashlib.blake2b(repr(found).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % DIVISOR == 0


def allowed(split: str, instance: Instance, size: float, pitch_hz: float) -> bool:
    """Whether a split may show this individual at this size and pitch."""
    return held_out(cell(instance, size, pitch_hz)) == (split in TEST_SPLITS)


def attempts(path: tuple) -> list[tuple]:
    """Stream paths of the first draw and of every further one; none of them depends on how many are needed."""
    return [path, *((*path, "attempt", number) for number in range(1, MOST_ATTEMPTS))]


def exhausted(what: str, split: str) -> DataError:
    """The error after the last attempt."""
    return DataError(
        f"no draw of {what} lies in a parameter cell of split {split!r} after {MOST_ATTEMPTS} attempts",
        expected="about one in five in a test cell",
        cause="a class with hardly any spread of size, pitch and shape",
    )
