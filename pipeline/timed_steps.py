"""The steps of a run: each is shown, timed and noted, and one may be the last."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .engine import Progress
from .metrics import note_step


class Reached(Exception):
    """The step that a run was to stop after is done."""


class TimedSteps:
    """What a run has done so far.

    Args:
        progress: told about steps.
        work: the run's work folder, where steps are noted.
        until: the step to stop after, or None.

    Attributes:
        done: name, seconds, bytes read and peak memory of each step, in order.
    """

    def __init__(self, progress: Progress, work: Path, until: str | None) -> None:
        self._progress, self._work, self._until = progress, work, until
        self.done: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str, total_bytes: int | None = None) -> Iterator[None]:
        """Time a step and show it.

        Raises:
            Reached: it was to be the last one.
        """
        self._progress.start(name, total_bytes=total_bytes)
        start = time.monotonic()
        try:
            yield
        finally:
            self._progress.finish()
        seconds = round(time.monotonic() - start, 3)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        self.done.append({"name": name, "seconds": seconds, "bytes": total_bytes, "peak_rss_bytes": peak})
        note_step(self._work, name, seconds)
        if name == self._until:
            raise Reached
