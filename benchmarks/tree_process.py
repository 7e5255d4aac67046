"""Run a command and measure what all of its processes take: wall time, CPU seconds, memory."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LOOK_SECONDS = 0.05
"""Between two looks at the processes, at least; and ``LOOK_SHARE`` times what the look took, to stay out of the way."""

LOOK_SHARE = 30


@dataclass(frozen=True)
class Ran:
    """What a command took.

    Attributes:
        code: its exit status; negative for a signal.
        stdout, stderr: what it printed.
        seconds: wall time from start to end of the process.
        cpu_seconds: of all its processes, those included that none waited for.
        peak_bytes: the most memory of all processes together, pages that they share counted once, looked at many
            times a second; or the peak of the largest one as the kernel keeps it, if that is more. (Not
            ``ru_maxrss``: it starts with the size of the process that made the child.)
        timed_out: it was stopped.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    timed_out: bool


@dataclass
class _Seen:
    """What was seen of the processes so far."""

    peak_bytes: int = 0
    cpu_seconds: dict[str, float] = field(default_factory=dict)


def run(command: Sequence[str], env: Mapping[str, str], logs: Path, timeout_s: float) -> Ran:
    """Run a command in a session of its own, its output in two files of a folder."""
    timed_out = threading.Event()
    with (logs / "stdout").open("wb") as out, (logs / "stderr").open("wb") as err:
        begun = time.perf_counter()
        child = subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        done = threading.Event()
        seen = _Seen()
        watcher = threading.Thread(target=_watch, args=(child.pid, done, seen))
        watcher.start()
        stopper = threading.Timer(timeout_s, _stop, (child.pid, timed_out))
        stopper.start()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
    stopper.cancel()
    done.set()
    watcher.join()
    return Ran(
        code=child.returncode,
        stdout=(logs / "stdout").read_text(encoding="utf-8", errors="replace"),
        stderr=(logs / "stderr").read_text(encoding="utf-8", errors="replace"),
        seconds=seconds,
        cpu_seconds=max(usage.ru_utime + usage.ru_stime, sum(seen.cpu_seconds.values())),
        peak_bytes=seen.peak_bytes,
        timed_out=timed_out.is_set(),
    )


def _stop(session: int, timed_out: threading.Event) -> None:
    timed_out.set()
    with suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


def _watch(session: int, done: threading.Event, seen: _Seen) -> None:
    pause = LOOK_SECONDS
    while not done.wait(pause):
        begun, together = time.thread_time(), 0
        for process in _members(session):
            with suppress(OSError, IndexError, ValueError):
                fields = _fields(process)
                seen.cpu_seconds[process.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
                together += _bytes(process / "smaps_rollup", "Pss:")
                seen.peak_bytes = max(seen.peak_bytes, _bytes(process / "status", "VmHWM:"))
        seen.peak_bytes = max(seen.peak_bytes, together)
        pause = max(LOOK_SECONDS, LOOK_SHARE * (time.thread_time() - begun))


def _members(session: int) -> list[Path]:
    """Return the processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            if int(_fields(path)[3]) == session:
                found.append(path)
    return found


def _fields(process: Path) -> list[str]:
    """Return the fields of ``stat`` after the name, the state first."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _bytes(path: Path, name: str) -> int:
    """Return a size that the kernel gives in kB."""
    lines = path.read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)
