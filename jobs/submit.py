"""What spark-submit runs: the command line, with Spark as its engine."""

import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != here]  # its modules are tamis.jobs

    from tamis.jobs.command import main_on_spark

    main_on_spark()
