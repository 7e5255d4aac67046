"""What the steps and ends of a scan are called where people read of them."""

from collections.abc import Iterator, Mapping

_FUNNEL = (
    ("all", "all"),
    ("with_columns", "one has all columns of the other"),
    ("within_statistics", "and its values lie between the other's"),
    ("candidates", "different tables that share its first row"),
    ("refuted_by_sample", "refuted by a sample"),
    ("refuted_by_all_rows", "refuted by all rows"),
    ("not_refuted", "not refuted by what was looked for"),
    ("near", "not whole, but --min-containment"),
    ("verified", "verified: every row is there"),
    ("renamed", "verified, with columns called otherwise"),
)
_UNUSUAL = ("not_refuted", "near", "renamed")

STATES = {
    "compared": "their rows were looked for in others, or others' in them",
    "apart": "by their statistics they lie inside none of those with their columns, and hold none",
    "alone": "no other table has all of their columns, or only columns that they have",
    "without columns": "they have no columns that are compared",
    "empty": "no rows: they lie inside every table that has their columns, and are left out",
    "linked": "their files are those of another table",
    "unreadable": "they could not be read to their end: they are inside none and hold none",
}
"""What became of tables, in order."""


def funnel(pairs: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (name, words) of the numbers of pairs in ``lake.json``; those that only some options lead to if there are.

    >>> [name for name, _ in funnel({"all": 2, "near": 0, "verified": 1})]
    ['all', 'verified']
    """
    for name, what in _FUNNEL:
        if pairs.get(name) or (name in pairs and name not in _UNUSUAL):
            yield name, what
