from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.jobs import memory_share
from tamis.jobs.memory_share import UNKNOWN_BYTES, allowed_bytes, share_of

GB = 10**9
GIB = 1 << 30
UNLIMITED = "9223372036854771712\n"


@pytest.fixture
def machine(tmp_path):
    """Return a function that makes the files of a machine, by path, and returns their root."""

    def make(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return tmp_path

    return make


def meminfo(total, available):
    return f"MemTotal:       {total >> 10} kB\nMemFree:           512 kB\nMemAvailable:   {available >> 10} kB\n"


BIG = {"proc/meminfo": meminfo(64 * GIB, 60 * GIB)}
V2 = "sys/fs/cgroup"
V1 = "sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("files", "ceiling"),
    [
        ({}, 64 * GIB),
        ({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": f"{8 * GIB}\n"}, 8 * GIB),
        ({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": "max\n"}, 64 * GIB),
        ({"proc/self/cgroup": "0::/user/a.service\n", f"{V2}/user/a.service/memory.max": f"{6 * GIB}\n"}, 6 * GIB),
        (
            {
                "proc/self/cgroup": "0::/user/a.service\n",
                f"{V2}/user/a.service/memory.max": f"{6 * GIB}\n",
                f"{V2}/user/memory.max": f"{4 * GIB}\n",
                f"{V2}/memory.max": "max\n",
            },
            4 * GIB,
        ),
        (
            {"proc/self/cgroup": "0::/a\n", f"{V2}/a/memory.max": "max\n", f"{V2}/a/memory.high": f"{5 * GIB}\n"},
            5 * GIB,
        ),
        ({"proc/self/cgroup": "0::/a\n", f"{V2}/b/memory.max": f"{3 * GIB}\n"}, 64 * GIB),
        ({"proc/self/cgroup": "0::/../a\n", f"{V2}/memory.max": f"{3 * GIB}\n"}, 3 * GIB),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/1f:2\n0::/\n",
                f"{V1}/docker/1f:2/memory.limit_in_bytes": f"{7 * GIB}\n",
            },
            7 * GIB,
        ),
        ({"proc/self/cgroup": "4:memory:/docker/1f\n", f"{V1}/memory.limit_in_bytes": f"{2 * GIB}\n"}, 2 * GIB),
        ({"proc/self/cgroup": "4:memory:/\n", f"{V1}/memory.limit_in_bytes": UNLIMITED}, 64 * GIB),
        ({"proc/self/cgroup": "4:cpu:/\n", f"{V1}/memory.limit_in_bytes": f"{2 * GIB}\n"}, 64 * GIB),
        ({"proc/self/cgroup": "nothing\n\n", f"{V2}/memory.max": f"{2 * GIB}\n"}, 64 * GIB),
        ({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": "what\n"}, 64 * GIB),
    ],
)
def test_half_of_the_least_limit(machine, files, ceiling):
    assert share_of(machine(BIG | files)) == ceiling // 2


@pytest.mark.parametrize(
    ("total", "available", "share"),
    [
        (16 * GIB, 15 * GIB, 8 * GIB),
        (16 * GIB, 4 * GIB, 3 * GIB),  # three quarters of what is free now
        (16 * GIB, GIB // 2, GB),  # never less
        (GIB * 3 // 2, GIB, GB),
        (GIB, GIB // 2, GIB // 2),  # what interpreter and libraries leave
        (GIB // 2, GIB // 4, 3 * GIB // 16),
        (GIB // 2, GIB // 8, GIB // 8),
    ],
)
def test_not_more_than_is_free_and_not_too_little(machine, total, available, share):
    assert share_of(machine({"proc/meminfo": meminfo(total, available)})) == share


def test_a_limit_is_enough(machine):
    assert share_of(machine({"proc/self/cgroup": "0::/\n", f"{V2}/memory.max": f"{8 * GIB}\n"})) == 4 * GIB


@pytest.mark.parametrize("files", [{}, {"proc/meminfo": "MemTotal: many kB\n"}, {"proc/meminfo": ""}])
def test_what_nobody_says_is_as_it_always_was(machine, files):
    assert share_of(machine(files)) == UNKNOWN_BYTES == 2 * GB


@given(total=st.integers(1 << 28, 1 << 42), part=st.floats(0, 1), limit=st.integers(1 << 28, 1 << 42))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_the_share_lies_between_its_bounds(tmp_path_factory, total, part, limit):
    root: Path = tmp_path_factory.mktemp("machine")
    for path, text in {
        "proc/meminfo": meminfo(total, int(total * part)),
        "proc/self/cgroup": "0::/\n",
        f"{V2}/memory.max": f"{limit}\n",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    share, ceiling = share_of(root), min(total >> 10 << 10, limit)
    assert (128 << 20) <= share <= max(ceiling // 2, min(GB, ceiling - (512 << 20)), 128 << 20)
    assert share <= max(int(total * part) * 3 // 4, GB)
    assert share >= min(GB, max(ceiling - (512 << 20), 128 << 20))


def test_what_is_asked_for_is_allowed(monkeypatch):
    monkeypatch.setattr(memory_share, "share_of", lambda root: 5 * GB)
    assert [allowed_bytes(asked) for asked in (3 * GB, None)] == [3 * GB, 5 * GB]
