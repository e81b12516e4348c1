"""From the facts of one file to the clips that it gives: where each begins, which frames and how much sound it has."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from seehear.clips.cutting import Span, cut
from seehear.clips.manifest import Entry
from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media.tracks import MediaInfo

Modality = Literal["audiovisual", "audio", "image", "any"]
MODALITIES = ("audiovisual", "audio", "image", "any")
_LEAST_SOUND = 0.001  # seconds; shorter remains of a track do not count as sound


@dataclass(frozen=True)
class Cutting:
    """How files become clips.

    Attributes:
        clip_seconds: length of a clip.
        hop: seconds from the beginning of a clip to that of the next; None for `clip_seconds`.
        max_clips_per_file: at most so many clips of one file, spread evenly over it; None for all.
        frames: frames on offer per clip, evenly spread.
        modality: what a clip must have, and what is taken of it; "any" takes what there is.
    """

    clip_seconds: float = 10.0
    hop: float | None = None
    max_clips_per_file: int | None = None
    frames: int = 10
    modality: Modality = "audiovisual"

    def __post_init__(self) -> None:
        cut(1.0, self.clip_seconds, self.every, most=self.max_clips_per_file)
        if self.frames < 1:
            raise UsageError(f"{self.frames} frames per clip", expected="at least 1")
        if self.modality not in MODALITIES:
            raise UsageError(f"modality is {self.modality!r}", expected=", ".join(MODALITIES))

    @property
    def every(self) -> float:
        """Seconds from the beginning of a clip to that of the next."""
        return self.clip_seconds if self.hop is None else self.hop

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as a plain dict, equal wherever the clips are."""
        return asdict(self) | {"hop": self.every}


@dataclass(frozen=True)
class Piece:
    """One clip of a file, before anything is decoded.

    Attributes:
        name: the clip's id.
        span: where it lies in the file.
        whole: it is the whole file.
        frame_times: times within the file of the frames on offer; empty for no pictures.
        audio_seconds: length of its sound; None for no sound.
        frames_per_second: of the file's video; 0 where there is none, or a single picture.
        header_tells: the file may be read as its header describes it; see `media.MediaInfo`.
    """

    name: str
    span: Span
    whole: bool
    frame_times: tuple[float, ...]
    audio_seconds: float | None
    frames_per_second: float
    header_tells: bool = False


def pieces_of(entry: Entry, info: MediaInfo, cutting: Cutting) -> list[Piece]:
    """The clips of a file, or of the stretch of it that its entry names, in time order.

    Raises:
        MediaError: NO_AUDIO or NO_VIDEO if the file lacks what the modality needs, OUT_OF_RANGE if the stretch lies
            past its end.
    """
    _refuse_lacking(entry.path, info, cutting.modality)
    start = entry.start_seconds or 0.0
    length = info.duration_seconds - start
    if length < 0 or (length == 0 and start > 0):
        raise MediaError(
            SkipReason.OUT_OF_RANGE,
            f"the stretch begins at {start} s of {info.duration_seconds:.3f} s",
            path=entry.path,
        )
    if entry.duration_seconds is not None:
        length = min(length, entry.duration_seconds)
    spans = cut(length, cutting.clip_seconds, cutting.every, start_seconds=start, most=cutting.max_clips_per_file)
    return [_piece(entry, info, cutting, span, span.duration_seconds >= length) for span in spans]


def _piece(entry: Entry, info: MediaInfo, cutting: Cutting, span: Span, alone: bool) -> Piece:
    base = entry.id or entry.name
    plain = alone and (bool(entry.id) or not entry.start_seconds)
    return Piece(
        name=base if plain else f"{base}@{span.start_seconds:.3f}",
        span=span,
        whole=span.start_seconds == 0 and span.duration_seconds >= info.duration_seconds,
        frame_times=() if cutting.modality == "audio" else _frame_times(info, span, cutting.frames),
        audio_seconds=None if cutting.modality == "image" else _audio_seconds(info, span),
        frames_per_second=info.video.frames_per_second if info.video is not None else 0.0,
        header_tells=info.header_tells,
    )


def check_piece(piece: Piece, modality: Modality) -> None:
    """Refuse a clip that lies where one of the tracks of its file has ended.

    Raises:
        MediaError: NO_AUDIO or NO_VIDEO.
    """
    if modality in ("audiovisual", "image") and not piece.frame_times:
        raise MediaError(SkipReason.NO_VIDEO, "the video ends before this clip")
    if modality in ("audiovisual", "audio") and piece.audio_seconds is None:
        raise MediaError(SkipReason.NO_AUDIO, "the sound ends before this clip")


def _refuse_lacking(path: str, info: MediaInfo, modality: Modality) -> None:
    cure = "pack with --modality image to keep its pictures" if info.video is not None else ""
    if modality in ("audiovisual", "audio") and info.audio is None:
        raise MediaError(SkipReason.NO_AUDIO, f"{info.kind} without sound", path=path, cure=cure)
    if modality in ("audiovisual", "image") and info.video is None:
        raise MediaError(SkipReason.NO_VIDEO, "sound only", path=path, cure="pack with --modality audio")


def _frame_times(info: MediaInfo, span: Span, count: int) -> tuple[float, ...]:
    """Middles of `count` equal parts of the clip, none past the last frame; empty where the video has ended.

    A single picture is shown throughout.
    """
    if info.video is None:
        return ()
    if info.kind == "image":
        return (info.video.start_seconds,)
    last = info.video.last_frame_seconds
    if span.start_seconds >= max(info.video.duration_seconds, last + 1e-6):
        return ()
    step = span.duration_seconds / count
    times = (span.start_seconds + (i + 0.5) * step for i in range(count))
    return tuple(dict.fromkeys(min(time, last) for time in times))


def _audio_seconds(info: MediaInfo, span: Span) -> float | None:
    if info.audio is None:
        return None
    end = min(info.audio.start_seconds + info.audio.duration_seconds, span.start_seconds + span.duration_seconds)
    begins = max(info.audio.start_seconds, span.start_seconds)
    return end - span.start_seconds if end - begins >= _LEAST_SOUND else None
