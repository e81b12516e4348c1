"""Getting the frame that is shown at a time, decoding only from the key frame before it.

Packets are looked at before they are decoded: their time stamps say which frame is wanted and from which key frame it
can be reached, so nothing else is decoded, and nothing rests on frame counts or on the header. Asked times must rise.
"""

from collections import deque
from fractions import Fraction
from typing import Any

import av

from seehear.media.frame_order import LEADING_FRAMES, CountedFrames, decoder_delay, is_counted
from seehear.media.media_file import MediaFile, codec_name

SAME_TIME_SECONDS = Fraction(1, 1_000_000)  # an asked time may lie this far before the frame it names
_AHEAD_SECONDS = 2  # nearer targets are reached by reading on, farther ones by seeking
_UNSEEKABLE = {"mpeg"}  # time stamps after a seek differ from those read in a row; reading on is cheap
_DROPPABLE = {"h264"}  # codecs whose frames say for sure that no other frame leans on them
_STEPS_BACK_SECONDS = (0, 1, 3, 10, 30)  # where a seek lands after the target, try from further back


class FrameReader:
    """Frames of one video track by rising time.

    Args:
        file: an open file, at its start.
        stream: its video track.

    Attributes:
        decoded_frames: how many frames left the decoder so far.
        past_end: the last asked time lay after the end of the last frame that the file holds.
        broken: reading ended at damage, not at the end of the file.
        end_seconds: end of the last frame that was read.
    """

    def __init__(self, file: MediaFile, stream: Any):
        self.file, self.container, self.stream = file, file.container, stream
        self.time_base, self.origin_seconds = Fraction(stream.time_base), file.origin_seconds()
        self.decoded_frames, self.past_end, self.broken = 0, False, False
        file.keep_only(stream)
        self._pending: deque[Any] = deque()  # read, not yet decoded
        self._inside: set[int] = set()  # time stamps that are in the decoder
        self._held: list[Any] = []  # decoded, not yet passed by
        self._position: int | None = None  # decoding time stamp of the last packet read
        self._end = stream.start_time or 0
        self._exhausted = self._flushed = self._running = False
        self._order: CountedFrames | None = None
        self._drops = codec_name(stream) in _DROPPABLE and not is_counted(self.container)
        self._packets = self.container.demux(stream)
        if is_counted(self.container):
            self.rewind()
            self._order = CountedFrames(decoder_delay(self.container, stream))
            self.rewind()

    @property
    def end_seconds(self) -> Fraction:
        """End of the last frame that was read."""
        return self._end * self.time_base - self.origin_seconds

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
        frame = self._decode_to(self._wanted(target), target)
        if frame is None or frame.is_corrupt or (self.broken and self.past_end):
            found = f"the frame at {seconds:.3f} s does not decode"
            raise self.file.damaged(found)
        return frame

    def rewind(self) -> None:
        """Go back to the start, so that asked times may begin anew."""
        self._seek(self.stream.start_time or 0)

    def _ticks(self, seconds: float) -> int:
        target = int((Fraction(seconds) + SAME_TIME_SECONDS + self.origin_seconds) // self.time_base)
        start = self.stream.start_time
        return target if start is None else max(target, start)

    # ------------------------------------------------------------------------------------------------ reading packets
    def _approach(self, target: int) -> None:
        """Read packets up to `target`, and drop those before the last key frame that is not after it."""
        if self._is_far(target):
            for seconds in _STEPS_BACK_SECONDS:
                self._seek(target - int(seconds / self.time_base))
                if self._reach(target):
                    return
            self.rewind()
        if not self._reach(target):
            self._start_at_first_key_frame()

    def _is_far(self, target: int) -> bool:
        if self.container.format.name in _UNSEEKABLE:
            return False
        position = self._position if self._position is not None else self.stream.start_time
        if position is None or (target - position) * self.time_base <= _AHEAD_SECONDS:
            return False
        entries = self.stream.index_entries
        found = entries.search_timestamp(target) if len(entries) else -1
        return found < 0 or entries[found].timestamp > position

    def _seek(self, target: int) -> None:
        try:
            self.container.seek(target, stream=self.stream)
        except (av.error.PermissionError, av.error.InvalidDataError, av.error.ArgumentError, av.error.OSError):
            return  # not seekable: read on
        self.stream.codec_context.flush_buffers()
        self._packets = self.container.demux(self.stream)
        self._pending.clear()
        self._held.clear()
        self._inside.clear()
        self._position = None
        self._exhausted = self._flushed = self._running = self.broken = False

    def _reach(self, target: int) -> bool:
        """Read up to `target`, starting afresh at each key frame on the way. Whether a decoded run leads there."""
        latest = target - LEADING_FRAMES if self._order and self._order.delay else target
        starts = [i for i, p in enumerate(self._pending) if p.is_keyframe and _stamp(p) <= latest]
        if starts:
            self._start_at(starts[-1])
        while (self._position is None or self._position <= target) and self._read_one():
            if self._pending[-1].is_keyframe and _stamp(self._pending[-1]) <= latest:
                self._start_at(len(self._pending) - 1)
        if self._running and self._pending:
            span = (target - _stamp(self._pending[0])) * self.time_base
            rate = (len(self._pending) - LEADING_FRAMES) / max(float(span), 1.0)
            self.file.limits.check("decoded_seconds", float(span), self.file.path)
            self.file.limits.check("frames_per_second", rate, self.file.path)
        return self._running

    def _start_at_first_key_frame(self) -> None:
        """No key frame by the target: begin with the first one there is, or with what comes first."""
        while not any(p.is_keyframe for p in self._pending) and self._read_one():
            pass
        starts = [i for i, p in enumerate(self._pending) if p.is_keyframe]
        self._start_at(starts[0] if starts else 0)

    def _start_at(self, index: int) -> None:
        for _ in range(index):
            self._pending.popleft()
        if self._running:
            self.stream.codec_context.flush_buffers()
        self._held.clear()
        self._inside.clear()
        if self._order:
            self._order.restart()
        self._flushed, self._running = False, True

    def _read_one(self) -> bool:
        """Read one packet with a time stamp; False at the end."""
        while not self._exhausted:
            try:
                packet = next(self._packets, None)
            except av.error.InvalidDataError:
                packet, self.broken = None, True
            if packet is None:
                self._exhausted = True
            elif _stamp(packet) is not None:
                if self._order:
                    packet.pts = packet.dts
                self._pending.append(packet)
                self._position = packet.dts if packet.dts is not None else packet.pts
                if not packet.is_discard:
                    self._end = max(self._end, _stamp(packet) + (packet.duration or 0))
                return True
        return False

    # ---------------------------------------------------------------------------------------------------- decoding
    def _wanted(self, target: int) -> int:
        """Time stamp of the frame shown at `target` (of the first one, where that comes later)."""
        shown = [_stamp(p) for p in self._pending if not p.is_discard] + [_stamp(f) for f in self._held]
        shown.extend(self._inside)
        before = [stamp for stamp in shown if stamp <= target]
        self.past_end = self._exhausted and target >= self._end
        return max(before) if before else min(shown, default=target)

    def _decode_to(self, wanted: int, target: int) -> Any | None:
        while not any(_stamp(f) >= wanted for f in self._held) and self._decode_one(wanted):
            pass
        self._held.sort(key=_stamp)
        ready = [f for f in self._held if _stamp(f) <= max(target, wanted)]
        if not ready:
            return None
        self._held = self._held[len(ready) - 1 :]
        return ready[-1]

    def _decode_one(self, wanted: int) -> bool:
        """Decode one more packet, or flush the decoder at the end; False when nothing is left.

        Frames before the wanted one that no other leans on are dropped undecoded.
        """
        if self._pending or self._read_one():
            packet = self._pending.popleft()
            if not packet.is_discard:
                self._inside.add(_stamp(packet))
            if self._order:
                self._order.feed(packet.dts)
            if self._drops:
                self.stream.codec_context.skip_frame = "NONREF" if _stamp(packet) < wanted else "DEFAULT"
            self._take(self.stream.codec_context.decode(packet))
            return True
        if not self._flushed:
            self._flushed = True
            self._take(self.stream.codec_context.decode(None))
            return True
        return False

    def _take(self, frames: list[Any]) -> None:
        self.decoded_frames += len(frames)
        if self._order:
            self._order.label(frames)
        self._held.extend(f for f in frames if _stamp(f) is not None)
        self._inside.difference_update(_stamp(f) for f in frames)


def _stamp(item: Any) -> Any:
    """Presentation time stamp of a packet or frame; its decoding time stamp where a container has no other."""
    return item.pts if item.pts is not None else item.dts
