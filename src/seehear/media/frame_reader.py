"""Getting the frame that is shown at a time, decoding only from the key frame before it.

Packets are looked at before they are decoded: their time stamps say which frame is wanted and from which key frame it
can be reached, so nothing else is decoded, and nothing rests on frame counts or on the header. Asked times must rise.
"""

from collections import deque
from fractions import Fraction
from typing import Any

from seehear.errors import MediaError, SkipReason
from seehear.media.containers import keep_only
from seehear.media.limits import Limits

SAME_TIME_SECONDS = Fraction(1, 1_000_000)  # an asked time may lie this far before the frame it names
_AHEAD_SECONDS = 2  # nearer targets are reached by reading on, farther ones by seeking
_STEPS_BACK_SECONDS = (0, 1, 3, 10, 30)  # where a seek lands after the target, try from further back


class FrameReader:
    """Frames of one video track by rising time.

    Args:
        container: an open PyAV container.
        stream: its video track.
        origin_seconds: time stamp of the presentation's start.
        path: for messages.
        limits: what may be decoded.

    Attributes:
        decoded_frames: how many frames left the decoder so far.
        at_end: the last target lay at or after the last frame.
    """

    def __init__(self, container: Any, stream: Any, origin_seconds: Fraction, path: str, limits: Limits):
        self.container, self.stream, self.path, self.limits = container, stream, path, limits
        self.time_base, self.origin_seconds = Fraction(stream.time_base), origin_seconds
        self.decoded_frames, self.at_end = 0, False
        keep_only(container, stream)
        self._packets = container.demux(stream)
        self._pending: deque[Any] = deque()  # read, not yet decoded
        self._held: list[Any] = []  # decoded, not yet passed by
        self._position: int | None = None  # time stamp of the last packet read
        self._exhausted = self._flushed = self._running = False

    def seconds_of(self, frame: Any) -> float:
        """When a frame begins to be shown."""
        return float(_stamp(frame) * self.time_base - self.origin_seconds)

    def frame_at(self, seconds: float) -> Any:
        """The frame shown at `seconds`: the last that begins by then, or the very first one.

        Raises:
            MediaError: TRUNCATED where it does not decode, OVER_LIMIT where too much lies before it.
        """
        target = self._ticks(seconds)
        self._approach(target)
        wanted = self._wanted(target)
        frame = self._decode_to(wanted, target)
        if frame is None or frame.is_corrupt:
            raise MediaError(
                SkipReason.TRUNCATED,
                f"the frame at {seconds:.3f} s does not decode",
                path=self.path,
                cause="an incomplete or damaged file",
            )
        return frame

    def _ticks(self, seconds: float) -> int:
        target = (Fraction(seconds) + SAME_TIME_SECONDS + self.origin_seconds) // self.time_base
        return max(int(target), self.stream.start_time or 0) if self.stream.start_time is not None else int(target)

    # ------------------------------------------------------------------------------------------------ reading packets
    def _approach(self, target: int) -> None:
        """Read packets up to `target`, and drop those before the last key frame that is not after it."""
        if self._is_far(target):
            for seconds in _STEPS_BACK_SECONDS:
                self._seek(target - int(seconds / self.time_base))
                if self._start_run(target):
                    return
            self._rewind()
        if not self._start_run(target) and not self._running:
            self._running = True  # no key frame by then: begin with what comes first

    def _is_far(self, target: int) -> bool:
        position = self._position if self._position is not None else self.stream.start_time
        if position is None or (target - position) * self.time_base <= _AHEAD_SECONDS:
            return False
        entries = self.stream.index_entries
        found = entries.search_timestamp(target) if len(entries) else -1
        return found < 0 or entries[found].timestamp > position

    def _seek(self, target: int) -> None:
        self.container.seek(target, stream=self.stream)
        self._restart()

    def _rewind(self) -> None:
        self.container.seek(self.stream.start_time or 0, stream=self.stream)
        self._restart()

    def _restart(self) -> None:
        self.stream.codec_context.flush_buffers()
        self._packets = self.container.demux(self.stream)
        self._pending.clear()
        self._held.clear()
        self._exhausted = self._flushed = self._running = False

    def _start_run(self, target: int) -> bool:
        """Read up to `target`; where a later key frame leads there, start afresh from it. Whether a run leads there."""
        self._read_past(target)
        starts = [i for i, p in enumerate(self._pending) if p.is_keyframe and _stamp(p) <= target]
        if starts:
            for _ in range(starts[-1]):
                self._pending.popleft()
            if self._running:
                self.stream.codec_context.flush_buffers()
            self._held.clear()
            self._running = True
        return self._running

    def _read_past(self, target: int) -> None:
        while not self._exhausted and (self._position is None or self._position <= target or not self._pending):
            if self._read_one() is None:
                return

    def _read_one(self) -> Any | None:
        packet = next(self._packets, None)
        if packet is None or (packet.size == 0 and _stamp(packet) is None):
            self._exhausted = True
            return None
        if _stamp(packet) is None:
            return self._read_one()
        self._pending.append(packet)
        self._position = packet.dts if packet.dts is not None else packet.pts
        return packet

    # ---------------------------------------------------------------------------------------------------- decoding
    def _wanted(self, target: int) -> int:
        """Time stamp of the frame shown at `target` (of the first one, where that comes later)."""
        shown = [_stamp(p) for p in self._pending if not p.is_discard] + [_stamp(f) for f in self._held]
        before = [stamp for stamp in shown if stamp <= target]
        self.at_end = self._exhausted and (not shown or max(shown) <= target)
        return max(before) if before else min(shown, default=target)

    def _decode_to(self, wanted: int, target: int) -> Any | None:
        while not any(_stamp(f) >= wanted for f in self._held) and self._decode_one():
            pass
        self._held.sort(key=_stamp)
        ready = [f for f in self._held if _stamp(f) <= max(target, wanted)]
        if not ready:
            return None
        self._held = self._held[len(ready) - 1 :]
        return ready[-1]

    def _decode_one(self) -> bool:
        """Decode one more packet, or flush the decoder at the end; False when nothing is left."""
        if not self._pending and self._read_one() is None:
            if self._flushed:
                return False
            self._flushed = True
            self._take(self.stream.codec_context.decode(None))
            return True
        self._take(self.stream.codec_context.decode(self._pending.popleft()))
        return True

    def _take(self, frames: list[Any]) -> None:
        self.decoded_frames += len(frames)
        self._held.extend(f for f in frames if _stamp(f) is not None)


def _stamp(item: Any) -> Any:
    """Presentation time stamp of a packet or frame; its decoding time stamp where a container has no other."""
    return item.pts if item.pts is not None else item.dts
