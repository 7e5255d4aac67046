"""All stages give equal bytes on both engines."""

import pytest
from further_stages import settings, write_rows
from runs import digests
from spark_sessions import test_session

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import run as plan

pytestmark = pytest.mark.spark


def sift(config, make_engine):
    return plan.run(plan.prepare(config, version=tamis.__version__), make_engine, Silent())


@pytest.mark.parametrize(("action", "index"), [("drop", "exact"), ("cut", "codes")])
def test_all_stages_on_both_engines(tmp_path, action, index):
    write_rows(tmp_path, 2)
    semantic = {"index": index}
    local = sift(settings(tmp_path, tmp_path / "local", action=action, semantic=semantic), LocalEngine)
    config = settings(tmp_path, tmp_path / "spark", action=action, semantic=semantic)
    spark = sift(config, lambda work: SparkEngine(work, test_session(), driver_tables=0))
    assert digests(local) == digests(spark)
