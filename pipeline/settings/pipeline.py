"""The settings of a whole run."""

import itertools
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ..keep import KeepPolicy, parse_keep
from ..mixture import UNITS, Mixture
from ..selection.settings import Balance, Select
from ..settings_file import Model, read_mixture
from .inputs import Columns, Input
from .near import Contained, Near
from .outputs import Alarm, Report, Shards, Spark, TokenizerFile
from .sizes import MemorySize
from .stages import Decontaminate, Exact, Filter, Paragraphs, Semantic, Stage, expand_stages

T = TypeVar("T", bound=Model)

_KEEP_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^(first|longest|(newest|quality|source):.+)$"},
        KeepPolicy.model_json_schema(),
    ]
}

Keep = Annotated[KeepPolicy, BeforeValidator(parse_keep), WithJsonSchema(_KEEP_SCHEMA)]


class Pipeline(Model):
    """A whole run."""

    inputs: tuple[Input, ...] = Field(min_length=1, description="Where records come from, in this order.")
    against: tuple[Input, ...] = Field((), description="What is there already: compared with, never changed or copied.")
    columns: Columns = Field(Columns(), description="Which columns mean what.")
    stages: Annotated[tuple[Stage, ...], BeforeValidator(expand_stages)] = Field(
        (Exact(), Near()), description="What is done, in order: filters, then other stages."
    )
    keep: Keep = Field(
        KeepPolicy(),
        description="Which of several copies stays: `first` in the order of inputs, `longest` in bytes, `newest:COL`"
        " or `quality:COL` (greatest value of a column), `source:A,B` (first in this list).",
    )
    on_error: Literal["fail", "quarantine"] = Field(
        "fail", description="A bad record stops the run, or is set aside in `quarantine/` and counted."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Of all random functions: sketches and the order of rows.")
    shards: Shards = Field(Shards(), description="Which of the kept rows are written, and how.")
    tokenizers: tuple[TokenizerFile, ...] = Field(
        (), description="Whose tokens are counted in each row that is written, beside words and bytes."
    )
    mixture: Annotated[Mixture | None, BeforeValidator(read_mixture)] = Field(
        None, description="In which proportions sources are written: as in `mixture.yaml`, or the path of one."
    )
    alarm: Alarm = Field(Alarm(), description="When a run stops because a source lost nearly everything.")
    report: Report = Field(Report(), description="What `report.html` shows beside numbers.")
    metrics: str | None = Field(
        None,
        pattern=r"\.prom$",
        description="Another place for `metrics.prom`, as a file `NAME.prom` that node_exporter collects.",
    )
    annotate: bool = Field(False, description="Write removed rows too, and columns that say what became of each row.")
    out: str = Field("out", min_length=1, description="Folder or URL of the output; empty, or of this very run.")
    staging: str | None = Field(
        None, description="Where the output for a URL is made before it is copied; default: in the user's cache."
    )
    engine: Literal["local", "spark"] = Field("local", description="What runs it; the answer is the same.")
    spark: Spark = Field(Spark(), description="Where and how `engine: spark` runs.")
    memory: MemorySize | None = Field(
        None,
        description="Limit for all but interpreter and libraries; 128MiB or more; default: about half of what this"
        " process may use.",
    )
    threads: int | None = Field(None, ge=1, description="How many threads work; default: one a processor.")
    check_room: bool = Field(True, description="Refuse to start where the disk is surely too small.")
    allow_loss: tuple[str, ...] = Field((), description="Sources that may lose nearly everything without an alarm.")

    @model_validator(mode="after")
    def _stage_order(self) -> "Pipeline":
        names = [stage.stage for stage in self.stages]
        rest = list(itertools.dropwhile(lambda name: name == "filter", names))
        order = ("decontaminate", "exact", "near", "contained", "semantic", "balance", "select", "paragraphs")
        if rest != [name for name in order if name in rest]:
            wanted = f"stages are filters, then of {', '.join(order)} each once at most, in this order"
            raise ValueError(f"{wanted}, not {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _nothing_cut_where_marked(self) -> "Pipeline":
        if self.annotate and self.cuts:
            cutting = "`paragraphs`" if self.paragraphs else "`decontaminate` with `action: cut`"
            raise ValueError(f"`annotate` writes all rows as they are, and {cutting} cuts them: choose one")
        return self

    @model_validator(mode="after")
    def _all_written_where_marked(self) -> "Pipeline":
        if self.annotate and (self.mixture or self.shards.sample < 1):
            raise ValueError("`annotate` writes all rows once, and a mixture or a sample does not: choose one")
        if self.mixture and self.shards.folds:
            raise ValueError("a mixture is drawn from what splits leave to train on, not from folds: choose one")
        return self

    @model_validator(mode="after")
    def _units_are_counted(self) -> "Pipeline":
        names = [item.tokenizer.name for item in self.tokenizers]
        if len(set(names)) < len(names):
            raise ValueError(f"tokenizers have names of their own, not {', '.join(names)}")
        if self.mixture and self.mixture.unit not in (*UNITS, *names):
            raise ValueError(
                f"the unit of the mixture is {', '.join((*UNITS, *names))}, not {self.mixture.unit}: "
                "a tokenizer is declared under `tokenizers`"
            )
        return self

    @model_validator(mode="after")
    def _one_past(self) -> "Pipeline":
        if self.against and self.near and self.near.index:
            raise ValueError("what is there already is named by `against` or by an index, not both: leave one out")
        return self

    @model_validator(mode="after")
    def _shared_staging(self) -> "Pipeline":
        master = self.spark.master or "local"
        if self.engine == "spark" and "://" in self.out and not self.staging and not master.startswith("local"):
            raise ValueError("`out` is a URL and executors are elsewhere: name a `staging` folder that they share")
        return self

    def _only(self, kind: type[T]) -> T | None:
        return next((stage for stage in self.stages if isinstance(stage, kind)), None)

    @property
    def filters(self) -> tuple[str, ...]:
        """The conditions of the filters, in order."""
        return tuple(stage.where for stage in self.stages if isinstance(stage, Filter))

    @property
    def decontaminate(self) -> Decontaminate | None:
        """The stage that removes benchmark items, if there is one."""
        return self._only(Decontaminate)

    @property
    def near(self) -> Near | None:
        """The near stage, if there is one."""
        return self._only(Near)

    @property
    def contained(self) -> Contained | None:
        """The stage that removes texts inside others, if there is one."""
        return self._only(Contained)

    @property
    def semantic(self) -> Semantic | None:
        """The stage that compares vectors of texts, if there is one."""
        return self._only(Semantic)

    @property
    def balance(self) -> Balance | None:
        """The stage that keeps so many rows of each leaf, if there is one."""
        return self._only(Balance)

    @property
    def select(self) -> Select | None:
        """The stage that keeps representative rows, if there is one."""
        return self._only(Select)

    @property
    def sources_apart(self) -> bool:
        """Whether a stage treats each source by itself."""
        return any(stage is not None and stage.apart for stage in (self.balance, self.select))

    @property
    def models(self) -> dict[str, str]:
        """What makes vectors, by the stage that needs them."""
        found = {stage.stage: stage.model for stage in (self.semantic, self.select) if stage}
        return found | ({"balance": self.balance.model} if self.balance and self.balance.bits else {})

    @property
    def paragraphs(self) -> Paragraphs | None:
        """The stage that cuts out paragraphs, if there is one."""
        return self._only(Paragraphs)

    @property
    def cuts_items(self) -> bool:
        """Whether benchmark items are cut out of rows."""
        return self.decontaminate is not None and self.decontaminate.action == "cut"

    @property
    def cuts(self) -> bool:
        """Whether anything is cut out of rows."""
        return self.cuts_items or self.paragraphs is not None

    @property
    def exact(self) -> bool:
        """Whether there is an exact stage."""
        return self._only(Exact) is not None

    def decisive(self) -> dict[str, Any]:
        """Return the settings that the output depends on: not where things are, nor how fast it goes."""
        beside = {
            "out",
            "staging",
            "engine",
            "spark",
            "memory",
            "threads",
            "check_room",
            "allow_loss",
            "report",
            "metrics",
        }
        settings = self.model_dump(mode="json", exclude={*beside, "inputs", "against", "mixture", "tokenizers"})
        settings["mixture"] = self.mixture.as_asked() if self.mixture else None
        for stage in settings["stages"]:
            for benchmark in stage.get("benchmarks", ()):
                del benchmark["path"]
            if stage["stage"] in ("semantic", "balance", "select"):
                del stage["model"]  # a folder somewhere; its content enters by itself
            if stage.get("mixture"):
                stage["mixture"] = self.select.mixture.as_asked() if self.select and self.select.mixture else None
            if stage.get("action") == "drop":
                del stage["action"]  # runs without a later setting are what they were before there was one
            if stage.get("index") is None:
                stage.pop("index", None)
            elif stage["stage"] == "near":
                stage["index"] = {key: stage["index"][key] for key in ("mode", "flagged", "unreachable")}
        for name, items in (("inputs", self.inputs), ("against", self.against)):
            settings[name] = [item.model_dump(mode="json", exclude={"path"}) for item in items]
        return settings
