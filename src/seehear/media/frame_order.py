"""Time stamps for containers that store none: in AVI the n-th frame that is shown begins with the n-th packet.

FFmpeg guesses presentation times there, wrongly where a codec reorders frames. A decoder that reorders gives its first
frame after some more packets than one and then one frame for each packet, so the frame that comes out when packet n
goes in belongs at the decoding time of packet n minus that delay; this holds after a seek too, where the decoder
silently drops frames that lean on the group before.
"""

from typing import Any

LEADING_FRAMES = 16  # at most so many frames may be shown before a key frame that follow it in the file


class CountedFrames:
    """Puts the frames of one track without presentation times in their places.

    Args:
        delay: packets that the decoder holds back before its first frame (see `decoder_delay`).
    """

    def __init__(self, delay: int):
        self.delay = delay
        self.restart()

    def restart(self) -> None:
        """Forget everything: the decoder was flushed."""
        self._fed: list[int] = []
        self._next = 0

    def feed(self, stamp: int) -> None:
        """A packet with this decoding time goes into the decoder."""
        self._fed.append(stamp)

    def label(self, frames: list[Any]) -> None:
        """Set the time stamps of what came out (all of the rest at the end, after the last packet)."""
        for frame in frames:
            self._next = min(max(self._next, len(self._fed) - 1 - self.delay), len(self._fed) - 1)
            frame.pts = self._fed[self._next]
            self._next += 1


def is_counted(container: Any) -> bool:
    """Whether a container stores no presentation times."""
    return container.format.name == "avi"


def decoder_delay(container: Any, stream: Any) -> int:
    """Packets that go in before the first frame comes out, tried at the start of the file (which is then left)."""
    for count, packet in enumerate(container.demux(stream)):
        if packet.size and stream.codec_context.decode(packet):
            return count
    return 0
