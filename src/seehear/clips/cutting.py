"""Where a recording is cut into clips.

Clips of `clip_seconds` begin every `hop` seconds. What is left at the end becomes a clip of its own from half a clip's
length on; a shorter tail joins the clip before it, which is then longer than `clip_seconds`. Methods that read less
take a window of it. A recording shorter than that is one clip.
"""

import math
from dataclasses import dataclass

from seehear.errors import UsageError

_SLACK = 1e-6  # seconds: durations come from sums of time stamps


@dataclass(frozen=True)
class Span:
    """A stretch of a recording."""

    start_seconds: float
    duration_seconds: float


def cut(
    duration_seconds: float, clip_seconds: float, hop: float, *, start_seconds: float = 0.0, most: int | None = None
) -> list[Span]:
    """The clips of a recording, in time order; always at least one.

    With a `hop` above `clip_seconds` the gaps between clips are left out, also at the end.

    Args:
        duration_seconds: length of the recording, or of the stretch of it to cut.
        clip_seconds: length of a clip.
        hop: seconds from the beginning of a clip to that of the next.
        start_seconds: where the stretch begins.
        most: at most so many clips, spread evenly over those there are; None for all.

    Raises:
        UsageError: if `clip_seconds`, `hop` or `most` are not positive.
    """
    if not (clip_seconds > 0 and hop > 0) or math.isinf(hop) or (most is not None and most < 1):
        raise UsageError(f"clips of {clip_seconds} s every {hop} s, at most {most}", expected="positive numbers")
    ends = _ends(duration_seconds, clip_seconds, hop)
    spans = [Span(start_seconds + i * hop, end - i * hop) for i, end in enumerate(ends)]
    if most is None or len(spans) <= most:
        return spans
    return [spans[int((i + 0.5) * len(spans) / most)] for i in range(most)]


def _ends(duration: float, clip_seconds: float, hop: float) -> list[float]:
    """Where the clips end; clip i begins at `i * hop`."""
    whole = max(0, math.floor((duration - clip_seconds + _SLACK) / hop) + 1)
    ends = [i * hop + clip_seconds for i in range(whole)]
    if not ends:
        return [duration]
    ends[-1] = min(ends[-1], duration)
    left_from = whole * hop
    covered = ends[-1] >= duration - _SLACK
    if not covered and duration - left_from >= clip_seconds / 2 - _SLACK:
        ends.append(duration)
    elif not covered and left_from <= ends[-1] + _SLACK:
        ends[-1] = duration
    return ends
