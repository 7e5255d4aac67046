"""A run that goes on: what it is asked for, what works on it, and what it reads."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..hashing.first_run import compile_kernels, must_compile
from .config import Pipeline
from .engine import Engine, Progress
from .index.form import OpenIndex
from .inputs import Inputs
from .listing import list_inputs
from .prepared import Prepared
from .state import OutputFolder
from .timed_steps import TimedSteps


@dataclass(frozen=True)
class Running:
    """What every stage may ask of its run; it does not change.

    Attributes:
        prepared: the run before any work.
        engine: runs the verbs.
        folder: of the output and the work.
        steps: told when a step begins and ends.
        inputs: what it reads.
        joins: whether its rows join the index that it asks.
        until: the step to stop after, or None for a whole run.
    """

    prepared: Prepared
    engine: Engine
    folder: OutputFolder
    steps: TimedSteps
    inputs: Inputs
    joins: bool
    until: str | None

    @property
    def config(self) -> Pipeline:
        """Its settings."""
        return self.prepared.config

    @property
    def index(self) -> OpenIndex | None:
        """Earlier rows, or None."""
        return self.prepared.index

    @property
    def adds(self) -> bool:
        """Whether it adds to an index, and has not done so before."""
        return self.joins and self.prepared.adds

    @property
    def mode(self) -> str:
        """What joins the index, if there is one."""
        near = self.config.near
        return near.index.mode if near is not None and near.index is not None else "insert-kept"

    def step(self, name: str, *, readings: int = 0) -> AbstractContextManager[None]:
        """Time a step and show it; it reads the inputs so many times, or some of them."""
        return self.steps.step(name, readings * self.inputs.size_bytes if readings else None)


def begin(
    prepared: Prepared,
    engine: Engine,
    folder: OutputFolder,
    progress: Progress,
    *,
    joins: bool,
    until: str | None,
) -> Running:
    """List and check the inputs, and compile what this machine has not compiled yet.

    Args:
        prepared, engine, folder, joins, until: as in ``Running``.
        progress: told about steps.

    Raises:
        ConfigError, EngineError, InputError: the inputs do not fit the configuration, or the disk.
    """
    steps = TimedSteps(progress, folder.work, until)
    with steps.step("list inputs"):
        inputs = list_inputs(prepared, engine, folder.path, folder.work / "schema.json")
    if must_compile():
        with steps.step("compile (once a machine)"):
            compile_kernels(prepared.plan)
    return Running(prepared, engine, folder, steps, inputs, joins, until)
