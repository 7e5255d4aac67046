"""One Spark session for all tests of a process."""

from tamis.jobs.spark_session import LOCAL_JVM, open_session

STATIC = {"spark.sql.codegen.cache.maxEntries": 5000, "spark.sql.ui.retainedExecutions": 1}
"""Settings that only a JVM that starts takes."""

OPTIONS = ["-XX:ReservedCodeCacheSize=256m", *(f"-D{name}={value}" for name, value in STATIC.items())]
SETTINGS = {
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": " ".join([LOCAL_JVM, *OPTIONS]),
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
    "spark.ui.retainedTasks": "100",
}
"""One JVM does hundreds of runs: it keeps its machine code and the classes that Spark makes for equal plans, but not
the plans and figures of what is over."""


def test_session():
    session, _ = open_session(master="local[2]", settings=SETTINGS)
    return session


test_session.__test__ = False
