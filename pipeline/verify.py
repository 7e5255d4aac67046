"""``tamis verify``: proof from the files alone that nothing is lost, doubled or damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ..connectors.address import RECORD_BITS
from ..hashing.errors import ArtefactError
from .counted import counted
from .edits import WRITTEN_EDITS
from .ledger import Ledger
from .manifest import read_manifest
from .recorded_files import fault_of
from .state import SUCCESS
from .verify_shards import content_faults, mixture_faults, place_faults, shape_faults, text_faults
from .verify_thresholds import threshold_faults


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: what must hold.
        faults: where it does not, in words; empty if it holds.
    """

    name: str
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return not self.faults


def verify(out: Path) -> Iterator[Check]:
    """Check an output folder, one thing at a time; later checks are left out where files are damaged.

    Raises:
        ArtefactError: if there is no manifest of a known version.
    """
    manifest = read_manifest(out)
    yield Check("the run finished", () if (out / SUCCESS).exists() else (f"no {SUCCESS}",))
    files = Check("every file has its recorded size and sha256", tuple(_file_faults(out, manifest)))
    yield files
    if not files.passed:
        return
    try:
        yield from _content(out, manifest)
    except (KeyError, pa.ArrowException) as error:
        raise ArtefactError(
            "the files of an output have the columns that Tamis writes",
            value=f"{out}: {error}",
            remedy="Do not use this output: its manifest was made to fit it.",
        ) from error


def _content(out: Path, manifest: dict[str, Any]) -> Iterator[Check]:
    """Check what is in the files, which are those of the manifest."""
    yield Check("shards have the recorded shape", tuple(shape_faults(out, manifest)))
    index = pq.read_table(out / "index.parquet")
    decisions = _read(out, manifest, "decisions")
    quarantine = _read(out, manifest, "quarantine")
    unsampled = _read(out, manifest, "unsampled") if manifest["files"]["unsampled"] else None
    yield Check(
        "every record is kept, dropped or quarantined, once",
        tuple(_row_faults(manifest, index, decisions, quarantine, unsampled)),
    )
    yield Check("every shard row is the record that the index says", tuple(text_faults(out, manifest, index)))
    edits = _read(out, manifest, "edits") if manifest["files"]["edits"] else WRITTEN_EDITS.empty_table()
    edited = edits["address"].combine_chunks()
    yield Check(
        "every row is in its set, and where the seed puts it", tuple(place_faults(out, manifest, index, edited))
    )
    yield Check("files hold what is said of each source", tuple(content_faults(manifest, index)))
    yield Check("the mixture is what the shards hold", tuple(mixture_faults(out, manifest, index, unsampled)))
    stays = np.unique(index["address"].to_numpy())
    if unsampled is not None:  # kept, though not written
        stays = np.union1d(stays, unsampled["address"].to_numpy())
    yield Check("every removal names a witness that stays", tuple(_witness_faults(manifest, stays, decisions)))
    if manifest["files"]["edits"]:
        yield Check("cuts lie apart, and each says what for", tuple(_edit_faults(out, manifest, stays, decisions)))
    known = [index, decisions, *([] if unsampled is None else [unsampled])]
    faults = threshold_faults(manifest, decisions, lambda: [*known, _read(out, manifest, "clusters")])
    yield Check("no removal is below the threshold", tuple(faults))
    yield Check(
        "the ledger balances and agrees with the tables",
        tuple(_ledger_faults(out, manifest, index, decisions, quarantine, unsampled)),
    )


def _read(out: Path, manifest: dict[str, Any], name: str) -> pa.Table:
    return pa.concat_tables(pq.read_table(out / name / line["name"]) for line in manifest["files"][name])


def _path(out: Path, folder: str, name: str) -> Path:
    return out / name if folder == "index" else out / folder / name


def _file_faults(out: Path, manifest: dict[str, Any]) -> Iterator[str]:
    for folder, lines in manifest["files"].items():
        for line in lines:
            fault = fault_of(_path(out, folder, line["name"]), line)
            if fault is not None:
                yield fault
        if folder != "index":
            known = {out / folder / line["name"] for line in lines}
            found = sorted(path for path in (out / folder).rglob("*") if not path.is_dir())
            yield from (f"{extra} is not in the manifest" for extra in found if extra not in known)


