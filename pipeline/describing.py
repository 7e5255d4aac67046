"""What is written about a run: the manifest, which equal runs write equally, and the report, which has the times."""

from dataclasses import replace
from typing import Any

from .descriptions import write_descriptions
from .findings import Facts
from .layout import Sets
from .ledger import Ledger
from .manifest import write_manifest
from .mixture_file import write_mixture
from .report.build import build_report, write_report
from .report.examples import examples
from .running import Running
from .sifting import Sifted


def describe(
    running: Running, sifted: Sifted, sets: Sets, files: dict[str, list[dict[str, Any]]], ledger: Ledger
) -> None:
    """Write the manifest, the mixture, the descriptions and the report.

    Args:
        running: the run.
        sifted: what it came to.
        sets, files: what was written, by folder.
        ledger: of all rows.
    """
    prepared = running.prepared
    banding = prepared.banding
    settings = prepared.settings | {"banding": [banding.bands, banding.rows] if banding else None}
    del settings["inputs"], settings["against"]
    folder = running.folder.path
    write_manifest(
        folder,
        corpus=prepared.corpus,
        splits=running.inputs.splits,
        references=prepared.references,
        sets=sets,
        files=files,
        tokenizers=prepared.tokenizers,
        ledger=ledger,
        settings=settings,
    )
    mixture = write_mixture(folder, running.config.mixture, sifted.outcome.placed.allocation, files["data"])
    write_descriptions(folder)
    report(running, sifted, ledger, mixture=mixture)


def report(
    running: Running, sifted: Sifted, ledger: Ledger, *, mixture: Facts | None = None, dry: bool = False
) -> None:
    """Write what the run did, as numbers and as a page.

    Args:
        running: the run.
        sifted: what it came to.
        ledger: of all rows.
        mixture: what was asked of each source, and what came of it.
        dry: whether no shards were written.
    """
    prepared, config, folder = running.prepared, running.config, running.folder.path
    with running.step("report"):
        shown = examples(running.inputs, folder, files=prepared.corpus.files, seed=config.seed, wanted=config.report)
    built = build_report(
        folder,
        prepared=prepared,
        ledger=ledger,
        splits=running.inputs.splits,
        steps=running.steps.done,
        memory_bytes=running.engine.memory_bytes,
        finished=not dry,
        findings=replace(sifted.outcome.rows.findings, index=_index_facts(running, sifted), mixture=mixture),
    )
    write_report(folder, built, shown, title=folder.name)


def _index_facts(running: Running, sifted: Sifted) -> Facts | None:
    """Return what the report says of the index."""
    index = running.index
    if index is None:
        return None
    return {
        "rows": index.rows,
        "batches": len(index.batches),
        "witness": index.witness,
        "flagged_rows": sifted.outcome.rows.findings.flagged_rows,
        "joined": sifted.header is not None,
    }
