"""The operator that submits Tamis to Spark."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from .airflow_operator import announce, lineage

LAUNCHER = Path(__file__).with_name("submit.py")


class TamisSparkOperator(SparkSubmitOperator):
    """Submits ``jobs/submit.py`` with the arguments of the command line; all else is ``SparkSubmitOperator``'s.

    Args:
        inputs: paths and URLs that are read, for lineage (templated).
        out: folder or URL of the output if this task finishes it, for lineage and assets (templated).
        settings: of ``SparkSubmitOperator``.
    """

    template_fields: Sequence[str] = (*SparkSubmitOperator.template_fields, "inputs", "out")

    def __init__(self, *, inputs: Sequence[str] = (), out: str | None = None, **settings: Any) -> None:
        super().__init__(**{"application": str(LAUNCHER)} | settings)
        self.inputs = list(inputs)
        self.out = out

    def execute(self, context: Mapping[str, Any]) -> None:
        """Submit it, and wait for its end."""
        super().execute(context)
        announce(context, self.out)

    def get_openlineage_facets_on_start(self) -> Any:
        """Return what is to be read and written, for the OpenLineage provider."""
        return lineage(self.inputs, self.out)

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Any:
        """Return what was read and written, for the OpenLineage provider."""
        return lineage(self.inputs, self.out)
