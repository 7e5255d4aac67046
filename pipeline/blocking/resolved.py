"""Records resolved: pairs become matches, matches clusters, and all of it files.

    OUT/clusters.parquet     every record, with its cluster (``stable_ids.CLUSTERS``)
    OUT/decisions.parquet    the records that go, each with its keeper and its witness (``clusters.DECISIONS``)
    OUT/matches.parquet      the pairs that are matches, with their scores (``pairs.PAIRS``)
    OUT/aliases.parquet      former ids of clusters (``stable_ids.ALIASES``)
    OUT/splits.parquet       what was parted (``stable_ids.SPLITS``)
    OUT/resolution.json      settings, counts, sizes, warnings, and checksums of the files
    OUT/_SUCCESS             last

Equal inputs make equal bytes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...connectors.parquet_output import write_parquet
from ...hashing.errors import ArtefactError, ConfigError, LedgerError
from ..counted import counted
from ..state import SUCCESS, OutputFolder, write_atomically
from ..text_column import text_buffers
from .clusters import DECISIONS, Rule, clustered, decisions
from .cross_encoder import cross_encoder_scores, model_fingerprint
from .pairs import PAIRS
from .ranked_records import ranked_records
from .records import Records
from .scores import matched, ngram_scores, rescored, rows_of_pairs
from .stable_ids import ALIASES, CLUSTERS, SPLITS, Identified, stable_clusters

FORMAT, FORMAT_VERSION = "tamis-resolution", 1
REPORT = "resolution.json"
SCHEMAS = {"clusters": CLUSTERS, "decisions": DECISIONS, "matches": PAIRS, "aliases": ALIASES, "splits": SPLITS}

LARGEST = 20
GIANT_SHARE, GIANT_MEMBERS = 0.01, 100
"""A cluster of more than this share of all records, and of so many members, is named in a warning."""

Score = Literal["blocker", "jaccard", "cosine", "cross-encoder"]


@dataclass(frozen=True)
class ResolveOptions:
    """How records are resolved.

    Attributes:
        threshold: least score of a match.
        rule: how matches make clusters; see ``clusters``.
        score: ``cosine``, or ``jaccard`` where scores must stay when records are added: see ``scores``; ``blocker``:
            that of the pairs, of one blocker; ``cross-encoder``: that of a model.
        model: folder or name of the cross-encoder.
        text: what the cross-encoder reads of a record: its values, or ``marked`` with the names of columns.

    Raises:
        ConfigError: a score is unknown, a cross-encoder has no model or anything else has one, or no score can reach
            the threshold.
    """

    threshold: float
    rule: Rule = "greedy"
    score: Score = "cosine"
    model: str | None = None
    text: Literal["texts", "marked"] = "texts"

    def __post_init__(self) -> None:
        if self.score not in get_args(Score):
            raise ConfigError(
                "pairs have a score", value=self.score, remedy=f"Name one of {', '.join(get_args(Score))}."
            )
        if (self.score == "cross-encoder") != (self.model is not None):
            raise ConfigError(
                "a cross-encoder has a model, and nothing else has one",
                value=f"score {self.score}, model {self.model}",
                remedy="Name both or none.",
            )
        if self.score in ("cosine", "jaccard") and self.threshold > 1.0:
            raise ConfigError(
                f"a {self.score} is at most 1, and so is its threshold", value=self.threshold, remedy="Lower it."
            )


@dataclass(frozen=True)
class Resolution:
    """Records resolved.

    Attributes:
        identified: clusters with ids, and former ids.
        decisions: a table of ``DECISIONS``.
        matches: a table of ``PAIRS``.
        report: settings, counts, sizes and warnings, as in ``resolution.json``.
    """

    identified: Identified
    decisions: pa.Table
    matches: pa.Table
    report: dict[str, Any]

    @property
    def tables(self) -> dict[str, pa.Table]:
        """The tables by the names of their files."""
        known = self.identified
        return {
            "clusters": known.clusters,
            "decisions": self.decisions,
            "matches": self.matches,
            "aliases": known.aliases,
            "splits": known.splits,
        }


def resolve(
    pairs: pa.Table,
    left: Records,
    right: Records | None,
    options: ResolveOptions,
    *,
    previous: Identified | None = None,
    by: Sequence[pa.Array] | None = None,
    descending: bool = True,
    scores: Path | None = None,
) -> Resolution:
    """Resolve records.

    Args:
        pairs: candidates, a table of pairs.
        left, right: the records; right is None within one table.
        options: how.
        previous: the clusters of the run before, whose ids go on, and whose records rank before new ones.
        by, descending: what ranks records instead, as in ``ranked_records``.
        scores: folder where the scores of a cross-encoder are kept.

    Raises:
        ConfigError: a setting cannot be, or the pairs are of several blockers and scored by them.
        InputError: the pairs are not of these records.
        LedgerError: a record is in no cluster or in two; never, unless Tamis is wrong.
    """
    known = None if previous is None else previous.names
    records = ranked_records(left.ids, None if right is None else right.ids, by=by, descending=descending, known=known)
    matches = matched(_scored(pairs, left, right, options, scores), options.threshold)
    clusters = clustered(matches, records, options.rule)
    gone = decisions(clusters, matches)
    identified = stable_clusters(clusters, previous)
    report = _report(pairs, matches, gone, identified, (len(left), None if right is None else len(right)))
    return Resolution(identified, gone, matches, {"options": asdict(options), **report})


def _scored(
    pairs: pa.Table, left: Records, right: Records | None, options: ResolveOptions, scores: Path | None
) -> pa.Table:
    if options.score == "blocker":
        blockers = pc.unique(pairs["blocker"]).to_pylist()
        if len(blockers) > 1:
            raise ConfigError(
                "scores of several blockers cannot be compared with one threshold",
                value=", ".join(sorted(blockers)),
                remedy="Let the pairs be scored anew: jaccard, cosine or cross-encoder.",
            )
        return pairs
    if options.score == "jaccard" or options.score == "cosine":
        return rescored(pairs, ngram_scores(pairs, left, right, options.score))
    texts = [getattr(some, options.text) for some in (left, right) if some is not None]
    first, second = (pa.concat_arrays(texts).take(pa.array(rows)) for rows in rows_of_pairs(pairs, left, right))
    return rescored(pairs, cross_encoder_scores(first, second, str(options.model), folder=scores))


def _report(
    pairs: pa.Table, matches: pa.Table, gone: pa.Table, found: Identified, given: tuple[int, int | None]
) -> dict[str, Any]:
    clusters = found.clusters
    ids = clusters["cluster_id"].combine_chunks().dictionary_encode()  # in order of appearance, as rows are
    sizes = np.bincount(ids.indices.to_numpy(), minlength=len(ids.dictionary))
    kept = clusters.filter(clusters["kept"])
    records = given[0] + (given[1] or 0)
    if len(clusters) != records or len(kept) != len(sizes) or len(kept) + len(gone) != records:
        raise LedgerError(
            "every record is in one cluster, which keeps one",
            value=f"{counted(records, 'record')}, {len(clusters):,} in {counted(len(sizes), 'cluster')}, "
            f"{len(kept):,} kept, {counted(len(gone), 'goes', 'go')}",
            remedy="Please report this.",
        )
    stays = dict(zip(kept["cluster_id"].to_pylist(), kept["id"].to_pylist(), strict=True))
    largest = []
    for c in np.argsort(-sizes, kind="stable")[:LARGEST].tolist():
        if sizes[c] > 1:
            name = ids.dictionary[c].as_py()
            largest.append({"cluster_id": name, "size": int(sizes[c]), "kept": stays[name]})
    some, often = np.unique(sizes, return_counts=True)
    ceased = found.aliases.filter(pc.equal(found.aliases["run"], found.run))
    counts = {
        "records": {"left": given[0], "right": given[1]},
        "pairs": len(pairs),
        "matches": len(matches),
        "kept": len(kept),
        "dropped": len(gone),
        "clusters": len(sizes),
        "new_ids": int(np.sum(kept["born"].to_numpy() == found.run)),
        "merged_ids": len(ceased) - ceased["cluster_id"].null_count,
        "gone_ids": ceased["cluster_id"].null_count,
        "splits": int(np.sum(found.splits["run"].to_numpy() == found.run)),
    }
    return {
        "run": found.run,
        "counts": counts,
        "sizes": [{"size": size, "clusters": n} for size, n in zip(some.tolist(), often.tolist(), strict=True)],
        "largest": largest,
        "warnings": [_giant(one, records) for one in largest if _is_giant(one["size"], records)],
    }


def _is_giant(size: int, records: int) -> bool:
    return size >= GIANT_MEMBERS and size > GIANT_SHARE * records


def _giant(cluster: dict[str, Any], records: int) -> str:
    return (
        f"cluster {cluster['cluster_id']!r} has {cluster['size']:,} of {records:,} records, which is seldom true: "
        "raise the threshold, or make clusters by the rule greedy"
    )


def resolve_into(
    out: Path,
    pairs: pa.Table,
    left: Records,
    right: Records | None,
    options: ResolveOptions,
    *,
    previous: Path | None = None,
    by: Sequence[pa.Array] | None = None,
    descending: bool = True,
    scores: Path | None = None,
    version: str = "",
) -> Resolution:
    """Resolve records and write the files; what is finished already is read.

    Args:
        out: a folder, new, or of this very run.
        pairs, left, right, options, by, descending, scores: as in ``resolve``.
        previous: folder of the run before.
        version: of the program: another one makes another run.

    Raises:
        as ``resolve``, and ArtefactError: the folder holds something else or is in use, or the run before is damaged.
    """
    before = None if previous is None else read_resolution(previous)
    folder = OutputFolder(out, _fingerprint(pairs, left, right, options, by, descending, before, version))
    if folder.finished:
        folder.drop_work()
        return read_resolution(out)
    with folder.claim():
        known = None if before is None else before.identified
        found = resolve(pairs, left, right, options, previous=known, by=by, descending=descending, scores=scores)
        files = {name: _written(out / f"{name}.parquet", table) for name, table in found.tables.items()}
        report = {"format": FORMAT, "format_version": FORMAT_VERSION, **found.report, "files": files}
        write_atomically(out / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        folder.finish()
    return Resolution(found.identified, found.decisions, found.matches, report)


def _written(path: Path, table: pa.Table) -> dict[str, Any]:
    written = write_parquet(path, iter([table]), table.schema)
    return {"rows": written.rows, "size_bytes": written.size_bytes, "sha256": written.sha256}


def read_resolution(folder: Path) -> Resolution:
    """Return what a finished run wrote.

    Raises:
        ArtefactError: there is none, it is of another version, or a file is damaged.
    """
    if not (folder / SUCCESS).exists():
        raise ArtefactError(
            "the folder holds a finished resolution",
            value=f"no {folder / SUCCESS}",
            remedy="Name another, or finish it.",
        )
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        if (report["format"], report["format_version"]) != (FORMAT, FORMAT_VERSION):
            raise ArtefactError(
                f"a resolution is of format {FORMAT} version {FORMAT_VERSION}",
                value=f"{report['format']} version {report['format_version']} in {folder}",
                remedy="Use the version of Tamis that wrote it.",
            )
        tables = {
            name: _read(folder / f"{name}.parquet", schema, report["files"][name]["sha256"])
            for name, schema in SCHEMAS.items()
        }
        identified = Identified(int(report["run"]), tables["clusters"], tables["aliases"], tables["splits"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtefactError(
            "a resolution is whole", value=f"{folder / REPORT}: {error!r}", remedy="Make it again."
        ) from error
    return Resolution(identified, tables["decisions"], tables["matches"], report)


def _read(path: Path, schema: pa.Schema, sha256: str) -> pa.Table:
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ArtefactError(
            "a file of a resolution is as it was written",
            value=f"{path} with sha256 {found[:12]} instead of {sha256[:12]}",
            remedy="Make the resolution again.",
        )
    table: pa.Table = pq.read_table(pa.BufferReader(data), schema=schema)
    return table


def _fingerprint(
    pairs: pa.Table,
    left: Records,
    right: Records | None,
    options: ResolveOptions,
    by: Sequence[pa.Array] | None,
    descending: bool,
    before: Resolution | None,
    version: str,
) -> str:
    """Return what tells this run from others: its settings and the content of all that it reads."""
    known = None if before is None else [before.identified.run, before.report["files"]]
    model = None if options.model is None else model_fingerprint(options.model)
    settings = [FORMAT, FORMAT_VERSION, version, asdict(options), model, descending, known]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in PAIRS.names:
        _take_in(digest, pairs[name])
    for some in (left, right):
        digest.update(b"\0" if some is None else b"\1")
        if some is not None:
            for column in (some.ids, some.texts, some.marked):
                _take_in(digest, pa.chunked_array([column]))
    for column in by or ():
        _take_in(digest, pa.chunked_array([column]))
    return digest.hexdigest()


def _take_in(digest: Any, column: pa.ChunkedArray) -> None:
    """Hash a column by its values, however it is cut."""
    texts = column.combine_chunks().cast(pa.large_string())
    data, offsets = text_buffers(texts)
    digest.update(str(column.type).encode() + b"\0" + texts.is_valid().to_numpy(zero_copy_only=False).tobytes())
    digest.update((offsets - offsets[0]).tobytes())
    digest.update(data[offsets[0] : offsets[-1]].tobytes())
