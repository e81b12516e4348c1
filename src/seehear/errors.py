"""Typed errors: each says what was found, what was expected, the likely cause and what to run.

The command line turns every `SeeHearError` into one line and the exit status of its class.
Statuses: 0 done, 2 usage, 3 bad data, 4 diverged, 5 storage, 6 lost peer, 75 requeue.
"""

from enum import StrEnum


class SkipReason(StrEnum):
    """Why a file or clip cannot be used; the key under which skips are counted and recorded."""

    EMPTY = "empty file"
    NOT_MEDIA = "not a media file"
    UNREADABLE = "unreadable path"
    TRUNCATED = "truncated or damaged"
    NO_AUDIO = "no audio track"
    NO_VIDEO = "no video track"
    UNSUPPORTED = "unsupported container or codec"
    OVER_LIMIT = "over a limit"
    TIMED_OUT = "decoding took too long"
    CRASHED = "decoder crashed"
    OUT_OF_RANGE = "requested range holds nothing"


class SeeHearError(Exception):
    """Base of all errors meant for a person.

    Args:
        found: what was found, as a clause ("the file holds 0 bytes").
        expected: what was expected, or "" where it is plain.
        cause: the likely cause, or "".
        cure: what to do, best a command, or "".
    """

    exit_status = 1

    def __init__(self, found: str, *, expected: str = "", cause: str = "", cure: str = ""):
        self.found, self.expected, self.cause, self.cure = found, expected, cause, cure
        parts = [found]
        if expected:
            parts.append(f"expected {expected}")
        if cause:
            parts.append(f"likely cause: {cause}")
        if cure:
            parts.append(f"try: {cure}")
        super().__init__("; ".join(parts))


class UsageError(SeeHearError):
    """A wrong option, key, name or combination."""

    exit_status = 2


class DataError(SeeHearError):
    """Data that cannot be used, or too much of it."""

    exit_status = 3


class MediaError(DataError):
    """One media file or clip that cannot be used, with the typed `reason` that is counted."""

    def __init__(
        self, reason: SkipReason, found: str, *, path: str = "", expected: str = "", cause: str = "", cure: str = ""
    ):
        self.reason, self.path = reason, path
        prefix = f"{path}: " if path else ""
        super().__init__(f"{prefix}{reason.value} ({found})", expected=expected, cause=cause, cure=cure)
        self.detail = found

    def __reduce__(self) -> tuple:
        """Errors cross process borders: rebuild from the named parts."""
        return _rebuild_media_error, (self.reason, self.detail, self.path, self.expected, self.cause, self.cure)


def _rebuild_media_error(reason: SkipReason, found: str, path: str, expected: str, cause: str, cure: str) -> MediaError:
    return MediaError(reason, found, path=path, expected=expected, cause=cause, cure=cure)


class DivergedError(SeeHearError):
    """Training left the finite numbers and could not return."""

    exit_status = 4


class StorageError(SeeHearError):
    """A disk that is full, read-only or damaged; a checkpoint or table that is torn or of another version."""

    exit_status = 5


class LostPeerError(SeeHearError):
    """Another rank of a distributed run is gone."""

    exit_status = 6


class RequeueError(SeeHearError):
    """Stopped by a signal with the state saved: start the same command again to go on."""

    exit_status = 75
