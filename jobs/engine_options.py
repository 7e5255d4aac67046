"""What commands over tables run on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from ..hashing.errors import ConfigError
from ..pipeline.byte_sizes import bytes_of

if TYPE_CHECKING:
    from ..pipeline.config import Spark

EngineName = Literal["local", "spark"]


@dataclass(frozen=True)
class EngineOptions:
    """What a command runs on.

    Attributes:
        name: of the engine.
        memory_bytes: what it may take.
        threads: default: all processors.
        spark: settings of Spark; default: its own.
    """

    name: EngineName = "local"
    memory_bytes: int = 2 << 30
    threads: int | None = None
    spark: "Spark | None" = None


def engine_options(name: str, memory: str, threads: int | None, master: str | None) -> EngineOptions:
    """Return what a command line asks for.

    Args:
        name: of the engine.
        memory: as in configurations.
        threads: default: all processors.
        master: of Spark; default: this machine.

    Raises:
        ConfigError: there is no such engine, or the memory is no size.
    """
    engine = engine_named(name)
    if engine == "local":
        return EngineOptions(engine, bytes_of(memory), threads)
    from ..pipeline.config import Spark  # with all settings of pipelines

    return EngineOptions(engine, bytes_of(memory), threads, Spark(master=master))


def engine_named(name: str) -> EngineName:
    """Return the name of an engine.

    Raises:
        ConfigError: there is no such engine.
    """
    if name not in ("local", "spark"):
        raise ConfigError("an engine is `local` or `spark`", value=name, remedy="Choose one of these.")
    return cast(EngineName, name)
