import threading
import time

import pytest

from tamis.jobs.ordered import ordered_map


def stream(number, length):
    return lambda: iter(range(number * 100, number * 100 + length))


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("window", [1, 4])
def test_results_come_in_order_of_the_streams(threads, window):
    def slow(item):
        time.sleep((item * 7 % 5) / 2000)
        return item * 2

    streams = [stream(i, (i * 3) % 7) for i in range(9)]
    expected = [2 * item for i in range(9) for item in range(i * 100, i * 100 + (i * 3) % 7)]
    assert list(ordered_map(streams, slow, threads=threads, window=window)) == expected


def test_one_stream_is_transformed_by_several_threads():
    both = threading.Barrier(2, timeout=10)

    def meet(item):
        both.wait()
        return item

    assert list(ordered_map([stream(0, 2)], meet, threads=2)) == [0, 1]


def test_the_first_failing_item_decides():
    def fail(item):
        if item >= 3:
            raise ValueError(item)
        return item

    results = ordered_map([stream(0, 50)], fail, threads=8)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="^3$"):
        next(results)


def test_a_failing_stream_raises_in_its_turn():
    def broken():
        yield 1
        raise OSError("disk")

    results = ordered_map([broken, stream(1, 3)], lambda item: item, threads=2)
    assert next(results) == 1
    with pytest.raises(OSError, match="disk"):
        next(results)


def test_leaving_early_stops_the_workers():
    seen = []

    def endless():
        for i in range(10**9):
            seen.append(i)
            yield i

    results = ordered_map([endless], lambda item: item, threads=2)
    assert next(results) == 0
    results.close()
    count = len(seen)
    time.sleep(0.05)
    assert len(seen) == count


def test_no_streams():
    assert list(ordered_map([], lambda item: item, threads=2)) == []