def _row_faults(
    manifest: dict[str, Any],
    index: pa.Table,
    decisions: pa.Table,
    quarantine: pa.Table,
    unsampled: pa.Table | None,
) -> Iterator[str]:
    passes = index["address"].to_numpy(), index["epoch"].to_numpy()
    order = np.lexsort((passes[1], passes[0]))
    written, epochs = (column[order] for column in passes)
    again = written[1:] == written[:-1]
    if doubled := int(np.sum(again & (epochs[1:] == epochs[:-1]))):
        yield f"{counted(doubled, 'record is', 'records are')} in the shards twice in one pass"
    written = written[np.concatenate([[True], ~again])[: len(written)]]
    if manifest["ledger"]["annotated"]:  # dropped rows are in the shards, too
        written = written[~np.isin(written, decisions["address"].to_numpy())]
    tables = [decisions, quarantine, *([] if unsampled is None else [unsampled])]
    parts = [written, *(table["address"].to_numpy() for table in tables)]
    ended = np.sort(np.concatenate(parts))
    twice = ended[1:][ended[1:] == ended[:-1]]
    if len(twice):
        yield f"{counted(len(twice), 'record ends', 'records end')} in two places, the first at address {twice[0]}"
    for line in manifest["inputs"]:
        if line["reference"]:
            continue
        start, stop = np.searchsorted(ended, [line["file"] << RECORD_BITS, (line["file"] + 1) << RECORD_BITS])
        found = ended[start:stop] - (line["file"] << RECORD_BITS)
        expected = line["records"] if line["records"] is not None else len(found)
        if len(found) != expected or not np.array_equal(found, np.arange(expected)):
            there = counted(len(np.unique(found)), "is", "are")
            yield f"{line['path']} had {counted(expected, 'record')}, {there} accounted for"
    if not np.array_equal(index["position"].to_numpy(), np.arange(index.num_rows)):
        yield "positions in the index are not 0, 1, 2 ..."


_LATER = {
    name: place
    for place, name in enumerate(
        ("exact", "bloom", "near", "contained", "semantic", "balance", "select", "paragraphs", "decontaminate")
    )
}
"""Stages after which a keeper may have gone, in their order; the last only cuts items out of what all others left."""


def _cuts_items(manifest: dict[str, Any]) -> bool:
    return any(stage.get("action") == "cut" for stage in manifest["settings"]["stages"])


def _witness_faults(manifest: dict[str, Any], stays: NDArray[np.int64], decisions: pa.Table) -> Iterator[str]:
    """A keeper is kept, or was there already, or went in a later stage; a filter names its condition instead."""
    old = sum(line["reference"] for line in manifest["inputs"]) << RECORD_BITS
    kept = np.setdiff1d(stays, decisions["address"].to_numpy())  # with annotate, removed rows are written, too
    order = _LATER if _cuts_items(manifest) else {name: _LATER[name] for name in _LATER if name != "decontaminate"}
    gone = {name: _removed(decisions, name) for name in order}
    for stage in ("exact", "near", "contained", "semantic", "balance", "select"):
        named = decisions.filter(pc.equal(decisions["stage"], stage))["keeper_address"]
        if named.null_count and stage != "select":  # a group may have nothing chosen, or a row no vector
            yield f"{counted(named.null_count, f'{stage} removal names', f'{stage} removals name')} no keeper"
        keepers = named.drop_null().to_numpy()
        later = np.concatenate([gone[name] for name in order if order[name] > order[stage]])
        there = (keepers < old) | np.isin(keepers, kept) | np.isin(keepers, later)
        if not np.all(there):
            wrong = counted(int((~there).sum()), f"{stage} removal names", f"{stage} removals name")
            yield f"{wrong} a keeper that was not kept"
    near = [stage for stage in manifest["settings"]["stages"] if stage["stage"] == "near"]
    asked = [stage["index"]["flagged"] == "drop" for stage in near if stage.get("index")]
    unasked = pc.sum(pc.equal(decisions["stage"], "bloom")).as_py()
    if unasked and not any(asked):
        yield f"{counted(unasked, 'row was', 'rows were')} removed for a filter alone, which nobody asked for"
    conditions = [stage["where"] for stage in manifest["settings"]["stages"] if stage["stage"] == "filter"]
    filtered = decisions.filter(pc.equal(decisions["stage"], "filter"))
    unnamed = pc.sum(pc.invert(pc.is_in(filtered["reason"], pa.array(conditions, pa.string())))).as_py()
    if unnamed:
        yield f"{counted(unnamed, 'row was', 'rows were')} removed by a filter that the settings do not have"


