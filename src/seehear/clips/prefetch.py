"""Work done ahead in threads: results in the order of the work, a bounded number of them, and errors as they are."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, depth: int
) -> Generator[Result, None, None]:
    """Yield `function(item)` for each item, in order, with at most `depth` results under way.

    Items are drawn in the caller's thread, each just before its work starts. With no threads everything happens in
    the caller's thread. Closing the iterator drops work that has not begun and waits for what has.
    """
    if threads < 1:
        yield from map(function, items)
        return
    executor = ThreadPoolExecutor(threads, thread_name_prefix="seehear-clips")
    under_way: deque[Future[Result]] = deque()
    drawn = iter(items)
    try:
        exhausted = False
        while True:
            while not exhausted and len(under_way) < max(1, depth):
                try:
                    under_way.append(executor.submit(function, next(drawn)))
                except StopIteration:
                    exhausted = True
            if not under_way:
                return
            yield under_way.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
