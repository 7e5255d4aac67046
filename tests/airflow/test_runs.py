"""DAGs that run without a scheduler: here and through spark-submit, to the same bytes; lineage as it is sent."""

import json
from random import Random

import pytest
import yaml
from corpora import SOURCES, dealt, parquet_folder, random_rows
from runs import NEAR, digests, pipeline

import tamis
from tamis.pipeline.verify import verify

pytestmark = pytest.mark.airflow

DAG = """
from datetime import UTC, datetime

from tamis.jobs.airflow import build_dag

dag = build_dag(
    {config!r}, dag_id={name!r}, start_date=datetime(2026, 1, 1, tzinfo=UTC), engine={engine!r}, python={python!r},
    tasks=["verify"], spark={{"conn_id": "spark_local", "driver_memory": "1g"}},
    params={{"stages.near.threshold": 0.9}},
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    rng = Random(31)
    parquet_folder(dealt(rng, [row for _ in range(3) for row in random_rows(rng)], files=2), folder / "2026-01-01")
    return folder


@pytest.fixture(scope="module")
def expected(folder):
    return digests(tamis.run(pipeline(folder / "2026-01-01", folder / "expected")).out)


def test_a_day(home, folder, expected, tamis_python):
    events = folder / "events.jsonl"
    for engine in ("local", "spark"):
        config = {
            "inputs": [{"path": f"{folder}/{{{{ ds }}}}", "source": "web"}],
            "columns": {"text": "text", "id": "id", "source": "source"},
            "stages": ["exact", {"near": NEAR}],
            "allow_loss": list(SOURCES),
            "shards": {"target_size": "8KB", "group_size": "1KB"},
            "out": f"{folder}/{engine}-{{{{ ds }}}}",
        }
        (folder / f"{engine}.yaml").write_text(yaml.safe_dump(config))
        (home.dags / f"{engine}.py").write_text(
            DAG.format(config=str(folder / f"{engine}.yaml"), name=engine, engine=engine, python=tamis_python)
        )
        transport = json.dumps({"type": "file", "log_file_path": str(events), "append": True})
        conf = json.dumps({"stages.near.threshold": NEAR["threshold"]})
        variables = {"AIRFLOW__OPENLINEAGE__TRANSPORT": transport}
        printed = home.run("dags", "test", engine, "2026-01-01", "--conf", conf, **variables)
        out = folder / f"{engine}-2026-01-01"
        assert (out / "_SUCCESS").exists(), printed[-6000:]
        assert digests(out) == expected
        assert all(check.passed for check in verify(out))
        assert json.loads((out / "report.json").read_text())["engine"] == engine
    sent = [json.loads(line) for line in events.read_text().splitlines()]
    for engine in ("local", "spark"):
        last = [
            event
            for event in sent
            if event["eventType"] == "COMPLETE" and event["job"]["name"] == f"{engine}.tamis.write_shards"
        ]
        assert [[item["name"] for item in last[0][side]] for side in ("inputs", "outputs")] == [
            [f"{folder}/2026-01-01"],
            [f"{folder}/{engine}-2026-01-01"],
        ]
