"""Limits on what one decode may take, checked before memory is allocated (promise R5).

The defaults suit the user's own media: files of any size and length, where the time limit applies to the range that
is decoded. `Limits.for_strangers()` is for bytes from elsewhere (uploads, shared tables) and limits the file as well.
"""

from dataclasses import dataclass, replace

from seehear.errors import MediaError, SkipReason

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one call may read, decode and hold.

    Attributes:
        file_bytes: size of a file; None is no limit.
        file_seconds: duration of a file; None is no limit.
        decoded_seconds: length of the range of sound, or span of the asked frames, that one call decodes.
        pixels: width times height of a picture, as stored and as returned.
        frames_per_second: frame rate of a video.
        channels: channels of a sound track.
        sample_rate: samples per second of a sound track.
        streams: tracks in one file.
        resident_bytes: memory that one call may hold.
        cpu_seconds: processor time of one call; held by `Pool`, which can stop a decoder.
    """

    file_bytes: int | None = None
    file_seconds: float | None = None
    decoded_seconds: float = 600.0
    pixels: int = 4096 * 4096
    frames_per_second: float = 240.0
    channels: int = 8
    sample_rate: int = 192_000
    streams: int = 64
    resident_bytes: int = 1536 * MEBIBYTE
    cpu_seconds: float = 20.0

    @classmethod
    def for_strangers(cls) -> "Limits":
        """The limits for bytes from strangers: 512 MiB and 600 s per file, 16 streams, the rest as for one's own."""
        return replace(cls(), file_bytes=512 * MEBIBYTE, file_seconds=600.0, streams=16)

    def check(self, name: str, value: float, path: str) -> None:
        """Refuse `value` where it is over the limit called `name`.

        Raises:
            MediaError: OVER_LIMIT, naming the limit.
        """
        limit = getattr(self, name)
        if limit is not None and not value <= limit:
            raise MediaError(
                SkipReason.OVER_LIMIT,
                f"{name.replace('_', ' ')}: {_plain(value)}",
                path=path,
                expected=f"at most {_plain(limit)}",
                cure=f"raise Limits.{name} if the file can be trusted",
            )


def _plain(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
