"""Progress of Spark jobs, from its status tracker."""

import threading
from types import TracebackType

from pyspark.sql import SparkSession

from ..pipeline.engine import Progress

EVERY_S = 0.5


class Watch:
    """Tells how many tasks of the running stages are done, as long as it is entered.

    Args:
        session: whose jobs to watch.
        progress: who is told; None for nobody.
    """

    def __init__(self, session: SparkSession, progress: Progress | None) -> None:
        self._tracker = session.sparkContext.statusTracker()
        self._progress = progress
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="tamis-progress", daemon=True)

    def __enter__(self) -> "Watch":
        if self._progress is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._progress is not None:
            self._thread.join()

    def _tell(self) -> None:
        while self._progress is not None and not self._over.wait(EVERY_S):
            stages = [self._tracker.getStageInfo(stage) for stage in self._tracker.getActiveStageIds()]
            known = [stage for stage in stages if stage is not None]
            if known:
                self._progress.tasks(sum(s.numCompletedTasks for s in known), sum(s.numTasks for s in known))
