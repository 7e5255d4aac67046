"""The operator that runs Tamis as a process of its own: its log, its end, what it read and wrote."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from ..hashing.redaction import redacted

FINAL_CODES = (2, 3, 5, 6)
"""Exit codes (``hashing/errors.py``) of what no retry mends: settings, inputs, a ledger, an alarm."""

GRACE_S = 10.0
"""Seconds between asking a process to end and ending it."""


class TamisOperator(BaseOperator):
    """Runs ``python -m tamis ARGUMENTS``; a retry goes on from the tables that were finished.

    Args:
        arguments: of the command line (templated).
        python: the interpreter that has Tamis; default: Airflow's own.
        env: variables beside those of the worker (templated).
        inputs: paths and URLs that are read, for lineage (templated).
        out: folder or URL of the output if this task finishes it, for lineage and assets (templated).
        final_codes: exit codes after which the task fails without a retry.
        settings: of every operator: ``task_id``, ``retries``, ``pool`` ...
    """

    template_fields: Sequence[str] = ("arguments", "env", "inputs", "out")

    def __init__(
        self,
        *,
        arguments: Sequence[str],
        python: str | None = None,
        env: Mapping[str, str] | None = None,
        inputs: Sequence[str] = (),
        out: str | None = None,
        final_codes: Collection[int] = FINAL_CODES,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.arguments = list(arguments)
        self.python = python
        self.env = dict(env or {})
        self.inputs = list(inputs)
        self.out = out
        self.final_codes = tuple(final_codes)
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Mapping[str, Any]) -> None:
        """Run it and pass its lines to the log.

        Raises:
            AirflowFailException: for a mistake that a retry would repeat.
            AirflowException: for anything else; a retry goes on.
        """
        command = [self.python or sys.executable, "-m", "tamis", *self.arguments]
        self.log.info("%s", redacted(shlex.join(command)))
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.env},
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                for line in process.stdout or ():
                    self.log.info("%s", line.rstrip())
                code = process.wait()
            finally:
                self.on_kill()
        if code:
            kind = AirflowFailException if code in self.final_codes else AirflowException
            raise kind(f"tamis ended with exit code {code}; its last lines say why")
        announce(context, self.out)

    def on_kill(self) -> None:
        """End the process and all that it started."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)

    def get_openlineage_facets_on_start(self) -> Any:
        """Return what is to be read and written, for the OpenLineage provider."""
        return lineage(self.inputs, self.out)

    def get_openlineage_facets_on_complete(self, task_instance: object) -> Any:
        """Return what was read and written, for the OpenLineage provider."""
        return lineage(self.inputs, self.out)


def announce(context: Mapping[str, Any], out: str | None) -> None:
    """Say in the events of a task's assets where the manifest is."""
    for asset in context["task"].outlets if out else ():
        context["outlet_events"][asset].extra = {"manifest": f"{str(out).rstrip('/')}/manifest.json"}


def lineage(inputs: Sequence[str], out: str | None) -> Any:
    """Return the lineage of a task, or None where the OpenLineage provider is not installed."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client.event_v2 import InputDataset, OutputDataset
    except ModuleNotFoundError:
        return None
    outputs = [OutputDataset(*dataset_name(out))] if out else []
    return OperatorLineage(inputs=[InputDataset(*dataset_name(path)) for path in inputs], outputs=outputs)


def dataset_name(path: str) -> tuple[str, str]:
    """Return namespace and name of a path or URL, as OpenLineage names data sets.

    >>> dataset_name("/data/2026-01-01"), dataset_name("s3://bucket/data/x")
    (('file', '/data/2026-01-01'), ('s3://bucket', 'data/x'))
    """
    if "://" not in path:
        return "file", path
    url = urlsplit(path)
    return (
        (f"{url.scheme}://{url.hostname or ''}", url.path.lstrip("/")) if url.scheme != "file" else ("file", url.path)
    )
