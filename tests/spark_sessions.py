"""One Spark session for all tests of a process."""

from tamis.jobs.spark_session import open_session


def test_session():
    session, _ = open_session(master="local[2]", settings={"spark.driver.memory": "1g"})
    return session


test_session.__test__ = False
