"""A DAG for a DAG folder: each day's texts, sifted against those of all days before. The YAML beside it says how."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tamis.jobs.airflow import build_dag

dag = build_dag(
    Path(__file__).with_name("tamis_daily.yaml"),
    dag_id="tamis_daily",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"stages.near.threshold": 0.8},
    task_settings={"retries": 2, "retry_delay": timedelta(minutes=1)},
    dag_settings={"catchup": False, "tags": ["tamis"]},
)
