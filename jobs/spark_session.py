"""The Spark session of a run: one that is there already, or one of our own with the settings of ``conf/spark.conf``."""

import os
import sys
from collections.abc import Mapping
from importlib import resources

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from .. import __version__
from ..hashing.errors import EngineError

LOCAL_JVM = "-XX:+UseParallelGC -XX:TieredStopAtLevel=1"
"""On one machine the JVM only ships what Python works on: a short run is over before its optimising compiler, which
takes the same cores, would pay."""

_STATIC = ("spark.sql.extensions", "spark.sql.warehouse.dir", "spark.sql.catalogImplementation")


def shipped_settings() -> dict[str, str]:
    """Return the settings of ``conf/spark.conf``."""
    text = (resources.files("tamis") / "conf" / "spark.conf").read_text(encoding="utf-8")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name: value.strip() for name, value in lines}


def open_session(
    *,
    master: str | None = None,
    threads: int | None = None,
    memory_bytes: int | None = None,
    settings: Mapping[str, str] | None = None,
) -> tuple[SparkSession, bool]:
    """Return (a session, whether it is our own and so ours to stop).

    Under spark-submit, master and memory are those that it was given.

    Args:
        master: of a cluster; default: that of spark-submit, or this machine.
        threads: tasks at a time, where the master is this machine.
        memory_bytes: heap of the JVM, where the master is this machine.
        settings: more settings, which win.

    Raises:
        EngineError: if Spark does not start.
    """
    wanted = shipped_settings() | dict(settings or {})
    session = SparkSession.getActiveSession()
    own = session is None
    if session is None:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.appName(f"tamis {__version__}")
        if "PYSPARK_GATEWAY_PORT" not in os.environ:  # not under spark-submit
            builder = builder.master(master or f"local[{threads or len(os.sched_getaffinity(0))}]")
            if (master or "local").startswith("local") and "spark.driver.extraJavaOptions" not in wanted:
                builder = builder.config("spark.driver.extraJavaOptions", LOCAL_JVM)
            if memory_bytes and master is None:
                builder = builder.config("spark.driver.memory", f"{max(1024, memory_bytes // 2 >> 20)}m")
        for name, value in wanted.items():
            builder = builder.config(name, value)
        try:
            session = builder.getOrCreate()
        except (PySparkException, Py4JError, OSError) as error:
            raise EngineError(
                "Spark can start",
                value=str(error).strip().splitlines()[0][:300],
                remedy="It needs Java 17 or newer (JAVA_HOME, or the path) and, on a cluster, the master's address.",
            ) from error
        session.sparkContext.setLogLevel("ERROR")
    for name, value in wanted.items():
        if name.startswith("spark.sql.") and name not in _STATIC:
            session.conf.set(name, value)
    return session, own
