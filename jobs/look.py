"""Looking at a finished run again: its report, and single records, with texts read from its inputs where they are."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..connectors.address import file_of
from ..connectors.corpus import plan_splits
from ..connectors.formats import InputFile
from ..connectors.split import SPLIT_BYTES
from ..hashing.errors import TamisError
from ..hashing.redaction import redacted
from ..pipeline.config import Pipeline, load_config
from ..pipeline.explain import Comparison, compare
from ..pipeline.prepared import Prepared, prepare
from ..pipeline.report.examples import read_texts
from ..pipeline.result import Result
from ..pipeline.survey import survey
from .local import LocalEngine
from .memory_share import allowed_bytes


class Inputs:
    """The inputs of a finished run, if they are still there and still the same.

    Args:
        result: of the run.

    Attributes:
        why: why texts cannot be read, or "".
    """

    def __init__(self, result: Result) -> None:
        self.why = ""
        self.config: Pipeline = load_config(str(result.out / "config.yaml"))
        self._prepared: Prepared | None = None
        try:
            prepared = prepare(self.config, version=__version__)
        except TamisError as error:
            self.why = f"The inputs cannot be read: {error.value}."
            return
        now = [(redacted(file.relative), file.size_bytes) for file in prepared.corpus.files]
        if now != [(line["path"], line["size_bytes"]) for line in result.manifest["inputs"]]:
            self.why = "The inputs are no longer those of the run: files came, went or changed."
            return
        self._prepared = prepared

    def texts(self, addresses: Sequence[int]) -> dict[int, str]:
        """Return texts by address, whole; none at all where ``why`` is set."""
        if self._prepared is None or not addresses:
            return {}
        files: Sequence[InputFile] = self._prepared.corpus.files
        wanted = [files[ordinal] for ordinal in sorted({file_of(address) for address in addresses})]
        splits = [split for file in wanted for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
        with tempfile.TemporaryDirectory(prefix="tamis-") as folder:
            memory = allowed_bytes(self.config.memory)
            engine = LocalEngine(Path(folder) / "work", memory_bytes=memory, threads=self.config.threads)
            try:
                full = survey(engine, splits, Path(folder) / "schema.json")
                found = read_texts(
                    engine,
                    sorted(set(addresses)),
                    splits=splits,
                    text=self.config.columns.text,
                    full=full,
                    characters=None,
                )
            finally:
                engine.close()
        return {address: text for address, (text, _) in found.items()}

    def compared(self, texts: Sequence[str]) -> Comparison | None:
        """Compare two texts as the run did."""
        prepared = self._prepared
        return None if prepared is None else compare(texts, prepared.plan, prepared.banding, self.config.seed)
