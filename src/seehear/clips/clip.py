"""One clip as arrays, and the interface that every place where clips live offers.

Legend: N clips, T frames, H W picture, S samples of sound, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from seehear.clips.choice import FIXED, FrameChoice
from seehear.contracts import Needs
from seehear.errors import MediaError


@dataclass
class Clip:
    """One clip: a stretch of a recording, a still picture, or a sound.

    Attributes:
        id: name that is unique within its collection.
        source: the file that it was cut from.
        start_seconds: where it begins in that file.
        duration_seconds: its length; 0 for a still picture without sound.
        split: "train", "val", "test", ... or "".
        labels: names of its classes.
        caption: text that describes it, or "".
        frames: uint8 RGB `[T, H, W, 3]`, or None.
        frame_seconds: float64 `[T]`, when each frame is shown, counted from the clip's start.
        audio: int16 `[S]` at 16 kHz, mono, or None.
        truth: whatever else is known of it: boxes, onsets, transcripts.
    """

    id: str
    source: str = ""
    start_seconds: float = 0.0
    duration_seconds: float = 0.0
    split: str = ""
    labels: list[str] = field(default_factory=list)
    caption: str = ""
    frames: np.ndarray | None = None
    frame_seconds: np.ndarray | None = None
    audio: np.ndarray | None = None
    truth: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class ClipSource(Protocol):
    """A collection of clips: a table, a folder, or arrays in memory.

    Attributes:
        ids: int64 `[N]`, the 63-bit BLAKE2b number of each clip's name.
        names: the clips' names.
        splits: split of each clip.
        sources: file that each clip was cut from.
        labels: class names of each clip.
        label_names: all class names, sorted; a subset keeps those of the whole.
        captions: text of each clip.
        has_audio: bool `[N]`.
        has_image: bool `[N]`.
        most_frames: the largest number of frames that one clip can offer.
        duration_seconds: length of each clip, float64 `[N]`.
        fingerprint: identity of the content and of the choice of clips, whatever their order.
    """

    @property
    def ids(self) -> np.ndarray:
        """Numbers of the clips."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of the clips."""
        ...

    @property
    def splits(self) -> Sequence[str]:
        """Split of each clip."""
        ...

    @property
    def sources(self) -> Sequence[str]:
        """File that each clip was cut from."""
        ...

    @property
    def labels(self) -> list[list[str]]:
        """Class names of each clip."""
        ...

    @property
    def label_names(self) -> tuple[str, ...]:
        """All class names, sorted."""
        ...

    @property
    def captions(self) -> Sequence[str]:
        """Text of each clip."""
        ...

    @property
    def has_audio(self) -> np.ndarray:
        """Which clips have sound."""
        ...

    @property
    def has_image(self) -> np.ndarray:
        """Which clips have pictures."""
        ...

    @property
    def most_frames(self) -> int:
        """The largest number of frames of one clip."""
        ...

    @property
    def duration_seconds(self) -> np.ndarray:
        """Length of each clip."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identity of the content."""
        ...

    def __len__(self) -> int: ...

    def read(self, index: int, needs: Needs, frame_choice: FrameChoice = FIXED) -> Clip:
        """One clip, decoded as far as `needs` asks.

        Raises:
            MediaError: if it cannot be read.
        """
        ...

    def read_many(
        self, indices: Sequence[int] | np.ndarray, needs: Needs, choices: Sequence[FrameChoice] | None = None
    ) -> list[Clip | MediaError]:
        """Several clips at once; one that cannot be read is returned as its error."""
        ...

    def subset(self, split: str | None = None, indices: Sequence[int] | np.ndarray | None = None) -> "ClipSource":
        """Some of the clips."""
        ...

    def with_classes(self, names: Sequence[str]) -> "ClipSource":
        """The same clips with the classes `names`, in that order."""
        ...

    def usable(self, needs: Needs) -> "ClipSource":
        """The clips that have every modality which `needs` asks for."""
        ...

    def truth(self, index: int) -> dict[str, Any]:
        """What else is known of a clip."""
        ...

    def label_matrix(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class membership of some clips, float32 `[len(indices), C]`."""
        ...
