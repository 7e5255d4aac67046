"""A run before any work: its inputs listed, its bands solved for, its index opened, and what it depends on."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..connectors.corpus import Corpus, InputSpec, open_corpus
from ..hashing.errors import InputError
from ..hashing.lsh import Banding
from ..hashing.sketch import SKETCH_VERSION, SketchPlan, sketch_plan
from .config import Near, Pipeline
from .index.form import OpenIndex, open_index
from .index.joining import check_apart
from .near import banding_of
from .own_names import check_own_names
from .semantic.encoders import Encoder, open_encoder
from .state import check_place

FORMAT_VERSION = 3
"""Version of the output folder; enters the fingerprint of a run with the package's own."""


@dataclass(frozen=True)
class Prepared:
    """A run that is known to make sense, before any work.

    Attributes:
        config: as given.
        corpus: the files; those of the index, which are not read as a whole, first.
        references: so many of them, the first ones, are there already.
        banding: bands of the near stage, or None.
        version: of the package.
        name: what the run does, whatever an index holds: a digest of settings, inputs and versions.
        index: earlier rows, as they were before this run, or None.
        tokenizers: which tokenizers count, with the sha256 of their files.
        encoders: of the stages that compare vectors, by name of the stage.
    """

    config: Pipeline
    corpus: Corpus
    references: int
    banding: Banding | None
    version: str
    name: str
    index: OpenIndex | None = None
    tokenizers: tuple[dict[str, Any], ...] = ()
    encoders: Mapping[str, Encoder] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the output depends on; of an encoder, what it is."""
        settings = self.config.decisive()
        for stage in settings["stages"]:
            if stage["stage"] in self.encoders:
                stage["model"] = self.encoders[stage["stage"]].facts
        return settings

    @property
    def fingerprint(self) -> str:
        """What the output depends on: the run, and the batches of the index before it."""
        if self.index is None:
            return self.name
        kind = [self.index.header[name] for name in ("kind", "witness", "bloom")]
        facts = [self.name, kind, [batch["run"] for batch in self.index.batches]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def adds(self) -> bool:
        """Whether the run is to add to an index that does not have it."""
        near = self.config.near
        wanted = near is not None and near.index is not None and near.index.update
        return wanted and self.index is not None and self.index.is_last

    @property
    def read(self) -> Corpus:
        """The files that are read as a whole: all but those of the index."""
        if self.index is None:
            return self.corpus
        return replace(self.corpus, files=self.corpus.files[len(self.index.files) :])

    @property
    def plan(self) -> SketchPlan:
        """How texts are sketched; without a near stage they are only counted and hashed."""
        near = self.config.near or Near()
        return sketch_plan(
            near.sketch,
            values=near.values,
            bits=near.bits,
            unit=near.shingle.unit,
            shingle=near.shingle.size,
            seed=self.config.seed,
        )


def prepare(config: Pipeline, *, version: str) -> Prepared:
    """List the inputs and solve for the bands.

    Raises:
        ConfigError, InputError: before any work is done.
    """
    specs = _specs(config)
    tests = config.decontaminate.benchmarks if config.decontaminate else ()
    old, new = specs[: len(config.against)], specs[len(config.against) :]
    if config.sources_apart and config.columns.source is None:
        check_own_names(
            new,
            remedy="Name a column of sources (--source), rename a folder, or give each input of a pipeline a `source`.",
        )
    check_place(config.out, [*(spec.path for spec in specs), *(benchmark.path for benchmark in tests)])
    references = len(open_corpus(old).files) if old else 0
    banding = banding_of(config.near) if config.near else None
    corpus = open_corpus(specs)
    tokenizers = tuple(
        {"name": item.name, "kind": item.kind, "sha256": item.tokenizer.fingerprint, "pattern": item.pattern}
        | {"special": list(item.special)}
        for item in config.tokenizers
    )
    encoders = {stage: open_encoder(model) for stage, model in config.models.items()}
    if config.semantic and config.semantic.index == "ivf":
        from .blocking.dense import import_faiss

        import_faiss()  # better missed now than after hours
    name = _name_of(config, corpus, references, version, tokenizers, encoders)
    index = open_index(config, banding, name) if banding else None
    if index is not None:
        check_apart(config, index)
        first = len(index.files)
        shifted = tuple(replace(file, ordinal=first + file.ordinal) for file in corpus.files)
        corpus, references = replace(corpus, files=(*index.files, *shifted)), first
    return Prepared(config, corpus, references, banding, version, name, index, tokenizers, encoders)


def _name_of(
    config: Pipeline,
    corpus: Corpus,
    references: int,
    version: str,
    tokenizers: tuple[dict[str, Any], ...],
    encoders: Mapping[str, Encoder],
) -> str:
    sources = [file.source for file in corpus.files]  # named after places, unless the configuration does
    versions = [version, FORMAT_VERSION, SKETCH_VERSION]
    facts = [config.decisive(), sources, references, corpus.fingerprint, versions]
    if tokenizers:
        facts.append(tokenizers)
    facts += [encoder.facts for encoder in encoders.values()]
    if config.decontaminate:
        benchmarks = [InputSpec(b.path, format=b.format) for b in config.decontaminate.benchmarks]
        facts += [open_corpus([spec]).fingerprint for spec in benchmarks]
        facts += [benchmark.title for benchmark in config.decontaminate.benchmarks]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def check_unchanged(prepared: Prepared) -> None:
    """Make sure that the inputs are still those that the run began with.

    Raises:
        InputError: if a file came, went or changed.
    """
    now = {file.path: file.fingerprint for file in open_corpus(_specs(prepared.config)).files}
    before = {file.path: file.fingerprint for file in prepared.read.files}
    changed = sorted(path for path in now.keys() | before.keys() if now.get(path) != before.get(path))
    if changed:
        raise InputError(
            "inputs stay as they are while they are read",
            value=f"{', '.join(changed[:3])} changed",
            remedy="Run again into another --out; this one is not marked as complete.",
        )


def _specs(config: Pipeline) -> list[InputSpec]:
    """Return the inputs, what is there already first."""
    return [InputSpec(i.path, i.format, i.source, i.include, i.exclude) for i in (*config.against, *config.inputs)]
