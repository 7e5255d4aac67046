"""An Airflow of the tests' own: its home, its DAG folder, its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AIRFLOW = Path(sys.executable).with_name("airflow")
PATIENCE_S = 300

collect_ignore_glob = [] if find_spec("airflow.sdk") else ["test_*.py"]


@pytest.fixture(scope="session")
def tamis_python():
    """The interpreter that has Tamis with Spark; Airflow's own has another pyspark."""
    return os.environ.get("PYTHON_WITH_SPARK", str(ROOT / ".venv" / "bin" / "python"))


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


class Home:
    """A home of Airflow.

    Attributes:
        folder: where it is; ``dags`` below it is its DAG folder.
    """

    def __init__(self, folder, tamis_python):
        self.folder, self.dags, self.port = folder, folder / "dags", free_port()
        self.dags.mkdir(parents=True)
        url = f"http://127.0.0.1:{self.port}"
        binaries = [str(AIRFLOW.parent), str(Path(tamis_python).parent)]
        self.environment = {
            **os.environ,
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__API__BASE_URL": url,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of these tests that is long enough to sign what they send it",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "AIRFLOW_CONN_SPARK_LOCAL": json.dumps({"conn_type": "spark", "host": "local[2]"}),
            "PATH": os.pathsep.join([*binaries, os.environ["PATH"]]),
            "PYSPARK_PYTHON": tamis_python,
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.run("db", "migrate")

    def run(self, *arguments, **variables):
        """Run a command of Airflow to its end; return what it printed."""
        ended = subprocess.run(
            [AIRFLOW, *arguments],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout[-6000:]
        return ended.stdout

    @contextmanager
    def started(self):
        """Start the API server, and when it answers the scheduler, the triggerer and the processor of DAG files."""
        servers = []
        try:
            for names in (["api-server"], ["dag-processor", "scheduler", "triggerer"]):
                for name in names:
                    with open(self.folder / f"{name}.log", "w") as log:
                        servers.append(
                            subprocess.Popen(
                                [AIRFLOW, name], env=self.environment, stdout=log, stderr=log, start_new_session=True
                            )
                        )
                self._wait_for_server()
            yield
        finally:
            for server in reversed(servers):
                os.killpg(server.pid, signal.SIGTERM)
            for server in servers:
                try:
                    server.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()

    def _wait_for_server(self):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/version", timeout=5).close()
                return
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.5)
        raise TimeoutError("no API server")

    def runs(self, dag):
        """Return the states of a DAG's runs by logical date; a run without one by its id."""
        query = f"http://127.0.0.1:{self.port}/api/v2/dags/{dag}/dagRuns"
        return {run["logical_date"] or run["dag_run_id"]: run for run in self.get(query).get("dag_runs", [])}

    def get(self, url, **body):
        """Ask the API, which takes everybody for its administrator."""
        data = json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:  # the file of the DAG was not read yet
                return {}
            raise

    def token(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/auth/token", timeout=30) as answer:
            return json.load(answer)["access_token"]

    def wait(self, ready):
        """Wait until a function returns something true; return that."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if found := ready():
                return found
            time.sleep(1)
        logs = "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))
        raise TimeoutError(logs)


@pytest.fixture(scope="session")
def home(tmp_path_factory, tamis_python):
    return Home(tmp_path_factory.mktemp("airflow") / "home", tamis_python)
