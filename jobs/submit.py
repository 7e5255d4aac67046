"""What spark-submit runs: the command line, with Spark as its engine."""

from tamis.jobs.cli import main_on_spark

if __name__ == "__main__":
    main_on_spark()