def _edit_faults(out: Path, manifest: dict[str, Any], stays: NDArray[np.int64], decisions: pa.Table) -> Iterator[str]:
    """A paragraph is kept by a row that stays, or that went for an item; an item is named with its benchmark."""
    edits = _read(out, manifest, "edits")
    address, start, stop = (edits[name].to_numpy() for name in ("address", "start", "stop"))
    wrong = (start < 0) | (stop <= start)
    wrong[1:] |= (address[1:] < address[:-1]) | ((address[1:] == address[:-1]) & (start[1:] < stop[:-1]))
    if wrong.any():
        which = counted(int(wrong.sum()), "cut is empty, overlaps or lies", "cuts are empty, overlap or lie")
        yield f"{which} out of order, first at address {address[wrong][0]}"
    paragraphs, items = (edits.filter(pc.equal(edits["stage"], name)) for name in ("paragraphs", "decontaminate"))
    cuts_items = _cuts_items(manifest)
    if unasked := edits.num_rows - paragraphs.num_rows - (items.num_rows if cuts_items else 0):
        yield f"{counted(unasked, 'cut is', 'cuts are')} of a stage that was not to cut"
    keepers = paragraphs["keeper_address"].to_numpy()
    lost = ~np.isin(keepers, np.append(stays, _removed(decisions, "decontaminate")) if cuts_items else stays)
    if lost.any():
        yield f"{counted(int(lost.sum()), 'cut names', 'cuts name')} a keeper that was not kept"
    if nameless := pc.sum(pc.or_(pc.is_null(items["keeper_id"]), pc.is_null(items["keeper_corpus"]))).as_py():
        yield f"{counted(nameless, 'cut names', 'cuts name')} no benchmark item"


def _removed(decisions: pa.Table, stage: str) -> NDArray[np.int64]:
    """Return the addresses of what a stage removed."""
    removed: NDArray[np.int64] = decisions.filter(pc.equal(decisions["stage"], stage))["address"].to_numpy()
    return removed


def _ledger_faults(
    out: Path,
    manifest: dict[str, Any],
    index: pa.Table,
    decisions: pa.Table,
    quarantine: pa.Table,
    unsampled: pa.Table | None,
) -> Iterator[str]:
    ledger = Ledger.from_dict(manifest["ledger"])
    for name, source in ledger.sources.items():
        if source.read != source.accounted:
            yield f"source {name!r}: {source.read} in, {source.accounted} accounted for"
        if source.emitted + source.unsampled != source.written(ledger.annotated) + source.repeated:
            yield f"source {name!r}: {source.emitted} written, {source.kept} kept"
    total = ledger.total
    kept = index.num_rows - (decisions.num_rows if ledger.annotated else 0)
    kept += total.unsampled.rows - total.repeated.rows
    tables = {"kept": (total.kept.rows, kept), "dropped": (total.lost.rows, decisions.num_rows)}
    tables["not sampled"] = (total.unsampled.rows, 0 if unsampled is None else unsampled.num_rows)
    tables["quarantined"] = (sum(a.rows for a in total.quarantined.values()), quarantine.num_rows)
    for name, (said, found) in tables.items():
        if said != found:
            yield f"the ledger says {counted(said, 'row')} {name}, the table holds {found:,}"
    parts = [("dropped", "stage", decisions), ("quarantined", "rule", quarantine)]
    for name, by, table in parts:
        said_of = {
            (source, key): amount.rows
            for source, amounts in ledger.sources.items()
            for key, amount in getattr(amounts, name).items()
            if amount.rows
        }
        groups = table.group_by(["source", by]).aggregate([("address", "count")]).to_pylist()
        found_of = {(row["source"], row[by]): row["address_count"] for row in groups}
        for key in sorted(said_of.keys() | found_of.keys()):
            if said_of.get(key, 0) != found_of.get(key, 0):
                what = f"of source {key[0]!r} {name} by {key[1]}"
                rows = counted(said_of.get(key, 0), "row")
                yield f"the ledger says {rows} {what}, the table holds {found_of.get(key, 0):,}"
    if manifest["files"]["edits"]:
        edits = _read(out, manifest, "edits")
        kept_edits = edits.filter(pc.invert(pc.is_in(edits["address"], decisions["address"].combine_chunks())))
        held = pc.sum(pc.subtract(kept_edits["stop"], kept_edits["start"])).as_py() or 0
        if held != total.cut.bytes or (pc.sum(kept_edits["tokens"]).as_py() or 0) != total.cut.tokens:
            yield f"the ledger says {total.cut} were cut, edits add up to {counted(held, 'byte')}"
    for unit in ("bytes", "tokens"):
        dropped, aside = getattr(total.lost, unit), sum(getattr(a, unit) for a in total.quarantined.values())
        written = getattr(total.kept, unit) + (dropped if ledger.annotated else 0)
        written += getattr(total.repeated, unit) - getattr(total.unsampled, unit)
        for name, said, table in (
            ("the index", written, index),
            ("decisions", dropped, decisions),
            ("quarantine", aside, quarantine),
            *([] if unsampled is None else [("unsampled", getattr(total.unsampled, unit), unsampled)]),
        ):
            held = pc.sum(table[unit]).as_py() or 0
            if said != held:
                yield f"the ledger says {said} {unit} for {name}, where there are {held}"
