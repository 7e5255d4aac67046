"""The page of an evaluation, ``blocking.html``: one file without network, with the numbers of ``blocking.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..report.rendering import rendered
from ..state import write_atomically
from .evaluation import Evaluation
from .recall_chart import MOST_SERIES, recall_chart
from .records import Records

JSON_NAME, HTML_NAME = "blocking.json", "blocking.html"

TEXT_CHARACTERS = 600
"""Characters that are shown of a text."""

Pieces = list[tuple[str, bool]]


@dataclass(frozen=True)
class Texts:
    """The texts of records, for the page to show: tables with ``id`` and ``text``.

    Attributes:
        left: of the first table.
        right: of the second; None: there is one.
    """

    left: pa.Table
    right: pa.Table | None

    @classmethod
    def of(cls, left: Records, right: Records | None) -> "Texts":
        """Return the texts of records."""
        one, other = (
            None if some is None else pa.table({"id": some.ids, "text": some.texts}) for some in (left, right)
        )
        return cls(one, other)


def write_evaluation(folder: Path, evaluation: Evaluation, *, title: str, texts: Texts | None = None) -> Path:
    """Write ``blocking.json`` and ``blocking.html``, each whole or not at all, and return where the page is.

    Args:
        folder: must exist.
        evaluation: what ``evaluate`` returned.
        title: what was blocked.
        texts: those of the records; None: ids alone are shown.
    """
    report = evaluation.as_json()
    write_atomically(folder / JSON_NAME, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_atomically(folder / HTML_NAME, blocking_page(report, title=title, texts=texts))
    return folder / HTML_NAME


def blocking_page(report: dict[str, Any], *, title: str, texts: Texts | None = None) -> str:
    """Return the page as HTML.

    Args:
        report: what ``blocking.json`` holds.
        title, texts: as in ``write_evaluation``.
    """
    blockers = report["blockers"]
    measured = [i for i, one in enumerate(blockers) if one["against"]]
    drawn = [i for i in measured if blockers[i]["against"]["by_rank"]["pairs"]][:MOST_SERIES]
    return rendered(
        "blocking.html.jinja",
        report=report,
        title=title,
        measured=measured,
        drawn=drawn,
        charts=[_chart(report, drawn, by) for by in ("rank", "score")] if drawn else [],
        ends=_ends(report),
        sides=_sides(report, texts),
        with_texts=texts is not None,
    )


def _chart(report: dict[str, Any], drawn: Sequence[int], by: str) -> str:
    curves = [(report["blockers"][i]["name"], report["blockers"][i]["against"][f"by_{by}"]) for i in drawn]
    return recall_chart(curves, report["records"]["left"], f"Recall against pairs, the best by {by} first")


def _ends(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where to find the bounds of the longest distribution: those of the others are its first ones."""
    found: list[dict[str, Any]] = []
    for i, one in enumerate(report["blockers"]):
        for side in ("left", "right"):
            if one[side] and len(one[side]["bins"]) > len(found):
                found = [{"key": f"blockers.{i}.{side}.bins.{j}", **line} for j, line in enumerate(one[side]["bins"])]
    return found


def _sides(report: dict[str, Any], texts: Texts | None) -> dict[tuple[str, str], tuple[Pieces, Pieces]]:
    """Return the texts of all pairs that are named, those words marked that the other text lacks."""
    if texts is None:
        return {}
    pairs = sorted(
        {
            (pair["left_id"], pair["right_id"])
            for one in report["blockers"]
            if one["against"]
            for pair in (*one["against"]["missed_examples"], *one["against"]["wrong_examples"])
        }
    )
    left = _texts(texts.left, [pair[0] for pair in pairs])
    right = _texts(texts.left if texts.right is None else texts.right, [pair[1] for pair in pairs])
    return {
        pair: (_marked(one, other), _marked(other, one)) for pair, one, other in zip(pairs, left, right, strict=True)
    }


def _texts(records: pa.Table, ids: list[str]) -> list[str]:
    rows = pc.index_in(pa.array(ids, pa.string()), value_set=records["id"].combine_chunks().cast(pa.string()))
    return [text or "" for text in records["text"].take(rows).to_pylist()]


def _marked(text: str, other: str) -> Pieces:
    """Return the beginning of a text in pieces, each with whether it is of words that the other text lacks."""
    if not text:
        return []
    shown = text[:TEXT_CHARACTERS]
    known = {word.casefold() for word in other.split(" ")}
    pieces: Pieces = []
    for word in shown.split(" "):
        lacking = word.casefold() not in known
        if pieces and pieces[-1][1] == lacking:
            pieces[-1] = (f"{pieces[-1][0]} {word}", lacking)
        else:
            pieces.append((word, lacking))
    return [*pieces, ("…", False)] if len(text) > len(shown) else pieces
