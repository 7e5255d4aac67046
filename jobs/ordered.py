"""Read streams in parallel, transform their batches in parallel, and yield them in order.

Reading a stream is sequential (a gzip file, a database result), transforming its batches is not. Workers
therefore take two kinds of task, "read the next batch of stream s" and "transform this batch"; neither ever waits for
another, so they cannot deadlock. The order of results is that of the streams, whatever the threads do.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


class _Stream(Generic[T, R]):
    """A stream being read: its source and the results that wait for the consumer, in order."""

    def __init__(self, open_: Callable[[], Iterator[T]]) -> None:
        self.open = open_
        self.source: Iterator[T] | None = None
        self.results: deque[Future[R]] = deque()
        self.reading = False
        self.exhausted = False


class _End:
    """What a read brings after the last item."""


def _next(stream: "_Stream[T, R]") -> "T | _End":
    if stream.source is None:
        stream.source = stream.open()
    return next(stream.source, _End())


class _Ordered(Generic[T, R]):
    def __init__(self, pool: ThreadPoolExecutor, fn: Callable[[T], R], window: int) -> None:
        self.pool, self.fn, self.window = pool, fn, window
        self.changed = threading.Condition()
        self.stopped = False

    def pump(self, stream: _Stream[T, R]) -> None:
        """Start the next read of a stream unless one is under way or enough results wait."""
        with self.changed:
            if stream.reading or stream.exhausted or self.stopped or len(stream.results) >= self.window:
                return
            stream.reading = True
        self.pool.submit(_next, stream).add_done_callback(partial(self._arrived, stream))

    def _arrived(self, stream: _Stream[T, R], read: "Future[T | _End]") -> None:
        """Hand on what a read brought: an item to the function, an error to the consumer, the end to nobody."""
        if read.cancelled():
            return
        failed = read.exception() is not None
        item = None if failed else read.result()
        with self.changed:
            stream.reading, stream.exhausted = False, failed or isinstance(item, _End)
            if failed:
                stream.results.append(cast("Future[R]", read))  # raises in the consumer, in its turn
            elif not isinstance(item, _End) and not self.stopped:
                stream.results.append(self.pool.submit(self.fn, cast(T, item)))
            self.changed.notify_all()
        self.pump(stream)

    def take(self, stream: _Stream[T, R]) -> Iterator[R]:
        while True:
            self.pump(stream)
            with self.changed:
                self.changed.wait_for(lambda: bool(stream.results) or stream.exhausted)
                if not stream.results:
                    return
                future = stream.results.popleft()
            yield future.result()


def ordered_map(
    streams: Sequence[Callable[[], Iterator[T]]], fn: Callable[[T], R], *, threads: int, window: int = 3
) -> Iterator[R]:
    """Yield ``fn(item)`` for every item of every stream, in order of the streams.

    Args:
        streams: functions that open the streams; at most ``threads + 1`` are open at a time.
        fn: applied in the worker threads.
        threads: number of workers.
        window: results of one stream that may wait for the consumer.

    Raises:
        Whatever a stream or ``fn`` raised, in order: the first failing item decides.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="tamis") as pool:
        run: _Ordered[T, R] = _Ordered(pool, fn, window)
        waiting = deque(_Stream[T, R](open_) for open_ in streams)
        opened: deque[_Stream[T, R]] = deque()
        try:
            while waiting or opened:
                while waiting and len(opened) <= threads:
                    opened.append(waiting.popleft())
                    run.pump(opened[-1])
                yield from run.take(opened[0])
                opened.popleft()
        finally:
            with run.changed:
                run.stopped = True
            pool.shutdown(wait=True, cancel_futures=True)
