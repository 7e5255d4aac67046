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
        memory_bytes: what it may take; default: a share of what there is (``memory_share.py``).
        threads: default: all processors.
        spark: settings of Spark; default: its own.
    """

    name: EngineName = "local"
    memory_bytes: int | None = None
    threads: int | None = None
    spark: "Spark | None" = None


def engine_options(name: str, memory: str | None, threads: int | None, master: str | None) -> EngineOptions:
    """Return what a command line asks for.

    Args:
        name: of the engine.
        memory: as in configurations; default: a share of what there is.
        threads: default: all processors.
        master: of Spark; default: this machine.

    Raises:
        ConfigError: there is no such engine, or the memory is no size.
    """
    engine = engine_named(name)
    memory_bytes = None if memory is None else bytes_of(memory)
    if engine == "local":
        return EngineOptions(engine, memory_bytes, threads)
    from ..pipeline.config import Spark  # with all settings of pipelines

    return EngineOptions(engine, memory_bytes, threads, Spark(master=master))


def engine_named(name: str) -> EngineName:
    """Return the name of an engine.

    Raises:
        ConfigError: there is no such engine.
    """
    if name not in ("local", "spark"):
        raise ConfigError("an engine is `local` or `spark`", value=name, remedy="Choose one of these.")
    return cast(EngineName, name)
