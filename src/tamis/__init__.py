"""Tamis sifts text corpora and data lakes into training shards.

Every removal names its witness, every row is accounted for, and the answer is the same on every engine and every run.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["Pipeline", "Result", "TamisError", "__version__", "dedup", "load_config", "run"]

if TYPE_CHECKING:
    from .hashing.errors import TamisError
    from .jobs.api import dedup, run
    from .pipeline.config import Pipeline, load_config
    from .pipeline.result import Result

_HOMES = {
    "Pipeline": "pipeline.config",
    "Result": "pipeline.result",
    "TamisError": "hashing.errors",
    "dedup": "jobs.api",
    "load_config": "pipeline.config",
    "run": "jobs.api",
}


def __getattr__(name: str) -> object:
    """Load public names when they are first used: importing ``tamis`` itself stays fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tamis' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
