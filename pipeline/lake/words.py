"""What the steps of a scan are called where people read of them."""

FUNNEL = (
    ("all", "all"),
    ("with_columns", "one has all columns of the other"),
    ("candidates", "different tables that share its first row"),
    ("refuted_by_sample", "refuted by a sample"),
    ("refuted_by_all_rows", "refuted by all rows"),
    ("not_refuted", "not refuted by what was looked for"),
    ("near", "not whole, but --min-containment"),
    ("verified", "verified: every row is there"),
)
"""Numbers of pairs in ``lake.json``, in order, and what they are."""

UNUSUAL = ("not_refuted", "near")
"""Those that only some options lead to: not shown where they are 0."""
