"""How long it takes Airflow to read a DAG file of ours, and what a task costs beside its work.

    python benchmarks/scheduling.py --rounds 7       # with the interpreter that has Airflow

Each figure is of a fresh process, medians; ``airflow.sdk`` is what any DAG file pays.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

DAG_FILE = Path(__file__).parents[1] / "conf" / "airflow" / "tamis_daily.py"
SDK = "from airflow.sdk import DAG, Asset, BaseOperator, TaskGroup, chain"
PARTS = {
    "airflow.sdk": ("pass", SDK),
    "tamis.jobs.airflow, over airflow.sdk": (SDK, "import tamis.jobs.airflow"),
    "the ready DAG file, over airflow.sdk": (SDK, f"import runpy; runpy.run_path({str(DAG_FILE)!r})"),
}


def seconds(before: str, code: str) -> float:
    """Return how long a fresh process takes for some code after other code."""
    timed = f"import time\n{before}\nstart = time.perf_counter()\n{code}\nprint(time.perf_counter() - start)"
    return float(subprocess.check_output([sys.executable, "-c", timed], text=True).splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="Fresh processes for each figure.")
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {name: [] for name in PARTS}
    for _ in range(rounds):
        for name, (before, code) in PARTS.items():
            found[name].append(seconds(before, code))
    print("| what | seconds, median | least | most |\n|---|---:|---:|---:|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times):.3f} | {min(times):.3f} | {max(times):.3f} |")


if __name__ == "__main__":
    main()
