"""What commands over tables run on."""

from dataclasses import dataclass
from typing import Literal, cast

from ..hashing.errors import ConfigError
from ..pipeline.config import Spark

EngineName = Literal["local", "spark"]


@dataclass(frozen=True)
class EngineOptions:
    """What a command runs on.

    Attributes:
        name: of the engine.
        memory_bytes: what it may take.
        threads: default: all processors.
        spark: settings of Spark.
    """

    name: EngineName = "local"
    memory_bytes: int = 2 << 30
    threads: int | None = None
    spark: Spark = Spark()


def engine_named(name: str) -> EngineName:
    """Return the name of an engine.

    Raises:
        ConfigError: there is no such engine.
    """
    if name not in ("local", "spark"):
        raise ConfigError("an engine is `local` or `spark`", value=name, remedy="Choose one of these.")
    return cast(EngineName, name)
