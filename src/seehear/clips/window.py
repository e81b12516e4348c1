"""From a clip's whole sound and its frames on offer to what is wanted of them.

Legend: S samples of sound, F frames on offer.
"""

from dataclasses import dataclass

import numpy as np

from seehear.clips.choice import FrameChoice, choose_frames
from seehear.contracts import SAMPLE_RATE, Needs


@dataclass(frozen=True)
class Wanted:
    """What to take of one clip.

    Attributes:
        start_seconds: where the window of sound begins in the clip.
        seconds: length of the window; None for no sound.
        places: int64 `[T]` into the frames on offer, in time order; None for no frames.
    """

    start_seconds: float
    seconds: float | None
    places: np.ndarray | None

    @property
    def samples(self) -> slice:
        """The window as a slice of the clip's samples."""
        first = int(self.start_seconds * SAMPLE_RATE)
        return slice(first, first + round((self.seconds or 0.0) * SAMPLE_RATE))


def wanted(needs: Needs, choice: FrameChoice, audio_seconds: float | None, frame_seconds: np.ndarray) -> Wanted:
    """What `needs` and `choice` take of a clip.

    Args:
        needs: what is asked for.
        choice: which window and which frames.
        audio_seconds: length of the clip's sound; None where it has none.
        frame_seconds: `[F]` times of its frames on offer; empty where it has none.
    """
    seconds = needs.audio.seconds if needs.audio is not None and audio_seconds is not None else None
    start, window = 0.0, None
    if seconds is not None and audio_seconds is not None and audio_seconds > seconds:
        start = choice.start(audio_seconds, seconds)
        window = (start, start + seconds)
    places = None
    if needs.frames is not None and len(frame_seconds):
        places = choose_frames(frame_seconds, needs.frames.count, choice, window)
    return Wanted(start, seconds, places)
