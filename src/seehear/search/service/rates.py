"""How many requests are answered: so many under way together, and so many a minute for each who asks."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seehear.search.service.refused import too_many

_MOST_KEYS = 10_000
_RETRY_SECONDS = 2


class Rate:
    """Token buckets: each key has `per_minute` at once, and gets them back evenly over a minute.

    Args:
        per_minute: requests.
        clock: seconds that only rise.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic):
        self._per_minute, self._clock = per_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> (left, when)

    def wait_seconds(self, key: str) -> float:
        """How long until the next request of this key would be answered; 0 for now."""
        return max(0.0, (1 - self._now(key)) * 60 / self._per_minute)

    def count(self, key: str) -> None:
        """A request of this key."""
        self._left[key] = (self._now(key) - 1, self._clock())
        self._left.move_to_end(key)
        while len(self._left) > _MOST_KEYS:
            self._left.popitem(last=False)

    def take(self, key: str) -> None:
        """Count a request of this key, or refuse it.

        Raises:
            RefusedError: 429.
        """
        if wait := self.wait_seconds(key):
            raise too_many("rate", f"more than {self._per_minute} requests in a minute", wait + 0.5)
        self.count(key)

    def _now(self, key: str) -> float:
        left, when = self._left.get(key, (float(self._per_minute), self._clock()))
        return min(float(self._per_minute), left + (self._clock() - when) * self._per_minute / 60)


class Slots:
    """Requests under way together.

    Args:
        most: one more is refused.
    """

    def __init__(self, most: int):
        self._most, self.taken = most, 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a slot.

        Raises:
            RefusedError: 429.
        """
        if self.taken >= self._most:
            raise too_many("busy", f"{self._most} requests are under way", _RETRY_SECONDS)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
