"""The engines by name, as commands and runs make them."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..hashing.errors import EngineError
from ..pipeline.engine import Engine, Progress
from .engine_options import EngineOptions
from .local import LocalEngine
from .memory_share import allowed_bytes

if TYPE_CHECKING:
    from ..pipeline.config import Spark

SPARK_BYTES = 8 << 30
"""What Spark takes of one machine unless asked for more: the JVM gets a half, and only ships what Python works on."""


def make(
    name: Literal["local", "spark"],
    work: Path,
    *,
    memory_bytes: int | None,
    threads: int | None,
    progress: Progress | None,
    settings: "Spark | None" = None,
) -> Engine:
    """Return an engine.

    Args:
        name: which.
        work: folder of its work.
        memory_bytes: what it may take; default: a share of what there is. Of Spark, where nobody names its master.
        threads: default: all processors.
        progress: told about what it does.
        settings: of Spark; default: its own.

    Raises:
        EngineError: if Spark is not installed or does not start.
    """
    if name == "local":
        engine = LocalEngine(work, memory_bytes=allowed_bytes(memory_bytes), threads=threads, progress=progress)
        if progress:
            progress.begin(memory_bytes=engine.memory_bytes, threads=engine.threads)
        return engine
    from ..pipeline.config import Spark

    settings = settings or Spark()
    try:
        from .spark import SparkEngine
        from .spark_session import open_session
    except ModuleNotFoundError as error:
        raise EngineError(
            "engine: spark has its libraries", value=f"no {error.name}", remedy="Run: pip install 'tamis[spark]'"
        ) from error
    session, own = open_session(
        master=settings.master,
        threads=threads,
        memory_bytes=min(allowed_bytes(None), SPARK_BYTES) if memory_bytes is None else memory_bytes,
        settings=settings.conf,
    )
    return SparkEngine(
        work,
        session,
        partitions=settings.partitions,
        driver_tables=settings.driver_tables,
        progress=progress,
        own=own,
    )


def engine_on(on: EngineOptions, work: Path, progress: Progress | None) -> Engine:
    """Return the engine that a command runs on.

    Args:
        on: which, and what it may take.
        work: folder of its work.
        progress: told about what it does.

    Raises:
        EngineError: if Spark is not installed or does not start.
    """
    return make(on.name, work, memory_bytes=on.memory_bytes, threads=on.threads, progress=progress, settings=on.spark)
