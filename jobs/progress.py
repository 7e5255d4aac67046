"""How a run shows what it is doing: bars on a terminal, a line every few seconds elsewhere, or nothing."""

import json
import threading
import time
from collections.abc import Callable, Mapping

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from ..pipeline.counted import counted
from ..pipeline.engine import Progress as Told


class Silent:
    """Shows nothing."""

    def begin(self, *, memory_bytes: int, threads: int) -> None:
        """See ``pipeline.engine.Progress``."""

    def start(self, step: str, *, total_bytes: int | None = None) -> None:
        """See ``pipeline.engine.Progress``."""

    def advance(self, size_bytes: int) -> None:
        """See ``pipeline.engine.Progress``."""

    def tasks(self, done: int, of: int) -> None:
        """See ``pipeline.engine.Progress``."""

    def finish(self) -> None:
        """See ``pipeline.engine.Progress``."""


class Bars:
    """One bar a step, on a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description:<16}"), BarColumn(), TransferSpeedColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, console=console)
        self._task: TaskID | None = None
        self._step = ""

    def begin(self, *, memory_bytes: int, threads: int) -> None:
        """See ``pipeline.engine.Progress``."""
        told = f"{memory_bytes / 1e9:.1f} GB of memory at most, {counted(threads, 'thread')}"
        self._bars.console.print(told, style="dim", highlight=False)

    def start(self, step: str, *, total_bytes: int | None = None) -> None:
        """See ``pipeline.engine.Progress``."""
        self._step = step
        self._bars.start()
        self._task = self._bars.add_task(step, total=total_bytes)

    def advance(self, size_bytes: int) -> None:
        """See ``pipeline.engine.Progress``."""
        if self._task is not None:
            self._bars.advance(self._task, size_bytes)

    def tasks(self, done: int, of: int) -> None:
        """See ``pipeline.engine.Progress``."""
        if self._task is not None:
            self._bars.update(self._task, description=f"{self._step} {done}/{of}")

    def finish(self) -> None:
        """See ``pipeline.engine.Progress``."""
        if self._task is not None:
            done = self._bars.tasks[self._task].completed or 1
            self._bars.update(self._task, total=done, completed=done, description=self._step)
        self._bars.stop()


class Lines:
    """A JSON line before all steps, at the start and end of each, and every few seconds between.

    Args:
        write: where lines go.
        every_s: seconds between lines of one step.
    """

    def __init__(self, write: Callable[[str], None], *, every_s: float = 5.0) -> None:
        self._write, self._every_s = write, every_s
        self._lock = threading.Lock()
        self._step, self._done, self._begun, self._last = "", 0, 0.0, 0.0
        self._total: int | None = None
        self._tasks: tuple[int, int] | None = None

    def begin(self, *, memory_bytes: int, threads: int) -> None:
        """See ``pipeline.engine.Progress``."""
        self._write(json.dumps({"state": "begun", "memory_bytes": memory_bytes, "threads": threads}))

    def start(self, step: str, *, total_bytes: int | None = None) -> None:
        """See ``pipeline.engine.Progress``."""
        self._step, self._total, self._done, self._tasks = step, total_bytes, 0, None
        self._begun = self._last = time.monotonic()
        self._line("started", self._begun)

    def advance(self, size_bytes: int) -> None:
        """See ``pipeline.engine.Progress``."""
        with self._lock:
            self._done += size_bytes
            now = time.monotonic()
            if now - self._last >= self._every_s:
                self._last = now
                self._line("running", now)

    def tasks(self, done: int, of: int) -> None:
        """See ``pipeline.engine.Progress``."""
        with self._lock:
            self._tasks = (done, of)
            now = time.monotonic()
            if now - self._last >= self._every_s:
                self._last = now
                self._line("running", now)

    def finish(self) -> None:
        """See ``pipeline.engine.Progress``."""
        self._tasks = None
        self._line("done", time.monotonic())

    def _line(self, state: str, now: float) -> None:
        line: dict[str, object] = {"step": self._step, "state": state, "seconds": round(now - self._begun, 1)}
        if self._total and (self._done or state == "started"):
            line |= {"bytes": self._done, "of_bytes": self._total}
        if self._tasks:
            line |= {"tasks": self._tasks[0], "of_tasks": self._tasks[1]}
        self._write(json.dumps(line))


def show_totals(totals: Mapping[str, object]) -> None:
    """Say at the end of a run what became of its rows, in one line, where progress is shown as lines."""
    if not Console(stderr=True).is_terminal:
        typer.echo(json.dumps({"state": "finished", **totals}), err=True)


def shown(quiet: bool) -> Told:
    """Return how a command shows its progress: bars on a terminal, lines of JSON elsewhere, or not at all."""
    if quiet:
        return Silent()
    console = Console(stderr=True, emoji=False)
    return Bars(console) if console.is_terminal else Lines(lambda line: typer.echo(line, err=True))
